"""A pod's status as a kubelet would write it, computed from the states of its containers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from localcluster.agent.container_state import (
    ContainerState,
    ContainerStatus,
    Running,
    Terminated,
    Waiting,
    should_restart,
)

__all__ = [
    "ADDRESSES",
    "TERMINAL_PHASES",
    "lost_container",
    "pod_phase",
    "pod_status",
    "rfc3339",
    "without_timestamps",
]

TERMINAL_PHASES = frozenset({"Succeeded", "Failed"})
# There is no pod network: every pod has the loopback address.
ADDRESSES = {"podIP": "127.0.0.1", "hostIP": "127.0.0.1"}


def rfc3339(seconds: float | None) -> str | None:
    """Return a time in the format of the Kubernetes API: UTC, without fractions of a second.

    Args:
        seconds: Since the epoch.
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def lost_container(started_at: float | None = None, finished_at: float | None = None) -> Terminated:
    """Return the kubelet's state for a container whose end nobody has seen.

    Args:
        started_at: Seconds since the epoch; None for a container that never started.
        finished_at: When the loss was noticed.
    """
    return Terminated(
        137,
        "ContainerStatusUnknown",
        "The container could not be located when the pod was terminated",
        started_at,
        finished_at,
    )


def _state(state: ContainerState) -> dict[str, Any]:
    if isinstance(state, Waiting):
        waiting = {"reason": state.reason, "message": state.message}
        return {"waiting": {key: value for key, value in waiting.items() if value}}
    if isinstance(state, Running):
        return {"running": {"startedAt": rfc3339(state.started_at)}}
    terminated = {
        "exitCode": state.exit_code,
        "reason": state.reason,
        "message": state.message or None,
        "startedAt": rfc3339(state.started_at),
        "finishedAt": rfc3339(state.finished_at),
    }
    return {"terminated": {key: value for key, value in terminated.items() if value is not None}}


def _succeeded(state: ContainerState) -> bool:
    return isinstance(state, Terminated) and state.exit_code == 0


def _container_status(container: ContainerStatus) -> dict[str, Any]:
    running = isinstance(container.state, Running)
    return {
        "name": container.name,
        "image": container.image,
        "imageID": f"localcluster://{container.image}" if container.container_id else "",
        "containerID": container.container_id,
        "ready": _succeeded(container.state) if container.is_init else running,
        "started": running,
        "restartCount": container.restart_count,
        "state": _state(container.state),
        "lastState": _state(container.last_state) if container.last_state else {},
    }


def pod_phase(policy: str, containers: Sequence[ContainerStatus]) -> str:
    """Return a pod's phase by the rules of the kubelet's getPhase.

    Args:
        policy: The pod's restartPolicy.
        containers: All of them, including init containers.
    """
    main_containers = [container for container in containers if not container.is_init]
    for container in containers:
        if container.is_init and not _succeeded(container.state):
            failed = isinstance(container.state, Terminated)
            return "Failed" if failed and policy == "Never" else "Pending"
    if any(
        isinstance(container.state, Waiting) and container.last_state is None
        for container in main_containers
    ):
        return "Pending"
    ended = [
        container.state for container in main_containers if isinstance(container.state, Terminated)
    ]
    if len(ended) < len(main_containers) or any(
        should_restart(policy, state, is_init=False) for state in ended
    ):
        return "Running"
    return "Succeeded" if all(state.exit_code == 0 for state in ended) else "Failed"


def _conditions(
    phase: str,
    containers: Sequence[ContainerStatus],
    previous: Sequence[Mapping[str, Any]],
    now: float,
    *,
    sandbox: bool,
) -> list[dict[str, Any]]:
    unready = [
        container.name
        for container in containers
        if not container.is_init and not isinstance(container.state, Running)
    ]
    incomplete = [
        container.name
        for container in containers
        if container.is_init and not _succeeded(container.state)
    ]
    end_reason = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase)
    if end_reason:
        unready_fields: dict[str, Any] = {"reason": end_reason}
    elif unready:
        message = f"containers with unready status: [{' '.join(unready)}]"
        unready_fields = {"reason": "ContainersNotReady", "message": message}
    else:
        unready_fields = {}
    initialized_fields: dict[str, Any] = {}
    if phase == "Succeeded":
        incomplete, initialized_fields = [], {"reason": "PodCompleted"}
    elif incomplete:
        message = f"containers with incomplete status: [{' '.join(incomplete)}]"
        initialized_fields = {"reason": "ContainersNotInitialized", "message": message}
    ready = "False" if unready_fields else "True"
    conditions = [
        {"type": "PodReadyToStartContainers", "status": str(sandbox)},
        {"type": "Initialized", "status": str(not incomplete)} | initialized_fields,
        {"type": "Ready", "status": ready} | unready_fields,
        {"type": "ContainersReady", "status": ready} | unready_fields,
    ]
    previous_by_type = {condition["type"]: condition for condition in previous}
    for condition in conditions:
        old = previous_by_type.get(condition["type"], {})
        unchanged = old.get("status") == condition["status"]
        last_transition = old.get("lastTransitionTime") if unchanged else None
        condition["lastProbeTime"] = None
        condition["lastTransitionTime"] = last_transition or rfc3339(now)
        # A strategic merge patch keeps a field that is absent; null deletes it.
        condition.setdefault("reason", None)
        condition.setdefault("message", None)
    return conditions


def pod_status(
    pod: Mapping[str, Any],
    containers: Sequence[ContainerStatus],
    now: float,
    *,
    mounted: bool,
    failure: tuple[str, str] | None = None,
    stopped: bool = False,
    ending: bool = False,
) -> dict[str, Any]:
    """Return what to merge into a pod's status.

    It contains only the conditions of a kubelet, so those of other controllers stay.

    Args:
        pod: The latest version of the pod.
        containers: In the order of the spec, init containers first.
        now: Seconds since the epoch.
        mounted: Whether the volumes are written.
        failure: Reason and message of a pod that failed as a whole, such as DeadlineExceeded.
        stopped: Whether the pod was stopped, so that no container restarts.
        ending: Whether the last container has only just ended. As in a kubelet's status of that
            moment, the phase is then still the former one, and the pod is not ready.
    """
    policy = "Never" if stopped else pod["spec"].get("restartPolicy", "Always")
    phase = "Failed" if failure else pod_phase(policy, containers)
    previous = pod.get("status") or {}
    has_ended = phase in TERMINAL_PHASES and not ending
    status: dict[str, Any] = {
        "phase": previous.get("phase", "Pending") if ending else phase,
        "startTime": previous.get("startTime") or rfc3339(now),
        **ADDRESSES,
        "podIPs": [{"ip": ADDRESSES["podIP"]}],
        "hostIPs": [{"ip": ADDRESSES["hostIP"]}],
        "conditions": _conditions(
            phase,
            containers,
            previous.get("conditions") or [],
            now,
            sandbox=mounted and not has_ended,
        ),
        "containerStatuses": [
            _container_status(container) for container in containers if not container.is_init
        ],
    }
    if any(container.is_init for container in containers):
        status["initContainerStatuses"] = [
            _container_status(container) for container in containers if container.is_init
        ]
    if failure:
        status |= {"reason": failure[0], "message": failure[1]}
    return status


def without_timestamps(status: Mapping[str, Any]) -> dict[str, Any]:
    """Return a status without the fields that change with the clock alone.

    Two statuses that are equal without them need no update.

    Args:
        status: As returned by `pod_status`.
    """
    kept = {key: value for key, value in status.items() if key != "startTime"}
    kept["conditions"] = [
        {key: value for key, value in condition.items() if key != "lastTransitionTime"}
        for condition in status["conditions"]
    ]
    return kept
