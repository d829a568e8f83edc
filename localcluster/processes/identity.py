"""Identify a process by its pid and its start time.

The kernel reuses a pid after a while, and after a reboot at once.
"""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Identity", "identity_of", "is_alive", "processes_within", "session_members"]

PROC = Path("/proc")


@dataclass(frozen=True)
class Identity:
    """One process, unique across reboots of this machine."""

    pid: int
    # In clock ticks since boot: field 22 of /proc/PID/stat, see proc(5).
    started_ticks: int
    # The ID of the boot that `started_ticks` counts from.
    boot: str


def _boot() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def identity_of(pid: int) -> Identity | None:
    """Return the process that has this pid now.

    Returns:
        None when there is none, or only a zombie.
    """
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field, the program's name, may contain spaces and parentheses; it ends at the last
    # parenthesis.
    fields = text.rpartition(")")[2].split()
    if fields[0] in {"Z", "X"}:
        return None
    return Identity(pid=pid, started_ticks=int(fields[19]), boot=_boot())


def is_alive(identity: Identity) -> bool:
    """Return whether this process still runs.

    Args:
        identity: As recorded when the process was started.
    """
    return identity_of(identity.pid) == identity


def processes_within(folder: Path, bin_folder: Path) -> list[Identity]:
    """Find the processes that run one of the built binaries in a cluster's folder.

    This finds what was started just before a crash, too late to be recorded.

    Args:
        folder: A cluster's state folder; no other process has it as its working directory.
        bin_folder: The built binaries.
    """
    processes = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            working_folder = _target(entry / "cwd")
            program = _target(entry / "exe")
        except OSError:
            continue  # it has ended, or belongs to another user
        identity = identity_of(int(entry.name))
        if (
            identity
            and working_folder.is_relative_to(folder)
            and program.is_relative_to(bin_folder)
        ):
            processes.append(identity)
    return processes


def _target(link: Path) -> Path:
    return Path(str(link.readlink()).removesuffix(" (deleted)"))


def session_members(leader: Identity) -> list[Identity]:
    """Return the processes of the session that this process leads or led.

    Args:
        leader: A process that had called setsid when it was recorded.
    """
    current = identity_of(leader.pid)
    # The kernel does not reuse the leader's pid while the session has members (credentials(7)). So
    # if another process has that pid, the session has ended.
    if leader.boot != _boot() or (current is not None and current != leader):
        return []
    processes = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # Field 6 of /proc/PID/stat.
            session = int((entry / "stat").read_text().rpartition(")")[2].split()[3])
        except (OSError, IndexError):
            continue
        identity = identity_of(int(entry.name)) if session == leader.pid else None
        if identity:
            processes.append(identity)
    return processes
