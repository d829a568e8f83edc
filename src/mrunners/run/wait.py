"""Waits until a run has ended, and brings its reports home meanwhile.

It must not give up on a run because of the API server: patience with that is the client's.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from mrunners.durations import format_duration
from mrunners.errors import WaitTimeoutError
from mrunners.kube.api import Cluster
from mrunners.run.fetch import FetchProgress, fetch_ended
from mrunners.run.lookup import ExistingRun
from mrunners.run.observer import RunObserver
from mrunners.run.report_store import ReportStore
from mrunners.run.snapshot import RunSnapshot, failures, read_jobs, read_snapshot
from mrunners.status.completion import has_unstarted_pods, next_interval
from mrunners.status.diagnostics import diagnosis_lines
from mrunners.status.run_state import RunState

__all__ = ["wait_for_run"]

# How often pods are listed while some have not started.
DIAGNOSIS_SECONDS = 10.0

# How often logs are asked for again that their nodes did not give.
UNREAD_SECONDS = 60.0


def wait_for_run(
    cluster: Cluster,
    found: ExistingRun,
    store: ReportStore,
    observer: RunObserver,
    *,
    timeout_seconds: float | None = None,
    interval_seconds: float | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[str, ...]:
    """Return once the run has come to its end, one way or the other.

    Args:
        cluster: where.
        found: the run.
        store: gets each pod's report as the pod ends.
        observer: told the progress, and once each what keeps pods from starting.
        timeout_seconds: give up then; None never does.
        interval_seconds: poll that often; None grows from 1 s to 15 s.
        monotonic, sleep: time.
    Returns: what went wrong, one line per Job and cause; empty when every Job is Complete.
    Raises:
        WaitTimeoutError: time is up.
        RefusedError: the tracker was deleted or replaced.
    """
    began = monotonic()
    expected = max((job.expected_seconds or 0.0 for job in found.plan.jobs), default=0.0) or None
    progress, told = FetchProgress(seen=set()), set[str]()
    interval: float | None = None
    closely_at, ended_then = float("-inf"), -1
    while True:
        state = read_jobs(cluster, found)
        now = monotonic()
        snapshot = RunSnapshot(state)
        since = now - closely_at
        if _worth_a_closer_look(state, ended_then, since) or (
            progress.unread and since >= UNREAD_SECONDS
        ):
            closely_at, ended_then = now, state.ended
            snapshot = read_snapshot(cluster, found, state)
            for line in diagnosis_lines(state, snapshot.diagnoses):
                if line not in told:
                    told.add(line)
                    observer.warn(line)
            fetch_ended(cluster, found.plan, state, snapshot.pods, store, progress, observer)
        observer.progress(state, progress.reports)
        if state.finished or (closely_at == now and not snapshot.may_finish):
            return failures(found, snapshot)
        interval = interval_seconds or next_interval(interval, now - began, expected)
        if timeout_seconds is not None:
            left = began + timeout_seconds - monotonic()
            if left <= 0:
                raise _time_is_up(found, state, timeout_seconds)
            interval = min(interval, left)
        sleep(interval)


def _worth_a_closer_look(state: RunState, ended_then: int, since: float) -> bool:
    if state.ended != ended_then or state.finished:
        return True
    return (has_unstarted_pods(state) or bool(state.missing)) and since >= DIAGNOSIS_SECONDS


def _time_is_up(found: ExistingRun, state: RunState, seconds: float) -> WaitTimeoutError:
    names = ", ".join(job.planned.name for job in state.unfinished[:5])
    more = ", …" if len(state.unfinished) > 5 else ""
    return WaitTimeoutError(
        f"after {format_duration(seconds)} {len(state.unfinished)} of {len(state.jobs)} Jobs have "
        f"not finished: {names}{more} ({state.ended} of {state.pods} pods ended); the run goes "
        f"on: wait again with: mrunners wait {found.plan.namespace} --tracker {found.plan.tracker}",
        seconds=seconds,
    )
