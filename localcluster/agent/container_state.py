"""What is known of a container now, as frozen records; it must not act."""

from dataclasses import dataclass

__all__ = ["ContainerSeen", "Running", "State", "Terminated", "Waiting", "crash_delay", "restarts"]


@dataclass(frozen=True)
class Waiting:
    """Not started, with a kubelet's reason."""

    reason: str
    message: str = ""


@dataclass(frozen=True)
class Running:
    """Its main process runs. Times are seconds since the epoch."""

    started_at: float


@dataclass(frozen=True)
class Terminated:
    """Its main process has ended, or was lost."""

    exit_code: int
    reason: str
    message: str = ""
    started_at: float | None = None
    finished_at: float | None = None


State = Waiting | Running | Terminated


@dataclass(frozen=True)
class ContainerSeen:
    """One container of a pod."""

    name: str
    image: str
    state: State
    last: Terminated | None = None
    restarts: int = 0
    initial: bool = False
    container_id: str = ""


def restarts(policy: str, ended: Terminated, *, initial: bool) -> bool:
    """Whether a kubelet would start this container again.

    Args:
        policy: the pod's restartPolicy.
        ended: how it ended.
        initial: it is an init container, for which Always means OnFailure.
    """
    if policy == "Never" or (initial and ended.exit_code == 0):
        return False
    return policy == "Always" or ended.exit_code != 0


def crash_delay(restarted: int) -> float:
    """How long a kubelet waits before it starts a crashed container again, in seconds.

    Args:
        restarted: how often it was started again already.
    """
    # At once, then 10 s, doubled up to 5 min (kubelet's MaxContainerBackOff).
    return 0.0 if restarted == 0 else min(10.0 * 2 ** (restarted - 1), 300.0)
