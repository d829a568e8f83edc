"""Start and stop the agent's process; it must not know what the agent does."""

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
from localcluster.processes.ending import end_processes
from localcluster.processes.identity import Identity, identity_of

__all__ = ["agent_sources", "find_agent", "start_agent", "stop_agent"]

PACKAGE = Path(__file__).resolve().parent.parent
# It only cancels its tasks; the pods' processes live on beside it.
GRACE_SECONDS = 5.0


def agent_sources() -> str:
    """A digest of the agent's sources and interpreter: another one means it must start again."""
    digest = hashlib.sha256(sys.executable.encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(str(path.relative_to(PACKAGE)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def find_agent(folder: ClusterFolder) -> Identity | None:
    """An agent that says of itself that it serves this folder, recorded by `up` or not.

    Args:
        folder: of the cluster.
    """
    try:
        raw = json.loads((folder.path / "agent.json").read_text())
        said = Identity(raw["pid"], raw["started_ticks"], raw["boot"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return said if identity_of(said.pid) == said else None


def start_agent(folder: ClusterFolder, environ: Mapping[str, str]) -> Identity:
    """Start the agent as a daemon with a session of its own.

    Args:
        folder: of the cluster, with the agent's orders in it.
        environ: this process's environment.
    Raises: PlaneError: it ended at once.
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
        if (found := find_agent(folder)) is not None:
            return found
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    process.wait()
    end = "\n".join(folder.agent_log.read_text(errors="replace").splitlines()[-8:])
    raise PlaneError(f"the agent of the process hosts did not start; its log ends:\n{end}")


def stop_agent(folder: ClusterFolder, recorded: Identity | None) -> None:
    """Stop the agent and wait until it is gone.

    Args:
        folder: of the cluster.
        recorded: the agent that `up` remembers.
    """
    agents = {one for one in (recorded, find_agent(folder)) if one is not None}
    end_processes(agents, signal.SIGTERM, GRACE_SECONDS)
