"""One summary for each runner URI: its Job, its pods, and their merged figures.

It must not look at a Job's neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from mrunners.durations import format_go_duration
from mrunners.reports.analysis.pod_stats import PodFigures
from mrunners.reports.analysis.start_skew import first_start, start_lag_seconds
from mrunners.reports.flat_merge import merge_flat
from mrunners.reports.merged import PodSummary, RunnerSummary
from mrunners.reports.outcomes import PodOutcome

__all__ = ["runner_summaries"]


def runner_summaries(
    outcomes: Sequence[PodOutcome], figures: Mapping[tuple[str, int], PodFigures]
) -> tuple[RunnerSummary, ...]:
    """The summaries in the order of the outcomes.

    Args:
        outcomes: of all planned pods, in the order of the plan.
        figures: of those that are merged, by Job and completion index.
    """
    first = first_start(outcomes)
    by_job: dict[str, list[PodOutcome]] = {}
    for outcome in outcomes:
        by_job.setdefault(outcome.job, []).append(outcome)
    return tuple(
        RunnerSummary(
            uri=pods[0].uri,
            job=job,
            pods=tuple(_pod(pod, figures.get((job, pod.index)), first) for pod in pods),
            report=merge_flat([pod.report for pod in pods if pod.report is not None]),
        )
        for job, pods in by_job.items()
    )


def _pod(outcome: PodOutcome, figures: PodFigures | None, first: datetime | None) -> PodSummary:
    report = outcome.report
    return PodSummary(
        index=outcome.index,
        name=outcome.pod,
        node=outcome.node,
        started_at=outcome.started_at,
        finished_at=outcome.finished_at,
        exit_code=outcome.exit_code,
        missing=outcome.missing,
        samples=None if report is None else report.samples,
        errors=None if report is None else report.error_count,
        duration=None if report is None else format_go_duration(report.duration_ns),
        received_bytes=None if report is None else report.received_bytes,
        percentile_latencies=None if figures is None else figures.percentiles,
        start_lag_seconds=start_lag_seconds(outcome, first),
        requests_per_second=None if figures is None else figures.requests_per_second,
    )
