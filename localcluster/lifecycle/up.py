"""Bring a cluster to what was asked, from nothing or from whatever is there; nothing about pods."""

import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from localcluster.agent.config import DEFAULT_LOG_LIMIT, Orders, dump_orders, load_orders
from localcluster.agent.images import parse_image_option
from localcluster.agent.node import host_names
from localcluster.binaries.builder import build_binaries
from localcluster.console import say
from localcluster.errors import PlaneError
from localcluster.lifecycle.daemon import agent_sources, find_agent, start_agent, stop_agent
from localcluster.lifecycle.down import dismantle
from localcluster.lifecycle.lock import hold
from localcluster.lifecycle.readiness import is_answering, wait_until_ready
from localcluster.lifecycle.record import Record, load_record, save_record, write_atomically
from localcluster.paths import ClusterFolder
from localcluster.plane.kubeconfig import Credentials, read_server, write_kubeconfig
from localcluster.plane.kwokctl import (
    COMPONENTS,
    component_processes,
    create_plane,
    scale_kwok_hosts,
    start_plane,
)
from localcluster.processes.ending import send_signal

__all__ = ["Wanted", "up"]


@dataclass(frozen=True)
class Wanted:
    """What the options of `up` ask for."""

    kubeconfig: Path | None = None
    process_hosts: int = 4
    kwok_hosts: int = 0
    images: tuple[str, ...] = ()
    log_limit_bytes: int = DEFAULT_LOG_LIMIT


def up(folder: ClusterFolder, wanted: Wanted, environ: Mapping[str, str]) -> Path:
    """Have the cluster run as asked when this returns.

    Args:
        folder: of the cluster.
        wanted: by the options.
        environ: this process's environment.
    Returns: the kubeconfig's absolute path.
    Raises: LocalClusterError: it says what is wrong; a cluster that was being made is gone.
    """
    for option in wanted.images:
        parse_image_option(option)
    programs = build_binaries(environ)
    begun = time.monotonic()
    with hold(folder, create=True):
        record = load_record(folder)
        if not record.complete and any(folder.path.iterdir()):
            # The rest of an `up` that was killed; a half-made control plane is not worth mending.
            dismantle(folder, environ, keep_lock=True)
            record = Record()
        new = not record.complete
        try:
            target = _bring(folder, wanted, environ, programs, record)
        except BaseException:
            # Ctrl-C and SIGTERM too. A cluster that ran before keeps running.
            if new:
                say(f"{folder.name}: did not come up; removing what was started")
                dismantle(folder, environ)
            raise
    hosts = f"{wanted.process_hosts} process hosts, {wanted.kwok_hosts} kwok hosts"
    say(f"{folder.name}: ready with {hosts} after {time.monotonic() - begun:.0f} s")
    return target


def _bring(
    folder: ClusterFolder,
    wanted: Wanted,
    environ: Mapping[str, str],
    programs: Path,
    record: Record,
) -> Path:
    target = (wanted.kubeconfig or folder.kubeconfig).absolute()
    record = replace(record, programs=str(programs))
    save_record(folder, record)
    record = _bring_plane(folder, environ, programs, record)
    # Recorded before it is written: `down` removes only what is ours anyway.
    record = replace(record, kubeconfigs=tuple(dict.fromkeys((*record.kubeconfigs, str(target)))))
    save_record(folder, record)
    for path in dict.fromkeys((folder.kubeconfig, target)):
        write_kubeconfig(folder, path)
    orders = _orders(folder, wanted, programs)
    _bring_agent(folder, environ, orders, record)
    record = load_record(folder)
    say(f"{folder.name}: waiting for hosts")
    scale_kwok_hosts(folder, programs, environ, wanted.kwok_hosts)
    wait_until_ready(orders, set(host_names(wanted.process_hosts)), wanted.kwok_hosts)
    save_record(folder, replace(record, complete=True))
    return target


def _bring_plane(
    folder: ClusterFolder, environ: Mapping[str, str], programs: Path, record: Record
) -> Record:
    running = component_processes(folder)
    if record.complete and set(running) == set(COMPONENTS):
        if is_answering(_orders(folder, Wanted(), programs), 15):
            return replace(record, components=running)
        say(f"{folder.name}: the control plane runs but does not answer; making it anew")
    elif record.complete:
        dead = sorted(set(COMPONENTS) - set(running))
        say(f"{folder.name}: starting again what does not run: {', '.join(dead)}")
        try:
            start_plane(folder, programs, environ)
            running = component_processes(folder)
            missing = set(COMPONENTS) - set(running)
            if not missing and is_answering(_orders(folder, Wanted(), programs), 30):
                return replace(record, components=running)
            why = f"{', '.join(sorted(missing)) or 'the apiserver'} did not come back"
        except PlaneError as error:
            why = str(error)
        say(f"{folder.name}: {why}; making it anew (its objects are lost)")
    if record.complete:
        kubeconfigs = record.kubeconfigs
        dismantle(folder, environ, keep_lock=True)
        record = Record(programs=str(programs), kubeconfigs=kubeconfigs)
        save_record(folder, record)
    say(f"{folder.name}: starting the control plane")
    create_plane(folder, programs, environ)
    record = replace(record, components=component_processes(folder))
    save_record(folder, record)
    return record


def _orders(folder: ClusterFolder, wanted: Wanted, programs: Path) -> Orders:
    own = Credentials(folder)
    return Orders(
        cluster=folder.name,
        server=read_server(folder),
        authority=str(own.authority),
        certificate=str(own.certificate),
        key=str(own.key),
        programs=str(programs),
        process_hosts=wanted.process_hosts,
        log_limit_bytes=wanted.log_limit_bytes,
        images=wanted.images,
    )


def _bring_agent(
    folder: ClusterFolder, environ: Mapping[str, str], orders: Orders, record: Record
) -> None:
    """Have an agent of these sources run with these orders."""
    sources = agent_sources()
    agent = find_agent(folder)
    before = load_orders(folder.agent_orders) if folder.agent_orders.exists() else None
    if agent is not None and record.agent_sources == sources:
        save_record(folder, replace(record, agent=agent))
        same_plane = before is not None and before.server == orders.server
        if before == orders:
            return
        if same_plane:
            write_atomically(folder.agent_orders, dump_orders(orders))
            send_signal(agent, signal.SIGHUP)
            return
    # Its pods' processes live on, and the next agent takes them up.
    stop_agent(folder, record.agent)
    write_atomically(folder.agent_orders, dump_orders(orders))
    say(f"{folder.name}: starting the agent of the process hosts")
    agent = start_agent(folder, environ)
    save_record(folder, replace(record, agent=agent, agent_sources=sources))
