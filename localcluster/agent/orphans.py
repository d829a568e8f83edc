"""End the processes of pods whose agent is gone; it must not need an agent or an apiserver."""

import signal
from collections.abc import Iterable
from pathlib import Path

from localcluster.agent.process import read_identity
from localcluster.processes.ending import end_processes
from localcluster.processes.identity import Identity, session_members

__all__ = ["end_leftovers"]

# A shim has only to kill and to write two lines.
SHIM_SECONDS = 3.0


def end_leftovers(pods: Iterable[Path]) -> None:
    """Kill every container of some pods and wait until nothing of it runs.

    Args:
        pods: their folders.
    """
    folders = [path for pod in pods for path in pod.glob("containers/*/*")]
    # A shim that gets this kills all that its container started, then ends.
    end_processes(_recorded(folders, "shim.json"), signal.SIGUSR2, SHIM_SECONDS)
    # Where a shim was killed, something of its container may still be there.
    mains = _recorded(folders, "running.json")
    members = [one for main in mains for one in session_members(main)]
    end_processes(members, signal.SIGKILL, 0.0)


def _recorded(folders: Iterable[Path], name: str) -> list[Identity]:
    found = (read_identity(folder / name) for folder in folders)
    return [one for one in found if one is not None]
