"""Start a cluster, or change a running one to new options.

`up` compares what runs with what the options ask for and repairs the difference: missing binaries,
stopped components, agents that were lost or have older sources. An interrupted first `up` deletes
the cluster again. A cluster that came up once is kept, unless its control plane can no longer be
started.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from localcluster.agent.config import DEFAULT_LOG_LIMIT_BYTES, AgentConfig
from localcluster.agent.images import parse_image_option
from localcluster.agent.node import host_names
from localcluster.binaries.builder import build_binaries
from localcluster.console import print_line
from localcluster.errors import PlaneError, UsageError
from localcluster.kubelets.cluster import (
    ensure_hosts,
    ensure_namespaces,
    ensure_relay,
    last_errors,
)
from localcluster.kubelets.cluster import host_names as kubelet_host_names
from localcluster.kubelets.layers import build_layers
from localcluster.kubelets.network import ADVERTISE_ADDRESS
from localcluster.kubelets.record import load_kubelets
from localcluster.kubelets.requirements import require_kubelet_hosts
from localcluster.lifecycle.down import tear_down
from localcluster.lifecycle.lock import lock_cluster
from localcluster.lifecycle.process_hosts import ensure_process_hosts
from localcluster.lifecycle.readiness import apiserver_answers, wait_until_ready
from localcluster.lifecycle.record import Record, load_record, save_record
from localcluster.paths import ClusterFolder
from localcluster.plane.kubeconfig import AdminCredentials, read_server, write_kubeconfig
from localcluster.plane.kwokctl import (
    COMPONENTS,
    component_processes,
    create_plane,
    scale_kwok_nodes,
    start_plane,
)

__all__ = ["ClusterOptions", "up"]


@dataclass(frozen=True)
class ClusterOptions:
    """The options of `up`."""

    kubeconfig: Path | None = None
    process_hosts: int = 4
    kwok_hosts: int = 0
    images: tuple[str, ...] = ()
    log_limit_bytes: int = DEFAULT_LOG_LIMIT_BYTES
    kubelet_hosts: int = 0


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
    _check_kubelet_hosts(options, environ)
    bin_folder = build_binaries(environ, kubelets=options.kubelet_hosts > 0)
    started = time.monotonic()
    with lock_cluster(folder, create=True):
        record = load_record(folder)
        if not record.complete and any(folder.path.iterdir()):
            # An `up` was killed. Starting over is simpler than completing a control plane.
            tear_down(folder, environ, keep_lock=True)
            record = Record()
        is_new = not record.complete
        _check_unchanged(folder, options, record)
        try:
            target = _converge(folder, options, environ, bin_folder, record)
        except BaseException:
            # On Ctrl-C and SIGTERM too. A cluster that existed before keeps running.
            if is_new:
                print_line(f"{folder.name}: the cluster did not come up; deleting it")
                tear_down(folder, environ)
            raise
    hosts = (
        f"{options.kubelet_hosts} kubelet hosts"
        if options.kubelet_hosts
        else f"{options.process_hosts} process hosts"
    )
    hosts += f", {options.kwok_hosts} kwok hosts"
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
    kubelets = options.kubelet_hosts
    if kubelets:
        ensure_namespaces(folder, kubelets)
    record = _ensure_plane(folder, environ, bin_folder, record, kubelets)
    # Recorded before it is written; `down` deletes only files that this package wrote anyway.
    record = replace(record, kubeconfigs=tuple(dict.fromkeys((*record.kubeconfigs, str(target)))))
    save_record(folder, record)
    for path in dict.fromkeys((folder.kubeconfig, target)):
        write_kubeconfig(folder, path)
    config = _agent_config(folder, options, bin_folder)
    if kubelets:
        layers = build_layers(bin_folder.parent / "layers", bin_folder, environ)
        ensure_hosts(folder, layers, config)
    else:
        ensure_process_hosts(folder, environ, config, options.process_hosts)
        record = load_record(folder)
    print_line(f"{folder.name}: waiting for the nodes")
    scale_kwok_nodes(folder, bin_folder, environ, options.kwok_hosts)
    expected = {*host_names(options.process_hosts), *kubelet_host_names(kubelets)}
    try:
        wait_until_ready(config, expected, options.kwok_hosts)
    except PlaneError as error:
        # A cluster that did not come up is deleted with its logs.
        raise PlaneError(
            "; ".join([str(error), *(last_errors(folder) if kubelets else [])])
        ) from error
    save_record(folder, replace(record, complete=True))
    return target


def _check_kubelet_hosts(options: ClusterOptions, environ: Mapping[str, str]) -> None:
    if not options.kubelet_hosts:
        return
    if options.process_hosts or options.images:
        raise UsageError(
            "--kubelet-hosts cannot be combined with --process-hosts or --image: kubelet hosts are "
            "in a network of their own, and pull their images from a registry"
        )
    require_kubelet_hosts(environ)


def _check_unchanged(folder: ClusterFolder, options: ClusterOptions, record: Record) -> None:
    """Refuse another number of kubelet hosts: the certificates have the addresses of the first."""
    kubelets = load_kubelets(folder)
    existing = kubelets.hosts if kubelets else 0
    if record.complete and existing != options.kubelet_hosts:
        raise UsageError(
            f'cluster "{folder.name}" has {existing} kubelet hosts, which cannot be changed; '
            f"delete it first with `python -m localcluster down --name {folder.name}`"
        )


def _ensure_plane(
    folder: ClusterFolder,
    environ: Mapping[str, str],
    bin_folder: Path,
    record: Record,
    kubelets: int,
) -> Record:
    running = component_processes(folder)
    enter: list[str] = []
    if kubelets:
        enter = ensure_namespaces(folder, kubelets).enter(folder.path)
        if record.complete:
            ensure_relay(folder)
    if record.complete and set(running) == set(COMPONENTS):
        if apiserver_answers(_agent_config(folder, ClusterOptions(), bin_folder), 15):
            return replace(record, components=running)
        print_line(f"{folder.name}: the control plane runs but does not answer; recreating it")
    elif record.complete:
        stopped = sorted(set(COMPONENTS) - set(running))
        print_line(f"{folder.name}: restarting {', '.join(stopped)}")
        try:
            start_plane(folder, bin_folder, environ, enter=enter)
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
        if kubelets:
            enter = ensure_namespaces(folder, kubelets).enter(folder.path)
    print_line(f"{folder.name}: starting the control plane")
    advertised = ADVERTISE_ADDRESS if kubelets else ""
    create_plane(folder, bin_folder, environ, enter=enter, advertise_address=advertised)
    if kubelets:
        ensure_relay(folder)
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
        log_limit_bytes=options.log_limit_bytes,
        images=options.images,
    )
