"""Waits until nothing of a run can change any more, and fetches its reports meanwhile.

While the API server does not answer, the client retries; the caller's timeout holds all the same.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from dataclasses import replace

from mrunners.durations import format_duration
from mrunners.errors import NextStep, UnreachableError, WaitTimeoutError
from mrunners.kube.api import Cluster
from mrunners.kube.objects import Pod
from mrunners.kube.retry import request_deadline
from mrunners.plan.metadata import run_selector, runner_selector
from mrunners.run.fetch import FetchProgress, fetch_ended
from mrunners.run.late_pods import LatePods
from mrunners.run.lookup import ExistingRun
from mrunners.run.lost_pods import deletion_line, latest_version
from mrunners.run.observer import RunObserver
from mrunners.run.report_store import ReportStore
from mrunners.run.snapshot import RunSnapshot, read_jobs, read_snapshot, warn_of_unplanned_jobs
from mrunners.status.completion import FEW_JOBS, longest_interval, needs_pods, next_interval
from mrunners.status.diagnostics import CANNOT_START, diagnosis_lines
from mrunners.status.held_pods import held_pod_lines
from mrunners.status.run_state import RunState
from mrunners.status.start_deadline import late_start
from mrunners.status.time_left import time_left
from mrunners.text import listed

__all__ = ["wait_for_run"]

# How often logs are requested again that their nodes did not return.
UNREAD_SECONDS = 60.0


def wait_for_run(
    cluster: Cluster,
    run: ExistingRun,
    store: ReportStore,
    observer: RunObserver,
    *,
    timeout_seconds: float | None = None,
    interval_seconds: float | None = None,
    waited_seconds: float = 0.0,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> RunSnapshot:
    """Return once every Job has finished, or none of the others can.

    Pods that did not start in time are kept from starting.

    Args:
        cluster: The cluster.
        run: The run.
        store: Gets each pod's report when the pod ends.
        observer: Receives the progress, and once each what keeps pods from starting or ending.
        timeout_seconds: When to give up, also while the API server is away; None never does.
        interval_seconds: How often to poll; None grows from 1 s to 8 s, and to 15 s for more than
            100 Jobs.
        waited_seconds: How much of the timeout an earlier attempt has used up.
        monotonic: Returns seconds that never go back.
        sleep: Sleeps that many seconds.

    Returns:
        The run as it ended; its `failures` are empty when the runner of every pod succeeded.

    Raises:
        WaitTimeoutError: The timeout has passed.
        RefusedError: The tracker was deleted or replaced.
    """
    wait = _Wait(cluster, run, store, observer, monotonic, sleep, waited_seconds)
    seconds = math.inf if timeout_seconds is None else timeout_seconds
    deadline = wait.started + seconds
    with nullcontext() if seconds == math.inf else request_deadline(deadline, monotonic):
        interval: float | None = None
        while True:
            try:
                snapshot = wait.poll()
            except UnreachableError as error:
                if monotonic() < deadline:
                    raise
                raise wait.timed_out(seconds, error) from error
            if snapshot is not None:
                return snapshot
            interval = interval_seconds or wait.next_interval(interval)
            left = deadline - monotonic()
            if left <= 0:
                raise wait.timed_out(seconds)
            interval = min(interval, left)
            sleep(interval)


class _Wait:
    """What one wait remembers between its polls."""

    def __init__(
        self,
        cluster: Cluster,
        run: ExistingRun,
        store: ReportStore,
        observer: RunObserver,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
        waited_seconds: float,
    ) -> None:
        self._cluster, self._run, self._store = cluster, run, store
        self._observer, self._monotonic, self._sleep = observer, monotonic, sleep
        self._progress = FetchProgress()
        self._late_pods = LatePods(cluster, run.plan, observer)
        self._seen, self._unended = store.seen_pods(run.stored), dict[str, Pod]()
        self._reported: set[tuple[str, ...]] = set()
        self._unplanned: tuple[str, ...] = ()
        self._pods_version = ""
        self._polled, self._pods_read_at, self._holding = False, float("-inf"), False
        self._quiet, self._may_watch = False, True
        self._answered_at = monotonic()
        self.started = self._answered_at - waited_seconds

    def poll(self) -> RunSnapshot | None:
        """Read the run; return it when nothing of it can change any more."""
        before = self._run.state if self._polled else None
        if before is not None and self._is_unchanged(before):
            state = before
        else:
            state = read_jobs(self._cluster, self._run, self._store, self._sleep)
            self._quiet = state == before
        # One LIST may be stale: Jobs are gone when the next one does not have them either.
        certain = set(state.gone) <= set(self._run.state.gone)
        self._run = replace(self._run, state=state)
        self._polled, self._answered_at = True, self._monotonic()
        if state.unplanned != self._unplanned:
            self._unplanned = state.unplanned
            warn_of_unplanned_jobs(state, self._observer)
        ended = None
        if self._needs_pods(before, state):
            ended = self._read_pods(state)
        left = time_left(self._run.state, self._cluster.now(), self._run.start_at)
        self._observer.progress(self._run.state, self._progress.reports, left)
        return ended if certain else None

    def next_interval(self, previous: float | None) -> float:
        """Return the seconds to the next poll."""
        loads = (job.expected_seconds or 0.0 for job in self._run.plan.jobs)
        elapsed = self._monotonic() - self.started
        return min(
            next_interval(previous, elapsed, max(loads, default=0.0) or None),
            longest_interval(self._run.state),
        )

    def timed_out(
        self, seconds: float, unreachable: UnreachableError | None = None
    ) -> WaitTimeoutError:
        """Return the error of a wait whose time is up."""
        after = f"timed out after {format_duration(seconds)}"
        if unreachable is not None:
            silence = format_duration(self._monotonic() - self._answered_at)
            text = (
                f"{after}: the API server has not answered for {silence}, so the state of the run "
                f"of tracker {self._run.ref} is unknown ({unreachable})"
            )
        else:
            state = self._run.state
            names = listed([job.planned.name for job in state.unfinished], 5)
            text = (
                f"{after}: the run of tracker {self._run.ref} has not finished; Jobs left: "
                f"{len(state.unfinished)} of {len(state.jobs)}: {names} ({state.ended} of "
                f"{state.pod_count} pods ended); the run continues"
            )
        return WaitTimeoutError(text, seconds=seconds).suggest(self._run.ref, NextStep.WAIT)

    def _is_unchanged(self, before: RunState) -> bool:
        """Whether many Jobs are surely as they were, so that a LIST of them all can be saved.

        It is asked only after a LIST that was in vain: while pods end, each poll needs one.
        """
        many = len(before.jobs) > FEW_JOBS
        if not (many and self._quiet and self._may_watch) or before.missing or before.gone:
            return False
        plan = self._run.plan
        changed = self._cluster.jobs_changed(plan.namespace, runner_selector(plan.tracker))
        self._may_watch = changed is not None
        return changed is False

    def _needs_pods(self, before: RunState | None, state: RunState) -> bool:
        since = self._monotonic() - self._pods_read_at
        unread = bool(self._progress.unread) and since >= UNREAD_SECONDS
        return unread or needs_pods(before, state, since, holding=self._holding)

    def _read_pods(self, state: RunState) -> RunSnapshot | None:
        snapshot = read_snapshot(self._cluster, self._run, state, self._store)
        self._run = replace(self._run, state=snapshot.state)
        self._pods_read_at, self._holding = self._monotonic(), bool(snapshot.held)
        lines = diagnosis_lines(state, snapshot.diagnoses)
        self._warn(lines | _shortened(lines, self._reported))
        self._warn(held_pod_lines(state, snapshot.held))
        self._note_pods(snapshot)
        fetch_ended(
            self._cluster,
            self._run,
            state,
            self._in_time(state, snapshot.pods),
            self._store,
            self._progress,
            self._observer,
        )
        sure = self._late_pods.give_up(snapshot, self._monotonic())
        over = state.finished or (sure and not snapshot.may_finish)
        return snapshot if over else None

    def _note_pods(self, snapshot: RunSnapshot) -> None:
        """Keep where pods run, and report those that were deleted before they ended."""
        pods = snapshot.pods
        names = sorted(self._unended.keys() - {pod.name for pod in pods})
        lost = [self._unended[name] for name in names]
        lost = [pod for pod in lost if not self._was_given_up(pod, snapshot.state)]
        last = self._last_states(lost)
        for pod in lost:
            # One that had no node when it was seen may have run since.
            if last.get(pod.uid, pod).node:
                self._observer.warn(deletion_line(pod, last.get(pod.uid)))
        self._pods_version = latest_version(pods) or self._pods_version
        self._unended = {pod.name: pod for pod in pods if not pod.ended}
        of_job: dict[str | None, list[Pod]] = {}
        for pod in pods:
            of_job.setdefault(pod.job_uid, []).append(pod)
        for job in snapshot.state.jobs:
            if job.actual is not None and job.actual.uid in of_job:
                self._seen.add(job.planned.name, of_job[job.actual.uid])

    def _last_states(self, lost: Collection[Pod]) -> dict[str, Pod]:
        """Return pods that are lost as they were when they were deleted, by UID, if that is known.

        They are kept as they were then, because a result asks why, too.
        """
        if not lost or not self._pods_version:
            return {}
        plan = self._run.plan
        selector = run_selector(plan.run_id)
        found = self._cluster.list_deleted_pods(plan.namespace, selector, self._pods_version)
        last = {pod.uid: pod for pod in found}
        for pod in lost:
            if pod.uid in last and pod.job_name is not None:
                self._seen.add(pod.job_name, [last[pod.uid]])
        return last

    def _was_given_up(self, pod: Pod, state: RunState) -> bool:
        """Whether a wait, this one or another, has deleted a pod because it was late."""
        if pod.uid in self._late_pods.deleted:
            return True
        return any(
            job.actual is not None
            and job.actual.uid == pod.job_uid
            and pod.index in job.noted
            and (
                pod.started is None
                or bool(late_start(self._run.plan, job.actual, pod.index, pod.started))
            )
            for job in state.jobs
        )

    def _in_time(self, state: RunState, pods: tuple[Pod, ...]) -> list[Pod]:
        jobs = {job.actual.uid: job.actual for job in state.jobs if job.actual is not None}
        return [
            pod
            for pod in pods
            if (job := jobs.get(pod.job_uid or "")) is None
            or not late_start(self._run.plan, job, pod.index, pod.started)
        ]

    def _warn(self, lines: dict[tuple[str, ...], str]) -> None:
        for key, line in lines.items():
            if key not in self._reported:
                self._reported.add(key)
                self._observer.warn(line)


def _shortened(
    lines: Mapping[tuple[str, ...], str], reported: Collection[tuple[str, ...]]
) -> dict[tuple[str, ...], str]:
    """Return without their reasons the lines about late pods whose reasons were reported before."""
    return {
        (job, reason, verb, same): f"{line[: line.index(verb)]}{verb}, for the same reason"
        for (job, reason, verb, same), line in lines.items()
        if verb != CANNOT_START and (job, reason, CANNOT_START, same) in reported
    }
