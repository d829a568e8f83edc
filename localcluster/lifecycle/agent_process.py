"""Start, find and stop the processes of the agents, one for each process host."""

import datetime
import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from localcluster.agent.certificate import write_certificate
from localcluster.console import last_lines
from localcluster.errors import PlaneError
from localcluster.paths import ClusterFolder, HostFolder
from localcluster.processes.identity import Identity, identity_of
from localcluster.processes.signals import end_processes

__all__ = ["agent_sources", "find_agent", "start_agents", "stop_agents"]

PACKAGE = Path(__file__).resolve().parent.parent
# An agent only cancels its tasks; the processes of its pods keep running.
GRACE_SECONDS = 5.0
# For all agents together: each imports some modules, and there may be more agents than cores.
START_SECONDS = 20.0


def agent_sources() -> str:
    """Return a digest of this package and of the interpreter.

    When it changes, the agents have to restart.
    """
    digest = hashlib.sha256(sys.executable.encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(str(path.relative_to(PACKAGE)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def find_agent(host: HostFolder) -> Identity | None:
    """Return the running agent of a host, whether or not `up` has recorded it.

    The agent itself writes its identity into the host's folder.
    """
    try:
        raw = json.loads(host.identity.read_text())
        written = Identity(raw["pid"], raw["started_ticks"], raw["boot"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return written if identity_of(written.pid) == written else None


def start_agents(
    cluster: ClusterFolder, names: Iterable[str], environ: Mapping[str, str]
) -> dict[str, Identity]:
    """Start the agents of some hosts, each as a daemon in a session of its own.

    Args:
        cluster: The cluster's folder, which contains the configuration of the agents.
        names: The names of the nodes.
        environ: This process's environment.

    Returns:
        The agents by the names of their nodes.

    Raises:
        PlaneError: An agent did not start; the others are ended.
    """
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name in names:
            processes[name] = _start(cluster, cluster.host(name), environ)
        deadline = time.monotonic() + START_SECONDS * max(1, len(processes) / 4)
        return {
            name: _wait_for(cluster.host(name), process, deadline)
            for name, process in processes.items()
        }
    except BaseException:
        for process in processes.values():
            process.kill()
            process.wait()
        raise


def _start(
    cluster: ClusterFolder, host: HostFolder, environ: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    host.path.mkdir(parents=True, exist_ok=True)
    host.identity.unlink(missing_ok=True)
    # Here and not in the agent, each of which would need 15 MB more for it.
    write_certificate(host.certificate, datetime.datetime.now(datetime.UTC))
    with host.log.open("a") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "localcluster.agent", str(cluster.path), host.name],
            cwd=PACKAGE.parent,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_for(host: HostFolder, process: subprocess.Popen[bytes], deadline: float) -> Identity:
    while process.poll() is None and time.monotonic() < deadline:
        if (agent := find_agent(host)) is not None:
            return agent
        time.sleep(0.02)
    raise PlaneError(f"the agent of {host.name} did not start; {last_lines(host.log)}")


def stop_agents(
    cluster: ClusterFolder, recorded: Mapping[str, Identity], names: Iterable[str]
) -> None:
    """Stop the agents of some hosts and wait until they have ended.

    Args:
        cluster: The cluster's folder.
        recorded: The agents in the cluster's record.
        names: The names of the nodes.
    """
    agents = {
        agent
        for name in names
        for agent in (recorded.get(name), find_agent(cluster.host(name)))
        if agent is not None
    }
    end_processes(agents, signal.SIGTERM, GRACE_SECONDS)
