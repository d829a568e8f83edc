"""Why pods do not start: the diagnosis, from pods, conditions and events.

It must not ask the cluster. A Job with pods that cannot start never fails by itself, so this is
what keeps a wait from lasting for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mrunners.kube.objects import Event, Job, Pod
from mrunners.plan.plan import RunPlan
from mrunners.status.run_state import RunState

__all__ = ["Unstarted", "describe", "unstarted_pods"]

# What to do, by the waiting reason or the event's reason that a kubelet or controller gives.
_ADVICE = {
    "ErrImagePull": "check --runner-image",
    "ImagePullBackOff": "check --runner-image",
    "ErrImageNeverPull": "load the image onto the nodes, or change its pull policy",
    "InvalidImageName": "mend --runner-image",
    "CreateContainerConfigError": "see kubectl describe pod",
    "CreateContainerError": "see kubectl describe pod",
    "RunContainerError": "see kubectl describe pod",
    "FailedMount": "see that the ConfigMap and the volumes are there",
    "FailedCreate": "see quotas, limits, Pod Security and the ServiceAccount of the namespace",
    "Unschedulable": "add nodes, free resources, or relax --spread",
}

# No later attempt can mend these.
_HOPELESS = frozenset({"InvalidImageName"})

# What every pod passes through on its way.
_ON_THE_WAY = frozenset({"", "ContainerCreating", "PodInitializing"})

_MESSAGE_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Unstarted:
    """One planned pod whose container has not started.

    Attributes:
        job: the Job's name.
        index: the completion index.
        pod, node: None while there is none.
        reason: such as ErrImagePull; empty while nothing is known to be wrong.
        message: the cluster's own words, shortened.
        overdue: it will not be waited for any longer.
    """

    job: str
    index: int
    pod: str | None
    node: str | None
    reason: str
    message: str
    overdue: bool


def unstarted_pods(
    plan: RunPlan,
    state: RunState,
    pods: Iterable[Pod],
    warnings: Iterable[Event],
    now: datetime,
) -> list[Unstarted]:
    """The planned pods of existing, unfinished Jobs that have not started.

    Args:
        plan: for the start timeout.
        state: the run; suspended Jobs wait on purpose and are left out.
        pods: all pods of the run.
        warnings: the warning events of the namespace.
        now: the API server's clock, which made the objects' times too.
    Returns: in plan order, by index.
    """
    by_place = {(pod.job_uid, pod.index): pod for pod in pods if not pod.deleting}
    by_uid = {event.about_uid: event for event in warnings}
    found = []
    for job in state.jobs:
        seen = job.actual
        if seen is None or seen.suspended or seen.finished is not None:
            continue
        ended = {*seen.succeeded, *seen.failed}
        for index in range(job.planned.pod_count):
            pod = by_place.get((seen.uid, index))
            if index in ended or (pod is not None and (pod.ended or pod.started is not None)):
                continue
            reason, message = _why_no_pod(seen, by_uid) if pod is None else _why(pod, by_uid)
            since = (seen.started or seen.created) if pod is None else pod.created
            late = (now - since).total_seconds() > plan.start_timeout_seconds
            found.append(
                Unstarted(
                    job=job.planned.name,
                    index=index,
                    pod=None if pod is None else pod.name,
                    node=None if pod is None else pod.node,
                    reason=reason,
                    message=_shortened(message),
                    overdue=late or reason in _HOPELESS,
                )
            )
    return found


def _shortened(message: str) -> str:
    """On one line, and not longer than people read; one that was cut says so."""
    text = " ".join(message.split())
    return text if len(text) <= _MESSAGE_LIMIT else f"{text[: _MESSAGE_LIMIT - 2].rstrip()} …"


def describe(state: RunState, unstarted: Sequence[Unstarted]) -> list[str]:
    """One line per Job and reason, for people; nothing for pods that are merely on their way.

    Such as: `job mrunners-1: 2 of 10 pods cannot start: ErrImagePull … on node-3; check
    --runner-image`.
    """
    groups: dict[tuple[str, str], list[Unstarted]] = {}
    for pod in unstarted:
        if pod.reason or pod.overdue:
            groups.setdefault((pod.job, pod.reason), []).append(pod)
    numbers = {job.planned.name: job.planned.pod_count for job in state.jobs}
    return [_line(job, reason, group, numbers[job]) for (job, reason), group in groups.items()]


def _why(pod: Pod, warnings: Mapping[str, Event]) -> tuple[str, str]:
    if pod.waiting not in _ON_THE_WAY:
        return pod.waiting, pod.waiting_message
    if pod.unschedulable:
        return "Unschedulable", pod.unschedulable
    event = warnings.get(pod.uid)
    return ("", "") if event is None else (event.reason, event.message)


def _why_no_pod(job: Job, warnings: Mapping[str, Event]) -> tuple[str, str]:
    # Quota, LimitRange and Pod Security show nowhere but in an event about the Job.
    event = warnings.get(job.uid)
    return ("", "") if event is None else (event.reason, event.message)


def _line(job: str, reason: str, group: Sequence[Unstarted], numbers: int) -> str:
    nodes = sorted({pod.node for pod in group if pod.node is not None})
    where = f" on {', '.join(nodes[:3])}{', …' if len(nodes) > 3 else ''}" if nodes else ""
    message = next((pod.message for pod in group if pod.message), "")
    late = "did not start in time" if all(pod.overdue for pod in group) else "cannot start"
    what = ": ".join(filter(None, (reason, message))) or "no reason is known"
    advice = _ADVICE.get(reason, "see kubectl describe pod")
    return f"job {job}: {len(group)} of {numbers} pods {late}: {what}{where}; {advice}"
