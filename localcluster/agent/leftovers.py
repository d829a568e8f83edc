"""End the processes of pods whose agent is gone; it must not need an agent or an apiserver."""

import signal
from pathlib import Path

from localcluster.agent.process import read_identity
from localcluster.processes.ending import end_processes
from localcluster.processes.identity import Identity, is_alive, session_members

__all__ = ["end_leftovers"]


def end_leftovers(folder: Path) -> None:
    """Kill every container below a folder and wait until nothing of it runs.

    Args:
        folder: of one pod, or of all.
    """
    shims = _recorded(folder, "shim.json")
    mains = _recorded(folder, "running.json")
    # Before a main process dies, so that its session can still be told from a later one.
    members = [one for main in mains if is_alive(main) for one in session_members(main)]
    # A shim that gets this kills all that its container started, then ends.
    end_processes(shims, signal.SIGUSR2, 3.0)
    # Where a shim was killed, its container is still there.
    end_processes([*mains, *members], signal.SIGKILL, 0.0)


def _recorded(folder: Path, name: str) -> list[Identity]:
    found = (read_identity(path) for path in folder.glob(f"**/containers/*/*/{name}"))
    return [one for one in found if one is not None and is_alive(one)]
