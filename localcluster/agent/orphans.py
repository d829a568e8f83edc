"""End the processes of pods that no agent manages any more; needs neither agent nor apiserver."""

import signal
from collections.abc import Iterable
from pathlib import Path

from localcluster.agent.process import read_identity
from localcluster.processes.identity import Identity, session_members
from localcluster.processes.signals import end_processes

__all__ = ["end_orphans"]

# A shim only has to kill its container and to write two lines.
SHIM_SECONDS = 3.0


def end_orphans(pods: Iterable[Path]) -> None:
    """Kill every container of some pods and wait until none of their processes runs.

    Args:
        pods: The folders of the pods.
    """
    folders = [path for pod in pods for path in pod.glob("containers/*/*")]
    # A shim that gets this signal kills all processes of its container and then ends.
    end_processes(_identities(folders, "shim.json"), signal.SIGUSR2, SHIM_SECONDS)
    # Where a shim was killed before, processes of its container may still run.
    leaders = _identities(folders, "running.json")
    members = [member for leader in leaders for member in session_members(leader)]
    end_processes(members, signal.SIGKILL, 0.0)


def _identities(folders: Iterable[Path], name: str) -> list[Identity]:
    identities = (read_identity(folder / name) for folder in folders)
    return [identity for identity in identities if identity is not None]
