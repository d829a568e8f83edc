"""Finds pods that neither run their load nor let their Job finish, and says what holds them.

A Job waits for such pods, for ever if need be: those whose runner container has ended beside an
injected one that runs on, and those on nodes that do not answer or do not end them. Nobody else
waits for them, nor for pods that started too late, nor for a Job that has counted all of its pods
and has nobody who finishes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mrunners.kube.objects import Job, Pod
from mrunners.plan.plan import RunPlan
from mrunners.status.run_state import JobState, RunState
from mrunners.status.start_deadline import late_start
from mrunners.text import listed

__all__ = ["HeldPod", "PodHold", "held_pod_lines", "held_pods"]

# After its last container a kubelet needs 1 to 2 s to end the pod (measured), and the Job
# controller a second to count it; a well-behaved sidecar needs longer. All have the same patience:
# with several, a pod that is not waited for any longer would be waited for again as soon as its
# kubelet or the controller has taken a step.
END_PATIENCE = timedelta(seconds=30)

# A kubelet ends a pod within its grace period, and reports that at once.
DELETION_PATIENCE = timedelta(seconds=30)

# Kubernetes deletes the pods of a silent node after 5 minutes, but not if all nodes are silent.
NODE_PATIENCE = timedelta(seconds=600)


class PodHold(StrEnum):
    """What holds a pod."""

    CONTAINER = "container"
    """Its runner container has ended, and another container runs on."""

    CONTROLLER = "controller"
    """It has ended, and the Job controller has not counted it, or has counted all and stopped."""

    KUBELET = "kubelet"
    """Its containers have ended, and its node has not ended the pod."""

    NODE = "node"
    """Its node does not answer, so it is unknown whether its runner still runs."""

    LATE = "late"
    """It started after the start timeout, so its report is not merged."""


@dataclass(frozen=True, slots=True)
class HeldPod:
    """One pod that has started, and whose Job has not finished for that reason.

    Attributes:
        job: The Job's name.
        index: The completion index.
        pod: The pod's name; empty when it does not exist any more.
        node: Its node.
        hold: What holds it, for programs.
        detail: What holds it, in words.
        succeeded: Whether its runner container ended without an error.
        exit_code: The exit code of its runner container; None while it has not ended.
        settled: Whether it is not waited for any longer.
        counted: Whether its Job has counted it, and all others, and has not finished all the same.
    """

    job: str
    index: int
    pod: str
    node: str | None
    hold: PodHold
    detail: str
    succeeded: bool
    exit_code: int | None
    settled: bool
    counted: bool = False

    @property
    def lost(self) -> bool:
        """Whether it is not known to have ended, and not waited for any longer."""
        return self.hold is PodHold.NODE and self.settled

    @property
    def failed(self) -> bool:
        """Whether it has no success to show, although it is not waited for any longer.

        A pod that its Job has counted as failed is told of with the Job.
        """
        return self.settled and not self.succeeded and not self.counted


def held_pods(plan: RunPlan, state: RunState, pods: Iterable[Pod], now: datetime) -> list[HeldPod]:
    """Return the held pods of existing and unfinished Jobs, in plan order and by index.

    Args:
        plan: The plan of the run, for its start timeout.
        state: The run.
        pods: All pods of the run.
        now: The time by the API server's clock.
    """
    by_index: dict[tuple[str | None, int | None], Pod] = {}
    for pod in sorted(pods, key=lambda pod: (pod.ended, pod.deleting, pod.created)):
        by_index.setdefault((pod.job_uid, pod.index), pod)
    held = []
    for job in state.jobs:
        if job.actual is None or job.phase.finished:
            continue
        for index in sorted(set(range(job.planned.pod_count)) - job.counted):
            found = by_index.get((job.actual.uid, index))
            if found is None:
                continue
            if (hold := _hold(plan, job.actual, found, now)) is not None:
                held.append(_held_pod(job.actual, index, found, *hold))
        held += _counted_pods(job, job.actual, by_index, now)
    return held


def held_pod_lines(state: RunState, held: Iterable[HeldPod]) -> dict[tuple[str, ...], str]:
    """Return one line per Job and hold, by what makes it a different line."""
    groups: dict[tuple[str, ...], list[HeldPod]] = {}
    for pod in held:
        what = "" if pod.hold is PodHold.LATE else pod.detail
        key = (pod.job, pod.hold.value, what, str(pod.failed))
        groups.setdefault(key, []).append(pod)
    counts = {job.planned.name: job.planned.pod_count for job in state.jobs}
    return {key: _line(group, counts[key[0]]) for key, group in groups.items()}


def _hold(plan: RunPlan, job: Job, pod: Pod, now: datetime) -> tuple[str, bool, PodHold] | None:
    """Return what holds a pod, and whether it is not waited for any longer."""
    if pod.ended:
        return _after_the_end(pod, now)
    if late := late_start(plan, job, pod.index, pod.started):
        return late, True, PodHold.LATE
    return _on_silent_node(plan, pod, now)


def _held_pod(job: Job, index: int, pod: Pod, detail: str, settled: bool, hold: PodHold) -> HeldPod:
    return HeldPod(
        job=job.name,
        index=index,
        pod=pod.name,
        node=pod.node,
        hold=hold,
        detail=detail,
        succeeded=pod.ended and pod.succeeded,
        exit_code=pod.exit_code,
        settled=settled,
    )


def _counted_pods(
    state: JobState,
    job: Job,
    by_index: Mapping[tuple[str | None, int | None], Pod],
    now: datetime,
) -> Iterator[HeldPod]:
    """Yield the pods of a Job that has counted all of them, and that nobody has finished since."""
    indexes = range(state.planned.pod_count)
    if not state.counted.issuperset(indexes):
        return
    pods = {index: pod for index in indexes if (pod := by_index.get((job.uid, index))) is not None}
    ends = (pod.finished or pod.created for pod in pods.values())
    if now - max([job.started or job.created, *ends]) <= END_PATIENCE:
        return
    succeeded = frozenset(job.succeeded)
    for index in sorted(state.counted.intersection(indexes) - state.given_up):
        pod = pods.get(index)
        yield HeldPod(
            job=job.name,
            index=index,
            pod="" if pod is None else pod.name,
            node=None if pod is None else pod.node,
            hold=PodHold.CONTROLLER,
            detail="the Job controller has counted them and done nothing since",
            succeeded=index in succeeded,
            exit_code=None if pod is None else pod.exit_code,
            settled=True,
            counted=True,
        )


def _after_the_end(pod: Pod, now: datetime) -> tuple[str, bool, PodHold] | None:
    over = now - (pod.finished or pod.created) > END_PATIENCE
    if not pod.final and pod.other_containers:
        names = listed(sorted(pod.other_containers))
        one = len(pod.other_containers) == 1
        noun, verb = ("container", "runs") if one else ("containers", "run")
        return f"{noun} {names} still {verb}", over, PodHold.CONTAINER
    if not over:
        return None
    if pod.final:
        return "the Job controller has not counted them", True, PodHold.CONTROLLER
    # The node may have died between the end of the container and that of the pod.
    return f"node {pod.node} has not reported their final phase", True, PodHold.KUBELET


def _on_silent_node(plan: RunPlan, pod: Pod, now: datetime) -> tuple[str, bool, PodHold] | None:
    if pod.ended or pod.started is None:
        return None
    deleted = pod.deletion_due is not None and now - pod.deletion_due > DELETION_PATIENCE
    if not deleted and pod.silent_since is None:
        return None
    patience = NODE_PATIENCE
    if (seconds := plan.pods.unreachable_seconds) is not None:
        patience = max(patience, timedelta(seconds=seconds) + NODE_PATIENCE / 2)
    silent = pod.silent_since is not None and now - pod.silent_since > patience
    reason = pod.disrupted or ("the pod was deleted" if pod.deleting else "")
    detail = "; ".join(filter(None, (reason, f"node {pod.node} does not answer")))
    return detail, deleted or silent, PodHold.NODE


def _line(group: Sequence[HeldPod], count: int) -> str:
    first = group[0]
    where = f"job.batch/{first.job}: {len(group)} of {count} pods"
    ended = f"failed ({', '.join(_exit_codes(group))})" if first.failed else "have ended"
    match first.hold:
        case PodHold.NODE:
            verb = "lost" if first.settled else "cannot be watched"
            return f"{where} {verb}: {first.detail}; check the node"
        case PodHold.LATE:
            return f"{where} started too late and are not waited for: {first.detail}"
        case PodHold.CONTROLLER:
            return (
                f"{where} {ended}, but the Job cannot finish: {first.detail}; check "
                "kube-controller-manager"
            )
        case PodHold.KUBELET:
            return f"{where} {ended}, but the Job cannot finish: {first.detail}; check the node"
        case PodHold.CONTAINER:
            return (
                f"{where} {ended}, but the Job cannot finish: {first.detail} in "
                f"{listed([pod.pod for pod in group])}; keep it from being injected into the "
                "runners' pods, or make it a native sidecar"
            )


def _exit_codes(group: Sequence[HeldPod]) -> Iterator[str]:
    for code in sorted({pod.exit_code for pod in group if pod.exit_code is not None}):
        yield f"exit {code}"
