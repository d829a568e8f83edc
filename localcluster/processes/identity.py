"""Who a process is: its pid together with its start time; it must not send signals.

A pid alone is given out again after a while, and after a reboot at once.
"""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Identity", "identity_of", "is_alive", "processes_within", "session_members"]

PROC = Path("/proc")


@dataclass(frozen=True)
class Identity:
    """One process, once in the life of this machine's boot."""

    pid: int
    # Clock ticks since boot, field 22 of /proc/PID/stat (proc(5)), and the boot it counts from.
    started_ticks: int
    boot: str


def _boot() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def identity_of(pid: int) -> Identity | None:
    """The process that has this pid now.

    Args:
        pid: any number.
    Returns: None when there is none, or only its zombie.
    """
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field, the program's name, may hold blanks and brackets; it ends at the last one.
    fields = text.rpartition(")")[2].split()
    if fields[0] in {"Z", "X"}:
        return None
    return Identity(pid=pid, started_ticks=int(fields[19]), boot=_boot())


def is_alive(identity: Identity) -> bool:
    """Whether this very process still runs.

    Args:
        identity: as recorded when it was started.
    """
    return identity_of(identity.pid) == identity


def processes_within(folder: Path, programs: Path) -> list[Identity]:
    """Processes that work inside our private folder and run one of our own binaries.

    This finds what was started in the moment before a crash could record it.

    Args:
        folder: a cluster's state folder; nobody else's processes have it as working directory.
        programs: the folder of the built binaries.
    """
    found = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            place = _target(entry / "cwd")
            program = _target(entry / "exe")
        except OSError:
            continue  # ended meanwhile, or another user's
        identity = identity_of(int(entry.name))
        if identity and place.is_relative_to(folder) and program.is_relative_to(programs):
            found.append(identity)
    return found


def _target(link: Path) -> Path:
    return Path(str(link.readlink()).removesuffix(" (deleted)"))


def session_members(leader: Identity) -> list[Identity]:
    """The processes of the session that this process leads or led.

    Args:
        leader: a process that has called setsid, as recorded then.
    """
    holder = identity_of(leader.pid)
    # While a session has members, its leader's pid is not given out again (credentials(7)); so a
    # stranger with that pid means that the session is gone.
    if leader.boot != _boot() or (holder is not None and holder != leader):
        return []
    found = []
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
            found.append(identity)
    return found
