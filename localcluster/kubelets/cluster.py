"""Start, repair and end the kubelet hosts of a cluster.

The control plane runs in the same namespaces, so that pods and kubelets reach it as in any
cluster. A relay lets this machine reach it too.
"""

import asyncio
import datetime
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from localcluster.agent.api import ApiClient, ApiError, UnreachableError
from localcluster.agent.config import AgentConfig
from localcluster.console import last_lines, print_line
from localcluster.errors import PlaneError
from localcluster.kubelets.certificates import write_client_certificate
from localcluster.kubelets.control_groups import (
    control_group,
    create_control_group,
    delete_control_groups,
)
from localcluster.kubelets.host import HostSettings, KubeletHost
from localcluster.kubelets.namespaces import Namespaces, create_namespaces, processes_in
from localcluster.kubelets.network import configure_loopback, prepare_bridge, route_service
from localcluster.kubelets.record import KubeletRecord, load_kubelets, save_kubelets
from localcluster.kubelets.registry import Registry, push_all
from localcluster.kubelets.requirements import cni_plugins
from localcluster.paths import ClusterFolder
from localcluster.plane.kubeconfig import read_server
from localcluster.plane.kwokctl import component_processes
from localcluster.plane.ports import choose_ports
from localcluster.processes.identity import Identity, identity_of
from localcluster.processes.signals import end_processes

__all__ = [
    "end_kubelet_hosts",
    "ensure_hosts",
    "ensure_namespaces",
    "ensure_relay",
    "host_names",
    "last_errors",
    "namespaces_of",
]

DEFAULT_EVICTION = {
    "memory.available": "100Mi",
    "nodefs.available": "1%",
    "imagefs.available": "1%",
}
# Containers run on without either daemon.
_GRACE_SECONDS = 10.0
_SOURCES = Path(__file__).resolve().parent.parent.parent


def host_names(count: int) -> list[str]:
    """Return the names of the nodes.

    Args:
        count: The number of kubelet hosts.
    """
    return [f"kubelet-{number}" for number in range(1, count + 1)]


def namespaces_of(record: KubeletRecord) -> Namespaces:
    """Return the namespaces that a record tells of; they may have gone."""
    return Namespaces(record.holder)


def ensure_namespaces(folder: ClusterFolder, hosts: int) -> Namespaces:
    """Create the namespaces of a cluster unless it has them.

    Args:
        folder: The cluster's folder.
        hosts: The number of kubelet hosts.

    Raises:
        PlaneError: They could not be created.
    """
    record = load_kubelets(folder)
    if record is not None and namespaces_of(record).alive:
        return namespaces_of(record)
    # What is left of namespaces whose holder was killed would keep ports and locks. A control plane
    # among it starts again in the new ones, with its data.
    end_kubelet_hosts(folder)
    end_processes(component_processes(folder).values(), signal.SIGKILL, 0.0)
    folder.kubelets.mkdir(parents=True, exist_ok=True)
    (port,) = choose_ports(1)
    namespaces = create_namespaces(folder.kubelets.resolve())
    save_kubelets(folder, KubeletRecord(hosts, namespaces.holder, port))
    configure_loopback(namespaces, hosts)
    return namespaces


def ensure_relay(folder: ClusterFolder) -> None:
    """Let this machine reach the API server, and pods the kubernetes Service.

    Args:
        folder: The cluster's folder, with a control plane.

    Raises:
        PlaneError: The relay cannot listen, for example because another program has the port.
    """
    record = _record(folder)
    port = _port(folder)
    route_service(namespaces_of(record), port)
    if record.runs("relay"):
        return
    command = ["relay", "--port", str(port), "--holder", str(record.holder.pid)]
    log = folder.kubelets / "relay.log"
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "localcluster", *command],
            cwd=folder.kubelets.resolve(),
            env={**os.environ, "PYTHONPATH": str(_SOURCES)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
        )
    assert process.stdout is not None  # it is a pipe
    try:
        identity = identity_of(process.pid)
        # The relay writes a line when it listens, and nothing if it ends before.
        if identity is None or not process.stdout.readline():
            raise PlaneError(f"the relay to the API server ended; {last_lines(log)}")
        _note(folder, "relay", identity)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        process.stdout.close()


def ensure_hosts(
    folder: ClusterFolder,
    layers: Mapping[str, Path],
    config: AgentConfig,
) -> None:
    """Start what does not run: the registry, and a containerd and a kubelet for each host.

    A kubelet whose Node was deleted is started again: it registers only when it starts.

    Args:
        folder: The cluster's folder, with a control plane.
        layers: The layers of the images, by name.
        config: The way to the API server, the built binaries and the size of logs.

    Raises:
        PlaneError: One did not start.
    """
    record = _record(folder)
    bin_folder = Path(config.bin_folder)
    namespaces = namespaces_of(record)
    plugins = cni_plugins()
    assert plugins is not None  # `require_kubelet_hosts` has looked
    if not record.runs("registry"):
        registry = Registry(namespaces, record.registry_port, bin_folder / "crane")
        identity = registry.start(folder.kubelets.resolve())
        try:
            push_all(registry, layers)
        except BaseException:
            # The next `up` starts another one, and pushes again.
            end_processes([identity], signal.SIGKILL, 0.0)
            raise
        _note(folder, "registry", identity)
    settings = HostSettings(
        control_group=control_group(folder),
        server=read_server(folder),
        pki=folder.plane.resolve() / "pki",
        registry_port=record.registry_port,
        bin_folder=bin_folder,
        cni_folder=plugins,
        log_limit_bytes=config.log_limit_bytes,
        eviction_hard=DEFAULT_EVICTION,
    )
    hosts = _hosts(folder, record)
    running = [host for host in hosts if record.runs(f"kubelet-{host.number}")]
    registered = asyncio.run(_node_names(config)) if running else set()
    for host in running:
        if host.name not in registered:
            kubelet = record.daemons[f"kubelet-{host.number}"]
            end_processes([kubelet], signal.SIGTERM, _GRACE_SECONDS)
    for host in hosts:
        _ensure_host(folder, host, settings)


async def _node_names(config: AgentConfig) -> set[str]:
    try:
        async with ApiClient(config) as api:
            nodes = (await api.call("GET", "/api/v1/nodes"))["items"]
    except (ApiError, UnreachableError) as error:
        raise PlaneError(f"the nodes could not be read: {error}") from error
    return {node["metadata"]["name"] for node in nodes}


def last_errors(folder: ClusterFolder) -> list[str]:
    """Return the last error of each kubelet that logged one.

    Args:
        folder: The cluster's folder.
    """
    hosts = _hosts(folder, _record(folder))
    return [f"{host.name} logged: {host.last_error()}" for host in hosts if host.last_error()]


def _hosts(folder: ClusterFolder, record: KubeletRecord) -> list[KubeletHost]:
    numbers = range(1, record.hosts + 1)
    return [KubeletHost(number, folder.kubelets.resolve() / str(number)) for number in numbers]


def _ensure_host(folder: ClusterFolder, host: KubeletHost, settings: HostSettings) -> None:
    record = _record(folder)
    namespaces = namespaces_of(record)
    changed = host.changed(settings)
    for program in changed:
        # Ended before its files change: if this is interrupted, the next `up` starts it.
        if record.runs(name := f"{program}-{host.number}"):
            end_processes([record.daemons[name]], signal.SIGTERM, _GRACE_SECONDS)
    host.write_files(settings)
    if not host.certificate.exists():
        now = datetime.datetime.now(datetime.UTC)
        write_client_certificate(settings.pki, host.name, host.certificate, now)
    namespaces.bind(host.folder, host.run_folder)
    prepare_bridge(namespaces, host.number)
    create_control_group(folder, host.name)
    starts: dict[str, Callable[[], Identity]] = {
        f"containerd-{host.number}": lambda: host.start_containerd(namespaces),
        f"kubelet-{host.number}": lambda: host.start_kubelet(namespaces, settings),
    }
    for name, start in starts.items():
        if not record.runs(name):
            print_line(f"{folder.name}: starting {name}")
            _note(folder, name, start())


def end_kubelet_hosts(folder: ClusterFolder) -> None:
    """End everything in the namespaces; the kernel then removes their mounts, devices and rules.

    Args:
        folder: The cluster's folder.
    """
    record = load_kubelets(folder)
    recorded = () if record is None else (record.holder, *record.daemons.values())
    end_processes(recorded, signal.SIGKILL, 0.0)
    # Shims, and what was started just before a crash. A shim may start a process meanwhile, so look
    # until there is none.
    while processes := processes_in(folder.kubelets.resolve()):
        end_processes(processes, signal.SIGKILL, 0.0)
    if folder.kubelets.exists():
        delete_control_groups(folder)


def _record(folder: ClusterFolder) -> KubeletRecord:
    record = load_kubelets(folder)
    if record is None:
        raise PlaneError(f'cluster "{folder.name}" has no kubelet hosts')
    return record


def _note(folder: ClusterFolder, name: str, identity: Identity) -> None:
    record = _record(folder)
    save_kubelets(folder, replace(record, daemons=record.daemons | {name: identity}))


def _port(folder: ClusterFolder) -> int:
    port = urlsplit(read_server(folder)).port
    if port is None:
        raise PlaneError(f"the API server has no port in {read_server(folder)}")
    return port
