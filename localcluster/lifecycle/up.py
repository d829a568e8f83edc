"""Start a cluster, or change a running one to new options.

`up` compares what runs with what the options ask for and repairs the difference: missing binaries,
stopped components, an agent of older sources. An interrupted first `up` deletes the cluster again.
A cluster that came up once is kept, unless its control plane can no longer be started.
"""

import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from localcluster.agent.config import DEFAULT_LOG_LIMIT_BYTES, AgentConfig, dump_config, load_config
from localcluster.agent.images import parse_image_option
from localcluster.agent.node import host_names
from localcluster.binaries.builder import build_binaries
from localcluster.console import print_line
from localcluster.errors import PlaneError
from localcluster.lifecycle.agent_process import agent_sources, find_agent, start_agent, stop_agent
from localcluster.lifecycle.down import tear_down
from localcluster.lifecycle.lock import lock_cluster
from localcluster.lifecycle.readiness import apiserver_answers, wait_until_ready
from localcluster.lifecycle.record import Record, load_record, save_record, write_atomically
from localcluster.paths import ClusterFolder
from localcluster.plane.kubeconfig import AdminCredentials, read_server, write_kubeconfig
from localcluster.plane.kwokctl import (
    COMPONENTS,
    component_processes,
    create_plane,
    scale_kwok_nodes,
    start_plane,
)
from localcluster.processes.signals import send_signal

__all__ = ["ClusterOptions", "up"]


@dataclass(frozen=True)
class ClusterOptions:
    """The options of `up`."""

    kubeconfig: Path | None = None
    process_hosts: int = 4
    kwok_hosts: int = 0
    images: tuple[str, ...] = ()
    log_limit_bytes: int = DEFAULT_LOG_LIMIT_BYTES


def up(folder: ClusterFolder, options: ClusterOptions, environ: Mapping[str, str]) -> Path:
    """Make the cluster run as the options say.

    Args:
        folder: The cluster's folder.
        options: The options of `up`.
        environ: This process's environment.

    Returns:
        The absolute path of the kubeconfig.

    Raises:
        LocalClusterError: The cluster did not come up. A new cluster is deleted again.
    """
    for option in options.images:
        parse_image_option(option)
    bin_folder = build_binaries(environ)
    started = time.monotonic()
    with lock_cluster(folder, create=True):
        record = load_record(folder)
        if not record.complete and any(folder.path.iterdir()):
            # An `up` was killed. Starting over is simpler than completing a control plane.
            tear_down(folder, environ, keep_lock=True)
            record = Record()
        is_new = not record.complete
        try:
            target = _converge(folder, options, environ, bin_folder, record)
        except BaseException:
            # On Ctrl-C and SIGTERM too. A cluster that existed before keeps running.
            if is_new:
                print_line(f"{folder.name}: the cluster did not come up; deleting it")
                tear_down(folder, environ)
            raise
    hosts = f"{options.process_hosts} process hosts, {options.kwok_hosts} kwok hosts"
    print_line(f"{folder.name}: ready after {time.monotonic() - started:.0f} s with {hosts}")
    return target


def _converge(
    folder: ClusterFolder,
    options: ClusterOptions,
    environ: Mapping[str, str],
    bin_folder: Path,
    record: Record,
) -> Path:
    target = (options.kubeconfig or folder.kubeconfig).absolute()
    record = replace(record, bin_folder=str(bin_folder))
    save_record(folder, record)
    record = _ensure_plane(folder, environ, bin_folder, record)
    # Recorded before it is written; `down` deletes only files that this package wrote anyway.
    record = replace(record, kubeconfigs=tuple(dict.fromkeys((*record.kubeconfigs, str(target)))))
    save_record(folder, record)
    for path in dict.fromkeys((folder.kubeconfig, target)):
        write_kubeconfig(folder, path)
    config = _agent_config(folder, options, bin_folder)
    _ensure_agent(folder, environ, config, record)
    record = load_record(folder)
    print_line(f"{folder.name}: waiting for the nodes")
    scale_kwok_nodes(folder, bin_folder, environ, options.kwok_hosts)
    wait_until_ready(config, set(host_names(options.process_hosts)), options.kwok_hosts)
    save_record(folder, replace(record, complete=True))
    return target


def _ensure_plane(
    folder: ClusterFolder, environ: Mapping[str, str], bin_folder: Path, record: Record
) -> Record:
    running = component_processes(folder)
    if record.complete and set(running) == set(COMPONENTS):
        if apiserver_answers(_agent_config(folder, ClusterOptions(), bin_folder), 15):
            return replace(record, components=running)
        print_line(f"{folder.name}: the control plane runs but does not answer; recreating it")
    elif record.complete:
        stopped = sorted(set(COMPONENTS) - set(running))
        print_line(f"{folder.name}: restarting {', '.join(stopped)}")
        try:
            start_plane(folder, bin_folder, environ)
            running = component_processes(folder)
            missing = set(COMPONENTS) - set(running)
            if not missing and apiserver_answers(
                _agent_config(folder, ClusterOptions(), bin_folder), 30
            ):
                return replace(record, components=running)
            reason = f"{', '.join(sorted(missing)) or 'the apiserver'} did not restart"
        except PlaneError as error:
            reason = str(error)
        print_line(f"{folder.name}: {reason}; recreating the control plane, objects are lost")
    if record.complete:
        kubeconfigs = record.kubeconfigs
        tear_down(folder, environ, keep_lock=True)
        record = Record(bin_folder=str(bin_folder), kubeconfigs=kubeconfigs)
        save_record(folder, record)
    print_line(f"{folder.name}: starting the control plane")
    create_plane(folder, bin_folder, environ)
    record = replace(record, components=component_processes(folder))
    save_record(folder, record)
    return record


def _agent_config(folder: ClusterFolder, options: ClusterOptions, bin_folder: Path) -> AgentConfig:
    credentials = AdminCredentials(folder)
    return AgentConfig(
        cluster=folder.name,
        server=read_server(folder),
        ca_certificate=str(credentials.ca_certificate),
        client_certificate=str(credentials.client_certificate),
        client_key=str(credentials.client_key),
        bin_folder=str(bin_folder),
        process_hosts=options.process_hosts,
        log_limit_bytes=options.log_limit_bytes,
        images=options.images,
    )


def _ensure_agent(
    folder: ClusterFolder, environ: Mapping[str, str], config: AgentConfig, record: Record
) -> None:
    """Make sure that an agent of these sources runs with this configuration."""
    sources = agent_sources()
    agent = find_agent(folder)
    previous = load_config(folder.agent_config) if folder.agent_config.exists() else None
    if agent is not None and record.agent_sources == sources:
        save_record(folder, replace(record, agent=agent))
        if previous == config:
            return
        if previous is not None and previous.server == config.server:
            write_atomically(folder.agent_config, dump_config(config))
            send_signal(agent, signal.SIGHUP)
            return
    # The processes of the pods keep running; the new agent adopts them.
    stop_agent(folder, record.agent)
    write_atomically(folder.agent_config, dump_config(config))
    print_line(f"{folder.name}: starting the agent of the process hosts")
    agent = start_agent(folder, environ)
    save_record(folder, replace(record, agent=agent, agent_sources=sources))
