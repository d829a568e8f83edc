"""Diagnoses why pods do not start, from pods, conditions and events.

A Job whose pods cannot start never fails on its own. Without a diagnosis and a start timeout, a
wait for it would never end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mrunners.hints import advice
from mrunners.kube.objects import Event, Job, Pod
from mrunners.plan.plan import RunPlan
from mrunners.status.pod_remedies import remedies, remedy_of_end
from mrunners.status.run_state import JobState, RunState
from mrunners.status.start_deadline import start_deadline
from mrunners.text import listed, printable

__all__ = [
    "CANNOT_START",
    "DiagnosisCategory",
    "PodDiagnosis",
    "diagnose_pods",
    "diagnosis_lines",
    "without_names",
]


class DiagnosisCategory(StrEnum):
    """What keeps a pod from starting, for programs."""

    STARTING = "starting"
    """Nothing is known to be wrong."""

    CREATION = "creation"
    """The pod is refused: quota, LimitRange, Pod Security or ServiceAccount."""

    SCHEDULING = "scheduling"
    """No node fits."""

    VOLUME = "volume"
    """A volume, or the ConfigMap behind it, cannot be mounted."""

    IMAGE = "image"
    """The image cannot be pulled."""

    CONFIGURATION = "configuration"
    """The container cannot be created as the Job specifies it."""

    OTHER = "other"


_CHECK_IMAGE = (DiagnosisCategory.IMAGE, "check the runner image")
_CHECK_CONTAINER = (DiagnosisCategory.CONFIGURATION, None)
_CHECK_VOLUMES = (DiagnosisCategory.VOLUME, "check that the ConfigMap and the volumes exist")
_CHECK_NODES = (DiagnosisCategory.SCHEDULING, "add nodes, free resources, or relax the spread")

# The category and the resolution, by the reason that a kubelet, the scheduler or a controller
# gives for a waiting container, a condition or an event. Without a resolution, `kubectl describe`
# is the next thing to look at.
_BY_REASON: Mapping[str, tuple[DiagnosisCategory, str | None]] = {
    "": (DiagnosisCategory.STARTING, None),
    "ErrImagePull": _CHECK_IMAGE,
    "ImagePullBackOff": _CHECK_IMAGE,
    "ErrImageNeverPull": (
        DiagnosisCategory.IMAGE,
        "load the image onto the nodes, or change its pull policy",
    ),
    "InvalidImageName": (DiagnosisCategory.IMAGE, "fix the runner image"),
    "CreateContainerConfigError": _CHECK_CONTAINER,
    "CreateContainerError": _CHECK_CONTAINER,
    "RunContainerError": _CHECK_CONTAINER,
    "StartError": _CHECK_CONTAINER,
    "FailedMount": _CHECK_VOLUMES,
    "FailedAttachVolume": _CHECK_VOLUMES,
    "FailedCreate": (
        DiagnosisCategory.CREATION,
        "check the namespace's quotas, limits, Pod Security level and ServiceAccount",
    ),
    "Unschedulable": _CHECK_NODES,
    "FailedScheduling": _CHECK_NODES,
}
_BY_OTHER_REASON = (DiagnosisCategory.OTHER, None)

# The kubelet never gets past these, however often it retries.
_PERMANENT_REASONS = frozenset({"InvalidImageName"})

# Their messages name one cause.
_REFUSALS = frozenset({"FailedCreate", "ErrImageNeverPull"})

# Waiting reasons that every pod goes through.
_NORMAL_WAITING_REASONS = frozenset({"", "ContainerCreating", "PodInitializing"})

# The random end of a pod's name, hashes as in the names of sandboxes, and numbers.
_CHANGING = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b|\b[0-9a-f]{8,}\b|\d+")

# The scheduler's message names a count for each reason why nodes do not fit, and a kubelet's
# quotes the whole answer of a registry.
_DETAIL_LIMIT = 500

CANNOT_START = "cannot start"


@dataclass(frozen=True, slots=True)
class PodDiagnosis:
    """Why one planned pod has not started.

    Attributes:
        job: The Job's name.
        index: The completion index.
        pod: The pod's name; None while it does not exist.
        node: The node that it is bound to; None while there is none.
        category: What keeps it, for programs.
        reason: The cluster's word for it, such as ErrImagePull; empty while nothing is known to
            be wrong.
        detail: The cluster's message on one line, shortened; it may be empty.
        resolution: What to do, as the end of a sentence.
        overdue: Whether it is not waited for any longer.
    """

    job: str
    index: int
    pod: str | None
    node: str | None
    category: DiagnosisCategory
    reason: str
    detail: str
    resolution: str
    overdue: bool

    @property
    def permanent(self) -> bool:
        """Whether it would not start however long one waited."""
        return self.reason in _PERMANENT_REASONS

    @property
    def summary(self) -> str:
        """What is wrong, in a word or a few."""
        return self.reason or "no reason known"


def diagnose_pods(
    plan: RunPlan,
    state: RunState,
    pods: Iterable[Pod],
    warnings: Iterable[Event],
    now: datetime,
) -> list[PodDiagnosis]:
    """Diagnose the planned pods that have not started, of existing and unfinished Jobs.

    Args:
        plan: The run's plan, for its start timeout.
        state: The run; the pods of suspended Jobs are left out, because they wait on purpose.
        pods: All pods of the run.
        warnings: The warning events of the namespace.
        now: The time by the API server's clock, which the objects' times come from too.

    Returns:
        One diagnosis per pod, in plan order; of each Job first the pods that were given up, and
        those of finished Jobs too.
    """
    # A pod that is being deleted may have started: it is another matter why it does not end.
    pod_by_index = {
        (pod.job_uid, pod.index): pod
        for pod in sorted(pods, key=lambda pod: (pod.started is not None, not pod.deleting))
    }
    warning_by_uid = {event.about_uid: event for event in warnings}
    diagnoses = []
    for job_state in state.jobs:
        job = job_state.actual
        if job is None:
            continue
        diagnoses += _given_up(plan.namespace, job_state, job, pod_by_index)
        if job.suspended or job.finished is not None:
            continue
        late = now > start_deadline(plan, job)
        skipped = job_state.counted | job_state.given_up
        for index in range(job_state.planned.pod_count):
            pod = pod_by_index.get((job.uid, index))
            if index in skipped or (pod is not None and (pod.ended or pod.started is not None)):
                continue
            reason, message = _cause(job, pod, warning_by_uid)
            diagnoses.append(
                PodDiagnosis(
                    job=job_state.planned.name,
                    index=index,
                    pod=None if pod is None else pod.name,
                    node=None if pod is None else pod.node,
                    category=_BY_REASON.get(reason, _BY_OTHER_REASON)[0],
                    reason=reason,
                    detail=printable(" ".join(message.split()), _DETAIL_LIMIT),
                    resolution=_resolution(reason, message) or _describe(plan.namespace, job, pod),
                    overdue=late or reason in _PERMANENT_REASONS,
                )
            )
    return diagnoses


def diagnosis_lines(
    state: RunState, diagnoses: Iterable[PodDiagnosis]
) -> dict[tuple[str, ...], str]:
    """Return one line per Job and reason, leaving out pods that start normally.

    The lines are by what makes them different to a reader: two that differ only in the names of
    pods or nodes, in numbers or in the count of pods have the same key.

    A line reads: `job mrunners-1: 2 of 10 pods on node-3 cannot start: ErrImagePull: …; check the
    runner image`. Its key is the Job, the reason, `CANNOT_START` or other words, and the detail.
    """
    groups: dict[tuple[str, str], list[PodDiagnosis]] = {}
    for diagnosis in diagnoses:
        if diagnosis.reason or diagnosis.overdue:
            groups.setdefault((diagnosis.job, diagnosis.reason), []).append(diagnosis)
    jobs = {job.planned.name: job for job in state.jobs}
    lines: dict[tuple[str, ...], str] = {}
    for (job, reason), group in groups.items():
        verb, detail = _verb(group), _detail(group)
        lines[job, reason, verb, without_names(detail)] = _line(jobs[job], group, verb, detail)
    return lines


def without_names(text: str) -> str:
    """Return a message of the cluster without what differs each time it says the same."""
    return _CHANGING.sub("#", text)


def _cause(job: Job, pod: Pod | None, warnings: Mapping[str, Event]) -> tuple[str, str]:
    """Return the reason and the message; both are empty while nothing is known to be wrong."""
    if pod is None:
        # Quota, LimitRange and Pod Security show up only in an event about the Job.
        event = warnings.get(job.uid)
    else:
        if pod.waiting not in _NORMAL_WAITING_REASONS:
            return pod.waiting, pod.waiting_message
        if pod.unschedulable:
            return "Unschedulable", pod.unschedulable
        event = warnings.get(pod.uid)
    return ("", "") if event is None else (event.reason, event.message)


def _resolution(reason: str, message: str) -> str | None:
    """Return what to do; None where nothing better is known than to look at the pod."""
    resolution = _BY_REASON.get(reason, _BY_OTHER_REASON)[1] or remedy_of_end(reason, message)
    helping = advice(remedies(reason, message))
    if not helping or reason in _REFUSALS:
        return helping or resolution or None
    return f"{resolution}, or {helping}" if resolution else helping


def _describe(namespace: str, job: Job, pod: Pod | None) -> str:
    target = f"job/{job.name}" if pod is None else f"pod/{pod.name}"
    return f"see: kubectl describe --namespace {namespace} {target}"


def _given_up(
    namespace: str,
    state: JobState,
    job: Job,
    pods: Mapping[tuple[str | None, int | None], Pod],
) -> list[PodDiagnosis]:
    """Return the diagnoses of pods that a wait has given up; they are as it found them then."""
    left = state.given_up
    return [
        PodDiagnosis(
            job=job.name,
            index=index,
            pod=None if (pod := pods.get((job.uid, index))) is None else pod.name,
            node=None if pod is None else pod.node,
            category=_BY_REASON.get(group.reason, _BY_OTHER_REASON)[0],
            reason=group.reason,
            detail=printable(group.detail, _DETAIL_LIMIT),
            resolution=_resolution(group.reason, group.detail) or _describe(namespace, job, pod),
            overdue=True,
        )
        for group in job.given_up
        for index in group.indexes
        if index in left and index < state.planned.pod_count
    ]


def _verb(group: Sequence[PodDiagnosis]) -> str:
    return "did not start in time" if all(d.overdue for d in group) else CANNOT_START


def _detail(group: Sequence[PodDiagnosis]) -> str:
    return next((f": {diagnosis.detail}" for diagnosis in group if diagnosis.detail), "")


def _line(job: JobState, group: Sequence[PodDiagnosis], verb: str, detail: str) -> str:
    first = group[0]
    nodes = sorted({diagnosis.node for diagnosis in group if diagnosis.node is not None})
    where = f" on {listed(nodes)}" if nodes else ""
    counted = f"{len(group)} of {job.planned.pod_count} pods{where}"
    why = f"{first.summary}{detail}; {first.resolution}"
    return f"job.batch/{job.planned.name}: {counted} {verb}: {why}"
