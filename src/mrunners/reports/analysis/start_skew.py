"""Whether the pods loaded the cluster together: how far apart they started, how long all ran.

The times are those of the nodes' clocks, in whole seconds; they are not corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mrunners.reports.outcomes import PodOutcome

__all__ = ["first_start", "overlap_seconds", "start_lag_seconds", "start_skew_seconds"]


def start_skew_seconds(outcomes: Sequence[PodOutcome]) -> float | None:
    """Return the time from the first container's start to the last one's; None without a start."""
    starts = _starts(outcomes)
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
    ends = [outcome.finished_at for outcome in merged if outcome.finished_at is not None]
    if not merged or len(starts) < len(merged) or len(ends) < len(merged):
        return None
    return max((min(ends) - max(starts)).total_seconds(), 0.0)


def _starts(outcomes: Sequence[PodOutcome]) -> list[datetime]:
    return [outcome.started_at for outcome in outcomes if outcome.started_at is not None]
