"""Whether the pods loaded the cluster together: how far apart they started, how long all ran.

It must not correct clocks: the times are those of the nodes, in whole seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mrunners.reports.outcomes import PodOutcome

__all__ = ["first_start", "overlap_seconds", "start_lag_seconds", "start_skew_seconds"]


def start_skew_seconds(outcomes: Sequence[PodOutcome]) -> float | None:
    """From the first container's start to the last one's; None when none started."""
    starts = _starts(outcomes)
    return (max(starts) - min(starts)).total_seconds() if starts else None


def first_start(outcomes: Sequence[PodOutcome]) -> datetime | None:
    """When the first container started; None when none did."""
    return min(_starts(outcomes), default=None)


def start_lag_seconds(outcome: PodOutcome, first: datetime | None) -> float | None:
    """How long after the run's first container this one started; None when it did not."""
    if outcome.started_at is None or first is None:
        return None
    return (outcome.started_at - first).total_seconds()


def overlap_seconds(outcomes: Sequence[PodOutcome]) -> float | None:
    """How long all merged pods' containers ran at the same time; 0 when they never did.

    Returns: None when no report is merged, or a merged pod's start or end is not known.
    """
    merged = [outcome for outcome in outcomes if outcome.report is not None]
    starts = _starts(merged)
    ends = [outcome.finished_at for outcome in merged if outcome.finished_at is not None]
    if not merged or len(starts) < len(merged) or len(ends) < len(merged):
        return None
    return max((min(ends) - max(starts)).total_seconds(), 0.0)


def _starts(outcomes: Sequence[PodOutcome]) -> list[datetime]:
    return [outcome.started_at for outcome in outcomes if outcome.started_at is not None]
