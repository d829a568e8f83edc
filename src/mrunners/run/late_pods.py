"""Keeps pods that did not start in time from starting later, when they would load alone.

Nothing is done to pods that started in time. A late pod is deleted; its Job then counts its index
as failed, and replaces nothing (measured: `backoffLimitPerIndex: 0`, `podReplacementPolicy:
Failed`). Pods that do not even exist, because a quota refuses them, could still be created as soon
as another one ends. So a Job of which only late pods are left is suspended; not before, because a
suspended Job deletes its running pods. Lowering `parallelism` would not help: the Job would create
the late pods one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

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
from mrunners.status.run_state import JobState
from mrunners.status.start_deadline import CONFIRM_SECONDS, late_start
from mrunners.text import listed

__all__ = ["LatePods"]

_PodKey = tuple[str, int]
"""Job name and completion index."""


class LatePods:
    """Gives up the late pods of one run, during one wait.

    Attributes:
        deleted: The UIDs of the pods that it has deleted.
    """

    def __init__(self, cluster: Cluster, plan: RunPlan, observer: RunObserver) -> None:
        self._cluster, self._plan, self._observer = cluster, plan, observer
        self._late_since: dict[_PodKey, float] = {}
        self._forbidden = False
        self._gone: set[str] = set()
        # What an admission policy, for example, has refused: the method and the object's UID.
        self._refused: set[tuple[str, str]] = set()
        self._refusals: list[str] = []
        self._reported: set[str] = set()
        self.deleted: set[str] = set()

    def give_up(self, snapshot: RunSnapshot, monotonic: float) -> bool:
        """Keep late pods from starting.

        Where that is forbidden it is a warning, once: if they start, their reports are set aside.
        A change that is refused is not tried again, and the others are made all the same.

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
            self._refusals.clear()
            try:
                done = self._act(snapshot, sure)
            except ForbiddenError as error:
                self._forbidden = True
                self._refusals.append(str(error))
            if new := [
                text for text in dict.fromkeys(self._refusals) if text not in self._reported
            ]:
                self._reported.update(new)
                self._observer.warn(
                    "pods that did not start in time cannot be kept from starting later; if they "
                    f"do, their reports are not merged: {listed(new)}"
                )
        return done and len(sure) == len(overdue)

    def _act(self, snapshot: RunSnapshot, late: Mapping[_PodKey, PodDiagnosis]) -> bool:
        """Act on what is late; return whether that is all, so far as is known."""
        done = True
        may_finish = {job.planned.name for job in snapshot.may_finish}
        for state in snapshot.state.jobs:
            if (job := state.actual) is None:
                continue
            unstarted = {index: d for (of, index), d in late.items() if of == job.name}
            ending = not state.phase.finished and job.name not in may_finish
            done = self._act_on_job(snapshot, state, job, unstarted, ending=ending) and done
        return done

    def _act_on_job(
        self,
        snapshot: RunSnapshot,
        state: JobState,
        job: Job,
        unstarted: Mapping[int, PodDiagnosis],
        *,
        ending: bool,
    ) -> bool:
        new = [d for index, d in unstarted.items() if index not in state.noted]
        if not self._carried_out("note", job.uid, partial(self._note, job, new)):
            return False  # without its note, a deleted pod would be gone for no known reason
        if ("note", job.uid) in self._refused:
            return True
        done = True
        # One that was given up may have started while its deletion was on the way.
        doomed = state.noted.union(unstarted)
        for pod in snapshot.pods:
            if pod.job_uid == job.uid and pod.index in doomed:
                deletion = partial(self._delete, job, pod)
                done = self._carried_out("delete", pod.uid, deletion) and done
        if not (doomed and ending):
            return done
        held = {
            pod.index
            for pod in snapshot.held
            if pod.job == job.name and pod.hold is not PodHold.LATE and not pod.counted
        }
        if all(
            index in state.counted | doomed and index not in held
            for index in range(state.planned.pod_count)
        ):
            stop = partial(self._cluster.suspend_job, self._plan.namespace, job.name, job.uid)
            done = self._carried_out("suspend", job.uid, stop) and done
        return done

    def _carried_out(self, method: str, uid: str, change: Callable[[], bool]) -> bool:
        """Make a change, and return whether it counts as carried out.

        If the object was gone, the next poll shows it. One that is there again was not gone: the
        answer was wrong, and the change is tried once more. After that it is not insisted on.
        """
        if (method, uid) in self._refused:
            return True
        try:
            changed = change()
        except ApiStatusError as error:
            self._refused.add((method, uid))
            self._refusals.append(str(error))
            return True
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
        deleted = self._cluster.delete_pod(self._plan.namespace, pod.name, pod.uid)
        if deleted:
            self.deleted.add(pod.uid)
        return deleted


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
