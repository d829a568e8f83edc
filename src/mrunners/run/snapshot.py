"""Reads a run at one moment: its Jobs by one LIST; pods and events only when they are needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from mrunners.errors import IncompleteError, NextStep, RefusedError
from mrunners.kube.api import Cluster
from mrunners.kube.objects import Pod
from mrunners.plan.metadata import run_selector
from mrunners.refs import RunRef
from mrunners.run.lookup import ExistingRun, list_jobs, state_of
from mrunners.run.observer import RunObserver
from mrunners.run.report_store import ReportAddress, ReportStore
from mrunners.run.second_look import SECOND_LOOK_SECONDS, same_tracker
from mrunners.status.completion import failure_lines, has_unstarted_pods, jobs_that_may_finish
from mrunners.status.diagnostics import PodDiagnosis, diagnose_pods
from mrunners.status.held_pods import HeldPod, held_pod_lines, held_pods
from mrunners.status.observation import observe_pods, remember_pods
from mrunners.status.run_state import JobState, RunState, creator_is_gone
from mrunners.status.start_deadline import CONFIRM_SECONDS
from mrunners.text import listed

__all__ = [
    "RunSnapshot",
    "has_ended",
    "pod_of_index",
    "read_final_snapshot",
    "read_jobs",
    "read_snapshot",
    "warn_of_unplanned_jobs",
]


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """A run at one moment.

    Attributes:
        ref: Which run.
        state: The plan compared with the Jobs.
        pods: All pods of the run; empty when they were not read.
        diagnoses: Why pods have not started; empty when they were not read.
        held: The pods that have started, and that keep their Jobs from finishing.
        creator_gone: Jobs are missing and nothing is creating them.
    """

    ref: RunRef
    state: RunState
    pods: tuple[Pod, ...] = ()
    diagnoses: tuple[PodDiagnosis, ...] = ()
    held: tuple[HeldPod, ...] = ()
    creator_gone: bool = False

    @property
    def may_finish(self) -> tuple[JobState, ...]:
        """The unfinished Jobs that can still finish without intervention."""
        return jobs_that_may_finish(
            self.state, self.diagnoses, self.held, creator_gone=self.creator_gone
        )

    @property
    def failures(self) -> tuple[str, ...]:
        """What went wrong, one line per Job and cause.

        Of a run in which nothing can finish any more; empty exactly when the runner of every
        planned pod succeeded.
        """
        return tuple(
            failure_lines(
                self.state,
                self.diagnoses,
                self.ref,
                self.held,
                creator_gone=self.creator_gone,
                pods=self.pods,
            )
        )

    @property
    def holds(self) -> tuple[str, ...]:
        """What holds pods whose Jobs wait for them, one line per Job and cause; not in `failures`.

        When nothing can finish any more, these pods have succeeded and their reports are there,
        although their Jobs are not Complete; or their Jobs have counted them as failed.
        """
        return tuple(
            held_pod_lines(self.state, [pod for pod in self.held if not pod.failed]).values()
        )

    @property
    def doubtful_starts(self) -> frozenset[tuple[str, int]]:
        """The pods that seem to be late, by Job and index; one look is not enough to say so.

        Not those that a wait has given up, nor those that can never start.
        """
        noted = {(job.planned.name, index) for job in self.state.jobs for index in job.noted}
        late = {(d.job, d.index) for d in self.diagnoses if d.overdue and not d.permanent}
        return frozenset(late - noted)

    @property
    def next_steps(self) -> tuple[NextStep, ...]:
        """What to do about the failures, beyond what their lines say."""
        return (NextStep.RESUME,) if self.creator_gone and self.state.missing else ()

    def require_complete(self) -> None:
        """Raise an error unless the runner of every pod has succeeded.

        Raises:
            IncompleteError: Pods failed, were lost or never started, or Jobs were never created.
        """
        if self.failures:
            error = IncompleteError("\n".join(self.failures))
            raise error.suggest(self.ref, *self.next_steps)


def has_ended(
    cluster: Cluster, run: ExistingRun, sleep: Callable[[float], None] = time.sleep
) -> bool:
    """Return whether nothing of a run can finish any more, so that a wait for it would end.

    Unless all of its Jobs exist and have finished, its pods are read too, and everything a second
    time: in a LIST that is stale or comes from a proxy, Jobs and pods that run are missing.
    """
    if all(job.actual is not None and job.phase.finished for job in run.state.jobs):
        return True
    first = read_snapshot(cluster, run, run.state)
    return not first.may_finish and not _look_again(cluster, run, first, None, sleep).may_finish


def read_jobs(
    cluster: Cluster,
    run: ExistingRun,
    store: ReportStore | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> RunState:
    """Read the Jobs, by one LIST whatever their number.

    Args:
        cluster: The cluster.
        run: The run; Jobs that existed in its state and do not now are gone, and pods that were
            observed in it stay as they were.
        store: Knows what this machine has created and fetched.
        sleep: Sleeps that many seconds, before the tracker is said to be gone.

    Raises:
        RefusedError: The tracker was deleted or replaced, and its Jobs with it; or its Jobs are
            not those of its plan.
    """
    plan, created = run.plan, run.state.created
    jobs = list_jobs(cluster, plan, run.tracker.uid)
    state = state_of(plan, jobs, run.tracker, cluster.now(), store, created=created)
    if state.missing or state.gone:
        tracker = same_tracker(cluster, run.ref, run.tracker.uid, sleep)
        if tracker is None:
            raise RefusedError.of(
                run.ref, f"tracker {run.ref} was deleted or replaced, and its Jobs with it"
            )
        # Its creator may have noted since that it has created all Jobs.
        state = state_of(plan, jobs, tracker, cluster.now(), store, created=created)
    return remember_pods(state, run.state)


def read_snapshot(
    cluster: Cluster,
    run: ExistingRun,
    state: RunState | None = None,
    store: ReportStore | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> RunSnapshot:
    """Read the pods too, and why some have not started.

    Args:
        cluster: The cluster.
        run: The run.
        state: What `read_jobs` has just returned; None reads the Jobs anew.
        store: Knows what this machine has created and fetched.
        sleep: Sleeps that many seconds, before the tracker is said to be gone.

    Raises:
        RefusedError: The tracker was deleted or replaced, and its Jobs with it.
    """
    state = read_jobs(cluster, run, store, sleep) if state is None else state
    return _judged(cluster, run, state, _list_pods(cluster, run))


def read_final_snapshot(
    cluster: Cluster, run: ExistingRun, store: ReportStore, sleep: Callable[[float], None]
) -> RunSnapshot:
    """Read a run as it ended: a Job or a pod is gone, and a pod is late, only if two looks agree.

    Args:
        cluster: The cluster.
        run: The run.
        store: Pods whose reports it has are not looked for.
        sleep: Sleeps that many seconds.

    Raises:
        RefusedError: The tracker was deleted or replaced, and its Jobs with it.
    """
    first = read_snapshot(cluster, run, store=store, sleep=sleep)
    doubtful = not first.may_finish and first.doubtful_starts
    if not doubtful and not _lacks_something(run, first, store):
        return first
    return _look_again(cluster, run, first, store, sleep)


def pod_of_index(pods: Iterable[Pod], job: JobState, index: int) -> Pod | None:
    """Return the pod whose report counts for a completion index.

    There is only one as long as pods are not replaced. Of several, one that succeeded comes first,
    then the oldest: it ran while its siblings loaded the cluster. Pods may outlive their Job.
    """
    candidates = [
        pod
        for pod in pods
        if pod.index == index
        and (
            pod.job_name == job.planned.name
            if job.actual is None
            else pod.job_uid == job.actual.uid
        )
    ]
    return min(candidates, key=lambda pod: (not pod.succeeded, pod.created), default=None)


def warn_of_unplanned_jobs(state: RunState, observer: RunObserver) -> None:
    """Say which Jobs look like the run's and are not: they load the cluster too."""
    if state.unplanned:
        observer.warn(
            "these Jobs have the labels of the run and are not in its plan, so their reports are "
            f"not merged: {listed(state.unplanned, 5)}"
        )


def _list_pods(cluster: Cluster, run: ExistingRun) -> tuple[Pod, ...]:
    return tuple(cluster.list_pods(run.plan.namespace, run_selector(run.plan.run_id)))


def _judged(
    cluster: Cluster, run: ExistingRun, state: RunState, pods: tuple[Pod, ...]
) -> RunSnapshot:
    plan = run.plan
    state = observe_pods(state, pods)
    warnings = cluster.list_warnings(plan.namespace) if has_unstarted_pods(state) else []
    now = cluster.now()
    return RunSnapshot(
        ref=run.ref,
        state=state,
        pods=pods,
        diagnoses=tuple(diagnose_pods(plan, state, pods, warnings, now)),
        held=tuple(held_pods(plan, state, pods, now)),
        creator_gone=creator_is_gone(state, run.tracker.created, now),
    )


def _look_again(
    cluster: Cluster,
    run: ExistingRun,
    first: RunSnapshot,
    store: ReportStore | None,
    sleep: Callable[[float], None],
) -> RunSnapshot:
    """Read the run a second time; what either time had exists, and late is what was late twice."""
    # While anything else can finish, late pods decide nothing.
    doubtful = frozenset() if first.may_finish else first.doubtful_starts
    sleep(CONFIRM_SECONDS if doubtful else SECOND_LOOK_SECONDS)
    second = read_jobs(cluster, run, store, sleep)
    jobs = tuple(
        before if after.actual is None and before.actual is not None else after
        for before, after in zip(first.state.jobs, second.jobs, strict=True)
    )
    pods = {pod.uid: pod for pod in (*first.pods, *_list_pods(cluster, run))}
    judged = _judged(cluster, run, replace(second, jobs=jobs), tuple(pods.values()))
    early = judged.doubtful_starts - doubtful
    if judged.may_finish or not early:
        return judged
    diagnoses = [
        replace(found, overdue=False) if (found.job, found.index) in early else found
        for found in judged.diagnoses
    ]
    return replace(judged, diagnoses=tuple(diagnoses))


def _lacks_something(run: ExistingRun, snapshot: RunSnapshot, store: ReportStore) -> bool:
    if snapshot.state.gone:
        return True
    for job in snapshot.state.jobs:
        if job.actual is None:
            continue
        finished = job.actual.finished is not None
        ended = frozenset(range(job.planned.pod_count)) if finished else job.counted
        for index in ended - job.given_up:
            if pod_of_index(snapshot.pods, job, index) is None and not store.has(
                ReportAddress.of(run.stored, job.planned.name, index), job_uid=job.actual.uid
            ):
                return True
    return False
