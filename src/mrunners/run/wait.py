"""Waits until a run has finished, and fetches its reports meanwhile.

An API server that does not answer never ends a wait here: the client retries, and gives up itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from mrunners.durations import format_duration
from mrunners.errors import NextStep, WaitTimeoutError
from mrunners.kube.api import Cluster
from mrunners.run.fetch import FetchProgress, fetch_ended
from mrunners.run.lookup import ExistingRun
from mrunners.run.observer import RunObserver
from mrunners.run.report_store import ReportStore
from mrunners.run.snapshot import (
    RunSnapshot,
    read_jobs,
    read_snapshot,
    warn_of_unplanned_jobs,
)
from mrunners.status.completion import (
    FIRST_INTERVAL_SECONDS,
    has_unstarted_pods,
    next_interval,
)
from mrunners.status.diagnostics import diagnosis_lines
from mrunners.status.run_state import RunState
from mrunners.text import listed

__all__ = ["wait_for_run"]

# How often pods are listed while some have not started.
DIAGNOSIS_SECONDS = 10.0

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
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> RunSnapshot:
    """Return once every Job has finished, or none of the others can.

    Args:
        cluster: The cluster.
        run: The run.
        store: Gets each pod's report when the pod ends.
        observer: Receives the progress, and once each what keeps pods from starting.
        timeout_seconds: When to give up; None never does.
        interval_seconds: How often to poll; None grows from 1 s to 15 s.
        monotonic: Returns seconds that never go back.
        sleep: Sleeps that many seconds.

    Returns:
        The run as it ended; its `failures` are empty when every Job is Complete.

    Raises:
        WaitTimeoutError: The timeout has passed.
        RefusedError: The tracker was deleted or replaced.
    """
    started = monotonic()
    expected = max((job.expected_seconds or 0.0 for job in run.plan.jobs), default=0.0) or None
    progress, reported = FetchProgress(), set[str]()
    interval: float | None = None
    pods_read_at, ended_then = float("-inf"), -1
    unplanned: tuple[str, ...] = ()
    while True:
        state = read_jobs(cluster, run, store)
        # One LIST may be stale: Jobs are gone when the next one does not have them either.
        certain = set(state.gone) <= set(run.state.gone)
        run = replace(run, state=state)
        if state.unplanned != unplanned:
            unplanned = state.unplanned
            warn_of_unplanned_jobs(state, observer)
        now = monotonic()
        snapshot: RunSnapshot | None = None
        since = now - pods_read_at
        if _needs_pods(state, ended_then, since) or (progress.unread and since >= UNREAD_SECONDS):
            pods_read_at, ended_then = now, state.ended
            snapshot = read_snapshot(cluster, run, state, store)
            for line in diagnosis_lines(state, snapshot.diagnoses):
                if line not in reported:
                    reported.add(line)
                    observer.warn(line)
            fetch_ended(cluster, run, state, snapshot.pods, store, progress, observer)
        observer.progress(state, progress.reports)
        # A finished run always has its pods read: `_needs_pods` says so.
        if snapshot is not None and certain and (state.finished or not snapshot.may_finish):
            return snapshot
        interval = interval_seconds or min(
            next_interval(interval, now - started, expected), _longest_interval(state)
        )
        if timeout_seconds is not None:
            left = started + timeout_seconds - monotonic()
            if left <= 0:
                raise _timed_out(run, state, timeout_seconds)
            interval = min(interval, left)
        sleep(interval)


def _needs_pods(state: RunState, ended_then: int, since: float) -> bool:
    if state.ended != ended_then or state.finished:
        return True
    return (has_unstarted_pods(state) or bool(state.missing)) and since >= DIAGNOSIS_SECONDS


def _longest_interval(state: RunState) -> float:
    """Two polls fit between the end of a Job and its removal, where the cluster removes Jobs."""
    ttls = [
        job.actual.ttl_seconds
        for job in state.jobs
        if job.actual is not None and job.actual.ttl_seconds is not None
    ]
    return max(min(ttls) / 2, FIRST_INTERVAL_SECONDS) if ttls else float("inf")


def _timed_out(run: ExistingRun, state: RunState, seconds: float) -> WaitTimeoutError:
    names = listed([job.planned.name for job in state.unfinished], 5)
    return WaitTimeoutError(
        f"timed out after {format_duration(seconds)}: the run of tracker {run.ref} has not "
        f"finished; Jobs left: {len(state.unfinished)} of {len(state.jobs)}: {names} "
        f"({state.ended} of {state.pod_count} pods ended); the run continues",
        seconds=seconds,
    ).suggest(run.ref, NextStep.WAIT)
