"""The figures of one pod, computed once for all analyses that compare pods; and the wall time.

The wall time of some pods is from the first one's start to the last one's last answer. A rate over
it is what the server got, whether the pods ran together or one after the other. A pod's start is
that of its load, by its node's clock; its end is its start and the duration that kperf measured,
because the container itself ends later, when the report is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mrunners.reports.outcomes import PodOutcome
from mrunners.reports.percentiles import percentile_latencies
from mrunners.reports.samples import KperfReport, Percentiles

__all__ = ["PodStats", "per_wall_second", "pod_stats", "pods_by_job", "wall_seconds"]


@dataclass(frozen=True, slots=True)
class PodStats:
    """What one merged report says about its pod.

    Attributes:
        outcome: The pod's outcome.
        report: The outcome's report, which is not None.
        percentiles: Over its samples; without raw data as kperf printed them; None when unknown.
        requests: Number of successes and errors together; None when it is unknown.
        busy_seconds: The time that its clients spent waiting for answers, summed over clients;
            None without raw data.
    """

    outcome: PodOutcome
    report: KperfReport
    percentiles: Percentiles | None
    requests: int | None
    busy_seconds: float | None

    @property
    def duration_seconds(self) -> float:
        """How long the pod's load ran, as kperf measured it."""
        return self.report.duration_ns / 1e9

    @property
    def requests_per_second(self) -> float | None:
        """The pod's own rate, including failed requests: they were sent too."""
        if self.requests is None or self.report.duration_ns <= 0:
            return None
        return self.requests / self.duration_seconds

    def at(self, p: float) -> float | None:
        """Return one of the pod's percentiles, in seconds; None when it is unknown."""
        return dict(self.percentiles or ()).get(p)


def pod_stats(outcomes: Sequence[PodOutcome]) -> tuple[PodStats, ...]:
    """Return the figures of every pod whose report is merged, in the order of the outcomes."""
    return tuple(
        _stats(outcome, outcome.report) for outcome in outcomes if outcome.report is not None
    )


def pods_by_job(stats: Iterable[PodStats], jobs: Iterable[str] = ()) -> dict[str, list[PodStats]]:
    """Return the figures by Job name, in the order of the pods.

    Args:
        stats: The figures of merged pods.
        jobs: These come first, also those without a merged pod.
    """
    pods: dict[str, list[PodStats]] = {job: [] for job in jobs}
    for pod in stats:
        pods.setdefault(pod.outcome.job, []).append(pod)
    return pods


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


def _stats(outcome: PodOutcome, report: KperfReport) -> PodStats:
    columns = None if report.latencies_by_url is None else list(report.latencies_by_url.values())
    return PodStats(
        outcome=outcome,
        report=report,
        percentiles=report.percentiles if columns is None else percentile_latencies(columns),
        requests=None if report.samples is None else report.samples + report.error_count,
        busy_seconds=(
            None
            if columns is None
            else math.fsum(column.sum for column in columns)
            + math.fsum(error.duration_seconds for error in report.errors)
        ),
    )
