"""Keeps pods that did not start in time from starting later, when they would load alone.

Nothing is done to pods that started in time. A late pod is deleted; its Job then counts its index
as failed, and replaces nothing (measured: `backoffLimitPerIndex: 0`, `podReplacementPolicy:
Failed`). Pods that do not even exist, because a quota refuses them, could still be created as soon
as another one ends. So a Job of which only late pods are left is suspended; not before, because a
suspended Job deletes its running pods. Lowering `parallelism` would not help: the Job would create
the late pods one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mrunners.errors import ApiStatusError, ForbiddenError
from mrunners.kube.api import Cluster
from mrunners.kube.given_up import GivenUp, format_given_up
from mrunners.kube.objects import Job, Pod
from mrunners.plan.metadata import ANNOTATION_GIVEN_UP
from mrunners.plan.plan import RunPlan
from mrunners.run.observer import RunObserver
from mrunners.run.snapshot import RunSnapshot
from mrunners.status.diagnostics import PodDiagnosis
from mrunners.status.held_pods import PodHold
from mrunners.status.start_deadline import CONFIRM_SECONDS, late_start

__all__ = ["LatePods"]

_PodKey = tuple[str, int]
"""Job name and completion index."""


class LatePods:
    """Gives up the late pods of one run, during one wait."""

    def __init__(self, cluster: Cluster, plan: RunPlan, observer: RunObserver) -> None:
        self._cluster, self._plan, self._observer = cluster, plan, observer
        self._late_since: dict[_PodKey, float] = {}
        self._forbidden = False
        self._gone: set[str] = set()

    def give_up(self, snapshot: RunSnapshot, monotonic: float) -> bool:
        """Keep late pods from starting.

        Where that is forbidden it is a warning, once: if they start, their reports are set aside.

        Args:
            snapshot: The run as it was read just now.
            monotonic: The time by a clock that never goes back.

        Returns:
            Whether all late pods of the snapshot are given up; if not, it is too early to be sure,
            or what the snapshot shows may be gone.
        """
        overdue = {(d.job, d.index): d for d in snapshot.diagnoses if d.overdue}
        self._late_since = {key: self._late_since.get(key, monotonic) for key in overdue}
        doubtful = snapshot.doubtful_starts
        sure = {
            key: diagnosis
            for key, diagnosis in overdue.items()
            if key not in doubtful or monotonic - self._late_since[key] >= CONFIRM_SECONDS
        }
        done = True
        if not self._forbidden:
            try:
                done = self._act(snapshot, sure)
            except (ForbiddenError, ApiStatusError) as error:
                self._forbidden = True
                self._observer.warn(
                    "pods that did not start in time cannot be kept from starting later; if they "
                    f"do, their reports are not merged: {error}"
                )
        return done and len(sure) == len(overdue)

    def _act(self, snapshot: RunSnapshot, late: Mapping[_PodKey, PodDiagnosis]) -> bool:
        """Act on what is late; return whether that is all, so far as is known."""
        done = True
        may_finish = {job.planned.name for job in snapshot.may_finish}
        held = {(pod.job, pod.index) for pod in snapshot.held if pod.hold is not PodHold.LATE}
        for state in snapshot.state.jobs:
            name, job = state.planned.name, state.actual
            if job is None:
                continue
            unstarted = {index: d for (of, index), d in late.items() if of == name}
            new = [d for index, d in unstarted.items() if index not in state.noted]
            if not self._carried_out(job.uid, self._note(job, new)):
                done = False  # without its note, a deleted pod would be gone for no known reason
                continue
            # One that was given up may have started while its deletion was on the way.
            doomed = state.noted.union(unstarted)
            for pod in snapshot.pods:
                if pod.job_uid == job.uid and pod.index in doomed:
                    done = self._carried_out(pod.uid, self._delete(job, pod)) and done
            if not doomed or state.phase.finished or name in may_finish:
                continue
            if all(
                index in state.counted | doomed and (name, index) not in held
                for index in range(state.planned.pod_count)
            ):
                suspended = self._cluster.suspend_job(self._plan.namespace, name, job.uid)
                done = self._carried_out(job.uid, suspended) and done
        return done

    def _carried_out(self, uid: str, changed: bool) -> bool:
        """Return whether a change counts as carried out.

        If the object was gone, the next poll shows it. One that is there again was not gone: the
        answer was wrong, and the change is tried once more. After that it is not insisted on.
        """
        if changed or uid in self._gone:
            return True
        self._gone.add(uid)
        return False

    def _note(self, job: Job, late: Sequence[PodDiagnosis]) -> bool:
        """Note on the Job which pods are given up: once they are deleted, nothing else says why."""
        if not late:
            return True
        note = format_given_up((*job.given_up, *_groups(late)))
        return self._cluster.annotate_job(
            self._plan.namespace, job.name, job.uid, {ANNOTATION_GIVEN_UP: note}
        )

    def _delete(self, job: Job, pod: Pod) -> bool:
        late = late_start(self._plan, job, pod.index, pod.started)
        in_time = pod.started is not None and not late
        if pod.ended or pod.deleting or in_time:
            return True
        return self._cluster.delete_pod(self._plan.namespace, pod.name, pod.uid)


def _groups(late: Iterable[PodDiagnosis]) -> list[GivenUp]:
    by_reason: dict[str, list[PodDiagnosis]] = {}
    for diagnosis in late:
        by_reason.setdefault(diagnosis.reason, []).append(diagnosis)
    return [
        GivenUp(
            tuple(sorted(diagnosis.index for diagnosis in group)),
            reason,
            next((diagnosis.detail for diagnosis in group if diagnosis.detail), ""),
        )
        for reason, group in by_reason.items()
    ]
