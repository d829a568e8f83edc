"""How long pods sent load, from the first one's start to the last one's last answer.

A rate over this time is what the server got, whether the pods ran together or one after the other.
A pod's start is that of its container, by its node's clock, in whole seconds; its end is its start
and the duration that kperf measured, because the container itself ends later, when the report is
written.
"""

from __future__ import annotations

from collections.abc import Sequence

from mrunners.reports.analysis.pod_stats import PodStats

__all__ = ["per_wall_second", "wall_seconds"]


def wall_seconds(pods: Sequence[PodStats]) -> float | None:
    """Return the time from the first pod's start to the last pod's last answer.

    Returns:
        Seconds; None without pods, or when one of several pods' starts is unknown.
    """
    if len(pods) == 1:
        return pods[0].duration_seconds
    starts = [pod.outcome.started_at for pod in pods if pod.outcome.started_at is not None]
    if not pods or len(starts) < len(pods):
        return None
    first = min(starts)
    return max(
        (start - first).total_seconds() + pod.duration_seconds
        for start, pod in zip(starts, pods, strict=True)
    )


def per_wall_second(count: int | None, seconds: float | None) -> float | None:
    """Return a rate over wall time; None when it is unknown."""
    return None if count is None or not seconds else count / seconds
