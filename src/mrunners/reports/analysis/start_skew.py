"""Whether the pods loaded the cluster together: how far apart they started, how long all ran.

The times are those of the nodes' clocks; they are not corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

from mrunners.reports.analysis.pod_stats import PodStats, pods_by_job
from mrunners.reports.outcomes import MissingReason, PodOutcome

__all__ = [
    "first_start",
    "overlap_seconds",
    "overlap_share",
    "start_lag_seconds",
    "start_skew_seconds",
]

# A kubelet cuts an end down to whole seconds, and a start that no log says; and two nodes' clocks
# differ a little.
_CLOCK_SECONDS = 2.0


def start_skew_seconds(outcomes: Sequence[PodOutcome]) -> float | None:
    """Return the time from the first container's start to the last one's; None without a start.

    Pods that started after the start timeout do not count, nor do their reports.
    """
    starts = _starts([o for o in outcomes if o.missing is not MissingReason.STARTED_LATE])
    return (max(starts) - min(starts)).total_seconds() if starts else None


def first_start(outcomes: Sequence[PodOutcome]) -> datetime | None:
    """Return when the first container started; None when none did."""
    return min(_starts(outcomes), default=None)


def start_lag_seconds(outcome: PodOutcome, first: datetime | None) -> float | None:
    """Return how long after the run's first container this one started; None if it did not."""
    if outcome.started_at is None or first is None:
        return None
    return (outcome.started_at - first).total_seconds()


def overlap_seconds(outcomes: Sequence[PodOutcome]) -> float | None:
    """Return how long the containers of all merged pods ran at the same time.

    Returns:
        Seconds, 0 when they never all ran; None when no report is merged, or when a merged pod's
        start or end is unknown.
    """
    merged = [outcome for outcome in outcomes if outcome.report is not None]
    starts = _starts(merged)
    ends = [end for outcome in merged if (end := _end(outcome)) is not None]
    if not merged or len(starts) < len(merged) or len(ends) < len(merged):
        return None
    return max((min(ends) - max(starts)).total_seconds(), 0.0)


def overlap_share(stats: Sequence[PodStats]) -> float | None:
    """Return which share of the load all pods sent at the same time at most, from 0 to 1.

    It is that of the Job whose pods overlap least, or of all Jobs where these overlap less. Jobs
    whose loads differ in length can overlap no longer than the shortest of them lasts. The share is
    the largest that the nodes' clocks allow, and so never a small one of a load of few seconds.

    Args:
        stats: The figures of the merged pods.

    Returns:
        None when no report is merged, or when a merged pod's start or end is unknown.
    """
    jobs = pods_by_job(stats)
    lengths = {job: median(pod.duration_seconds for pod in pods) for job, pods in jobs.items()}
    groups = [(pods, lengths[job]) for job, pods in jobs.items()]
    if len(jobs) > 1:
        groups.append((list(stats), min(lengths.values())))
    shares = []
    for pods, length in groups:
        overlap = overlap_seconds([pod.outcome for pod in pods])
        if overlap is None:
            return None
        shares.append(min((overlap + _CLOCK_SECONDS) / length, 1.0) if length > 0 else 1.0)
    return min(shares, default=None)


def _end(outcome: PodOutcome) -> datetime | None:
    """Return when a merged pod's container ended; not before the load that kperf measured."""
    if outcome.started_at is None or outcome.finished_at is None or outcome.report is None:
        return None
    return max(
        outcome.finished_at,
        outcome.started_at + timedelta(seconds=outcome.report.duration_ns / 1e9),
    )


def _starts(outcomes: Sequence[PodOutcome]) -> list[datetime]:
    return [outcome.started_at for outcome in outcomes if outcome.started_at is not None]
