"""The figures of one pod, computed once for all analyses that compare pods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mrunners.reports.outcomes import PodOutcome
from mrunners.reports.percentiles import percentile_latencies
from mrunners.reports.samples import KperfReport, Percentiles

__all__ = ["PodStats", "pod_stats"]


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


def _stats(outcome: PodOutcome, report: KperfReport) -> PodStats:
    pools = None if report.latencies_by_url is None else list(report.latencies_by_url.values())
    return PodStats(
        outcome=outcome,
        report=report,
        percentiles=report.percentiles if pools is None else percentile_latencies(pools),
        requests=None if report.samples is None else report.samples + report.error_count,
        busy_seconds=(
            None
            if pools is None
            else math.fsum(map(math.fsum, pools))
            + math.fsum(error.duration_seconds for error in report.errors)
        ),
    )
