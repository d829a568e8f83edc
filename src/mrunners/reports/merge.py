"""Merge what all pods of a run measured into one report, exactly.

It must not read logs or ask the cluster, and it drops nothing silently: what is not merged stands
in the coverage, what is merged only in part stands in the notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from mrunners.durations import format_go_duration
from mrunners.reports.analysis.analyse import analyse
from mrunners.reports.analysis.pod_stats import PodStats
from mrunners.reports.analysis.start_skew import first_start, start_lag_seconds
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.coverage import Coverage, MissingPod, PodRef
from mrunners.reports.distribution import latency_distribution
from mrunners.reports.flat_merge import merge_flat, pool_raw, pools_by_url
from mrunners.reports.merged import MergedError, MergedReport, PodSummary, RunnerSummary
from mrunners.reports.outcomes import PodOutcome, RunIdentity
from mrunners.reports.samples import KperfReport
from mrunners.text import printable

__all__ = ["merge", "runner_summaries"]

# A note is a line to read, and the keys come from untrusted text.
_NAMED_KEYS = 10


def merge(
    run: RunIdentity,
    outcomes: Sequence[PodOutcome],
    *,
    asked: Mapping[str, TargetLoad] | None = None,
    raw: bool = False,
    requests_by_us: int | None = None,
) -> MergedReport:
    """One report for the whole run.

    kperf's own keys are computed as its group merge does (runner/utils.go,
    buildRunnerGroupSummary): raw samples pooled, counts and bytes summed, the longest duration.

    Args:
        run: which run it is.
        outcomes: one for each planned pod, in any order.
        asked: what each Job's load profile asks of a pod; a Job that is absent is not judged.
        raw: whether `latenciesByURL` and `errors` are kept (some 100 bytes of memory a sample).
        requests_by_us: how many API requests this project itself sent during the run.
    Returns: the merged report; Jobs in the plan's order, pods by index, URLs sorted.
    Raises: ValueError: two outcomes are for the same pod.
    """
    ordered = sorted(outcomes, key=lambda outcome: (outcome.job_index, outcome.index))
    places = {(outcome.job, outcome.index) for outcome in ordered}
    if len(places) != len(ordered):
        raise ValueError("two outcomes are for the same completion index of a Job")
    reports = _reports(ordered)
    flat = merge_flat(reports)
    found = analyse(ordered, asked or {})
    pooled = pool_raw(reports) if raw else None
    return MergedReport(
        total=flat.total,
        duration=flat.duration,
        error_stats=flat.error_stats,
        received_bytes=flat.received_bytes,
        percentile_latencies=flat.percentile_latencies,
        percentile_latencies_by_url=flat.percentile_latencies_by_url,
        tracker=run.tracker,
        namespace=run.namespace,
        run=run.run_id,
        coverage=_coverage(ordered),
        notes=_notes(ordered),
        start_skew_seconds=found.start_skew_seconds,
        requests_by_us=requests_by_us,
        overlap_seconds=found.overlap_seconds,
        findings=found.findings,
        throughput=found.throughput,
        stragglers=found.stragglers,
        nodes=found.nodes,
        error_classes=found.error_classes,
        runners=runner_summaries(ordered, found.stats),
        latency_distribution=latency_distribution(pools_by_url(reports)),
        latencies_by_url=pooled,
        errors=_errors(reports) if raw else None,
    )


def _reports(outcomes: Sequence[PodOutcome]) -> list[KperfReport]:
    return [outcome.report for outcome in outcomes if outcome.report is not None]


def _coverage(outcomes: Sequence[PodOutcome]) -> Coverage:
    return Coverage(
        expected=len(outcomes),
        merged=sum(outcome.report is not None for outcome in outcomes),
        missing=tuple(
            MissingPod(
                job=outcome.job,
                index=outcome.index,
                pod=outcome.pod,
                node=outcome.node,
                reason=outcome.missing,
                detail=outcome.detail,
            )
            for outcome in outcomes
            if outcome.missing is not None
        ),
        nothing_succeeded=tuple(
            PodRef(job=outcome.job, index=outcome.index, pod=outcome.pod, node=outcome.node)
            for outcome in outcomes
            if outcome.report is not None and outcome.report.nothing_succeeded
        ),
    )


def _notes(outcomes: Sequence[PodOutcome]) -> tuple[str, ...]:
    notes = []
    reports = _reports(outcomes)
    without_raw = sum(report.latencies_by_url is None for report in reports)
    if without_raw:
        notes.append(
            f"{without_raw} of {len(reports)} reports have no raw data, so merged percentiles "
            "cannot be computed; run kperf with --raw-data, as mrunners does. Each pod's own "
            "percentiles are kept under runners"
        )
    unknown = sorted({key for report in reports for key in report.unknown_keys})
    if unknown:
        notes.append(
            f"kperf's reports have {len(unknown)} keys that this mrunners does not know; they "
            f"are left out: {', '.join(printable(key, 40) for key in unknown[:_NAMED_KEYS])}"
        )
    return tuple(notes)


def _errors(reports: Sequence[KperfReport]) -> tuple[MergedError, ...]:
    return tuple(
        MergedError(
            method=error.method,
            url=error.url,
            timestamp=error.timestamp,
            duration_seconds=error.duration_seconds,
            type=error.type,
            code=error.code,
            message=error.message,
        )
        for report in reports
        for error in report.errors
    )


def runner_summaries(
    outcomes: Sequence[PodOutcome], stats: Mapping[tuple[str, int], PodStats]
) -> tuple[RunnerSummary, ...]:
    """The summaries in the order of the outcomes.

    Args:
        outcomes: of all planned pods, in the order of the plan.
        stats: of those that are merged, by Job and completion index.
    """
    first = first_start(outcomes)
    by_job: dict[str, list[PodOutcome]] = {}
    for outcome in outcomes:
        by_job.setdefault(outcome.job, []).append(outcome)
    return tuple(
        RunnerSummary(
            uri=pods[0].uri,
            job=job,
            pods=tuple(_pod(pod, stats.get((job, pod.index)), first) for pod in pods),
            report=merge_flat([pod.report for pod in pods if pod.report is not None]),
        )
        for job, pods in by_job.items()
    )


def _pod(outcome: PodOutcome, stats: PodStats | None, first: datetime | None) -> PodSummary:
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
        percentile_latencies=None if stats is None else stats.percentiles,
        start_lag_seconds=start_lag_seconds(outcome, first),
        requests_per_second=None if stats is None else stats.requests_per_second,
    )
