"""The state of a container, as records in the terms of the Kubernetes API."""

from dataclasses import dataclass

__all__ = [
    "ContainerState",
    "ContainerStatus",
    "Running",
    "Terminated",
    "Waiting",
    "crash_backoff",
    "should_restart",
]


@dataclass(frozen=True)
class Waiting:
    """The container has not started; the reasons are those of the kubelet."""

    reason: str
    message: str = ""


@dataclass(frozen=True)
class Running:
    """The main process runs. Times are seconds since the epoch."""

    started_at: float


@dataclass(frozen=True)
class Terminated:
    """The main process has ended or was lost."""

    exit_code: int
    reason: str
    message: str = ""
    started_at: float | None = None
    finished_at: float | None = None


ContainerState = Waiting | Running | Terminated


@dataclass(frozen=True)
class ContainerStatus:
    """Everything that a pod's status says about one container.

    Attributes:
        name: The name of the container.
        image: The image as in the pod's spec.
        state: The current state.
        last_state: How the previous start ended.
        restart_count: How often it was restarted.
        is_init: Whether it is an init container.
        container_id: Empty before the first start.
    """

    name: str
    image: str
    state: ContainerState
    last_state: Terminated | None = None
    restart_count: int = 0
    is_init: bool = False
    container_id: str = ""


def should_restart(policy: str, state: Terminated, *, is_init: bool) -> bool:
    """Return whether the kubelet would restart a container.

    Args:
        policy: The pod's restartPolicy.
        state: How the container ended.
        is_init: Whether it is an init container, for which Always means OnFailure.
    """
    if policy == "Never" or (is_init and state.exit_code == 0):
        return False
    return policy == "Always" or state.exit_code != 0


def crash_backoff(restart_count: int) -> float:
    """Return how many seconds the kubelet waits before it restarts a crashed container.

    Args:
        restart_count: How often it was restarted before.
    """
    # None at first, then 10 s, doubled up to 5 min (the kubelet's MaxContainerBackOff).
    return 0.0 if restart_count == 0 else min(10.0 * 2 ** (restart_count - 1), 300.0)
