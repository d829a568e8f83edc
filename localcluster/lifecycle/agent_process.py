"""Start, find and stop the process of the agent."""

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from localcluster.errors import PlaneError
from localcluster.paths import ClusterFolder
from localcluster.processes.identity import Identity, identity_of
from localcluster.processes.signals import end_processes

__all__ = ["agent_sources", "find_agent", "start_agent", "stop_agent"]

PACKAGE = Path(__file__).resolve().parent.parent
# The agent only cancels its tasks; the processes of the pods keep running.
GRACE_SECONDS = 5.0


def agent_sources() -> str:
    """Return a digest of this package and of the interpreter.

    When it changes, the agent has to restart.
    """
    digest = hashlib.sha256(sys.executable.encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(str(path.relative_to(PACKAGE)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def find_agent(folder: ClusterFolder) -> Identity | None:
    """Return the running agent of a cluster, whether or not `up` has recorded it.

    The agent itself writes its identity into the cluster's folder.
    """
    try:
        raw = json.loads((folder.path / "agent.json").read_text())
        written = Identity(raw["pid"], raw["started_ticks"], raw["boot"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return written if identity_of(written.pid) == written else None


def start_agent(folder: ClusterFolder, environ: Mapping[str, str]) -> Identity:
    """Start the agent as a daemon in a session of its own.

    Args:
        folder: The cluster's folder, which contains the agent's configuration.
        environ: This process's environment.

    Raises:
        PlaneError: The agent did not start.
    """
    (folder.path / "agent.json").unlink(missing_ok=True)
    with folder.agent_log.open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "localcluster", "agent", "--folder", str(folder.path)],
            cwd=PACKAGE.parent,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if (agent := find_agent(folder)) is not None:
            return agent
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    process.wait()
    tail = "\n".join(folder.agent_log.read_text(errors="replace").splitlines()[-8:])
    raise PlaneError(
        f"the agent of the process hosts did not start; last lines of {folder.agent_log}:\n{tail}"
    )


def stop_agent(folder: ClusterFolder, recorded: Identity | None) -> None:
    """Stop the agent and wait until it has ended.

    Args:
        folder: The cluster's folder.
        recorded: The agent in the cluster's record.
    """
    agents = {agent for agent in (recorded, find_agent(folder)) if agent is not None}
    end_processes(agents, signal.SIGTERM, GRACE_SECONDS)
