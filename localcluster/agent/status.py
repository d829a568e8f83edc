"""A pod's status as a kubelet would write it, from what was seen; it must not send it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from localcluster.agent.container_state import ContainerSeen, Running, Terminated, Waiting, restarts

__all__ = [
    "ADDRESSES",
    "essence",
    "lost",
    "never_started",
    "pod_phase",
    "pod_status",
    "rfc3339",
]

# No pod network: every pod has the loopback address.
ADDRESSES = {"podIP": "127.0.0.1", "hostIP": "127.0.0.1"}


def rfc3339(seconds: float | None) -> str | None:
    """A time as the API writes it, whole seconds in UTC.

    Args:
        seconds: since the epoch.
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def lost(started_at: float | None, now: float) -> Terminated:
    """A container whose process is gone without a trace, in the kubelet's words.

    Args:
        started_at: when it was started, where that is known.
        now: seconds since the epoch.
    """
    return Terminated(
        137,
        "ContainerStatusUnknown",
        "The container could not be located when the pod was terminated",
        started_at,
        now,
    )


def never_started() -> Terminated:
    """A container that was stopped before it began."""
    return Terminated(
        137,
        "ContainerStatusUnknown",
        "The container could not be located when the pod was terminated",
    )


def _state(state: Waiting | Running | Terminated) -> dict[str, Any]:
    if isinstance(state, Waiting):
        waiting = {"reason": state.reason, "message": state.message}
        return {"waiting": {key: value for key, value in waiting.items() if value}}
    if isinstance(state, Running):
        return {"running": {"startedAt": rfc3339(state.started_at)}}
    ended = {
        "exitCode": state.exit_code,
        "reason": state.reason,
        "message": state.message or None,
        "startedAt": rfc3339(state.started_at),
        "finishedAt": rfc3339(state.finished_at),
    }
    return {"terminated": {key: value for key, value in ended.items() if value is not None}}


def _container(seen: ContainerSeen) -> dict[str, Any]:
    running = isinstance(seen.state, Running)
    done = isinstance(seen.state, Terminated) and seen.state.exit_code == 0
    return {
        "name": seen.name,
        "image": seen.image,
        "imageID": f"localcluster://{seen.image}" if seen.container_id else "",
        "containerID": seen.container_id,
        "ready": done if seen.initial else running,
        "started": running,
        "restartCount": seen.restarts,
        "state": _state(seen.state),
        "lastState": _state(seen.last) if seen.last else {},
    }


def pod_phase(policy: str, containers: Sequence[ContainerSeen]) -> str:
    """The kubelet's getPhase.

    Args:
        policy: the pod's restartPolicy.
        containers: all of them, init containers too.
    """
    first = [one for one in containers if one.initial]
    main = [one for one in containers if not one.initial]
    for one in first:
        if isinstance(one.state, Terminated) and one.state.exit_code == 0:
            continue
        failed = isinstance(one.state, Terminated)
        return "Failed" if failed and policy == "Never" else "Pending"
    if any(isinstance(one.state, Waiting) and one.last is None for one in main):
        return "Pending"
    ended = [one.state for one in main if isinstance(one.state, Terminated)]
    if len(ended) < len(main) or any(restarts(policy, one, initial=False) for one in ended):
        return "Running"
    return "Succeeded" if all(one.exit_code == 0 for one in ended) else "Failed"


def _conditions(
    phase: str,
    containers: Sequence[ContainerSeen],
    known: Sequence[Mapping[str, Any]],
    now: float,
    *,
    mounted: bool,
) -> list[dict[str, Any]]:
    main = [one for one in containers if not one.initial]
    unready = [one.name for one in main if not isinstance(one.state, Running)]
    waiting = [
        one.name
        for one in containers
        if one.initial and not (isinstance(one.state, Terminated) and one.state.exit_code == 0)
    ]
    over = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase)
    if over:
        why: dict[str, Any] = {"reason": over}
    elif unready:
        text = f"containers with unready status: [{' '.join(unready)}]"
        why = {"reason": "ContainersNotReady", "message": text}
    else:
        why = {}
    initialized: dict[str, Any] = {}
    if phase == "Succeeded":
        waiting, initialized = [], {"reason": "PodCompleted"}
    elif waiting:
        text = f"containers with incomplete status: [{' '.join(waiting)}]"
        initialized = {"reason": "ContainersNotInitialized", "message": text}
    ready = "False" if why else "True"
    written = [
        {"type": "PodReadyToStartContainers", "status": str(mounted and not over)},
        {"type": "Initialized", "status": str(not waiting)} | initialized,
        {"type": "Ready", "status": ready} | why,
        {"type": "ContainersReady", "status": ready} | why,
    ]
    before = {one["type"]: one for one in known}
    for condition in written:
        same = before.get(condition["type"], {})
        since = (
            same.get("lastTransitionTime") if same.get("status") == condition["status"] else None
        )
        condition["lastProbeTime"] = None
        condition["lastTransitionTime"] = since or rfc3339(now)
        # A strategic merge keeps what is not named: say that it is gone.
        condition.setdefault("reason", None)
        condition.setdefault("message", None)
    return written


def pod_status(
    pod: Mapping[str, Any],
    containers: Sequence[ContainerSeen],
    now: float,
    *,
    mounted: bool,
    failure: tuple[str, str] | None = None,
    stopped: bool = False,
) -> dict[str, Any]:
    """What to merge into the pod's status; conditions of others are not in it and so stay.

    Args:
        pod: as last seen.
        containers: in the order of the spec, init containers first.
        now: seconds since the epoch.
        mounted: its volumes are there.
        failure: reason and message of a pod that failed as a whole, such as DeadlineExceeded.
        stopped: it was stopped, so nothing starts again whatever its restartPolicy.
    """
    policy = "Never" if stopped else pod["spec"].get("restartPolicy", "Always")
    phase = "Failed" if failure else pod_phase(policy, containers)
    known = pod.get("status") or {}
    status: dict[str, Any] = {
        "phase": phase,
        "startTime": known.get("startTime") or rfc3339(now),
        **ADDRESSES,
        "podIPs": [{"ip": ADDRESSES["podIP"]}],
        "hostIPs": [{"ip": ADDRESSES["hostIP"]}],
        "conditions": _conditions(
            phase, containers, known.get("conditions") or [], now, mounted=mounted
        ),
        "containerStatuses": [_container(one) for one in containers if not one.initial],
    }
    if any(one.initial for one in containers):
        status["initContainerStatuses"] = [_container(one) for one in containers if one.initial]
    if failure:
        status |= {"reason": failure[0], "message": failure[1]}
    return status


def essence(status: Mapping[str, Any]) -> dict[str, Any]:
    """A status without what the clock alone changes, to see whether it has to be sent.

    Args:
        status: as `pod_status` made it.
    """
    kept = {key: value for key, value in status.items() if key != "startTime"}
    kept["conditions"] = [
        {key: value for key, value in one.items() if key != "lastTransitionTime"}
        for one in status["conditions"]
    ]
    return kept
