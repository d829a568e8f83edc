"""Merge the outcomes of all pods of a run into one report, exactly.

Nothing is dropped silently: a report that is not merged is in the coverage with its reason, and
what cannot be merged completely is in the notes. A doubtful report never gets here: the parsers
refuse it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from mrunners.durations import format_go_duration
from mrunners.formatting import counted
from mrunners.refs import RunRef
from mrunners.reports.analysis.analyze import analyze
from mrunners.reports.analysis.pod_stats import PodStats
from mrunners.reports.analysis.start_skew import first_start, start_lag_seconds
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.coverage import Coverage, MissingPod, PodRef
from mrunners.reports.distribution import latency_distribution
from mrunners.reports.flat_report import columns_by_url, merge_flat, pool_raw
from mrunners.reports.merged import (
    FlatSummary,
    MergedError,
    MergedReport,
    PodSummary,
    RunnerSummary,
)
from mrunners.reports.outcomes import PodOutcome
from mrunners.reports.provenance import RunFacts, provenance_of
from mrunners.reports.resource_summaries import resource_summaries
from mrunners.reports.samples import KperfReport
from mrunners.reports.traffic import Traffic, count_requests
from mrunners.text import listed, printable

__all__ = ["merge"]

# A note is one line, and the keys come from untrusted text.
_MAX_NAMED_KEYS = 10
_MAX_KEY_CHARACTERS = 40
_MAX_WARNING_CHARACTERS = 600


def merge(
    run: RunRef,
    run_id: str,
    outcomes: Sequence[PodOutcome],
    *,
    targets: Mapping[str, TargetLoad] | None = None,
    raw: bool = False,
    traffic_by_us: Traffic | None = None,
    facts: RunFacts | None = None,
    notes: Sequence[str] = (),
) -> MergedReport:
    """Merge the outcomes of a run into one report.

    kperf's own keys are computed as its group merge does (runner/utils.go,
    buildRunnerGroupSummary): raw samples pooled, counts and bytes summed, the longest duration.

    Args:
        run: Which run it is.
        run_id: Its UUID, as in the labels.
        outcomes: One for each planned pod, in any order.
        targets: By Job name, what the load profile sets for each pod; a Job that is absent is not
            compared with a target.
        raw: Whether to keep `latenciesByURL` and `errors` (some 100 bytes of memory per sample).
        traffic_by_us: What mrunners itself sent to the API server during the run.
        facts: What plan and cluster know of the run; None leaves it without a provenance.
        notes: What else a reader should know, one line each.

    Returns:
        The merged report; Jobs in plan order, pods by index, URLs sorted.

    Raises:
        ValueError: Two outcomes are for the same pod.
    """
    ordered = sorted(outcomes, key=lambda outcome: (outcome.job_index, outcome.index))
    if len({(outcome.job, outcome.index) for outcome in ordered}) != len(ordered):
        raise ValueError("two outcomes are for the same completion index of a Job")
    reports = _reports(ordered)
    flat = merge_flat(reports)
    start_at = None if facts is None else facts.start_at
    analysis = analyze(ordered, targets or {}, start_at)
    columns = columns_by_url(reports)
    return MergedReport(
        total=flat.total,
        duration=flat.duration,
        error_stats=flat.error_stats,
        received_bytes=flat.received_bytes,
        percentile_latencies=flat.percentile_latencies,
        percentile_latencies_by_url=flat.percentile_latencies_by_url,
        tracker=run.tracker,
        namespace=run.namespace,
        run=run_id,
        provenance=None if facts is None else provenance_of(facts, ordered),
        coverage=_coverage(ordered),
        notes=(*notes, *_profile_notes(targets or {}), *_notes(reports)),
        start_skew_seconds=analysis.start_skew_seconds,
        requests_by_us=None if traffic_by_us is None else count_requests(traffic_by_us),
        traffic_by_us=traffic_by_us,
        overlap_seconds=analysis.overlap_seconds,
        findings=analysis.findings,
        throughput=analysis.throughput,
        stragglers=analysis.stragglers,
        nodes=analysis.nodes,
        error_classes=analysis.error_classes,
        errors_by_url=analysis.errors_by_request,
        error_timeline=analysis.error_timeline,
        runners=_runner_summaries(ordered, analysis.stats, flat),
        resources=resource_summaries(
            columns, flat.percentile_latencies_by_url, analysis.errors_by_request
        ),
        latency_distribution=latency_distribution(columns),
        latencies_by_url=pool_raw(reports) if raw else None,
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


def _notes(reports: Sequence[KperfReport]) -> tuple[str, ...]:
    notes = []
    without_raw = sum(report.latencies_by_url is None for report in reports)
    if without_raw:
        notes.append(
            f"{without_raw} of {len(reports)} reports have no raw data, so the percentiles of the "
            "run cannot be computed; run kperf with --raw-data, as mrunners does. Each pod's own "
            "percentiles are under runners"
        )
    unknown = sorted({key for report in reports for key in report.unknown_keys})
    if unknown:
        names = listed([printable(key, _MAX_KEY_CHARACTERS) for key in unknown], _MAX_NAMED_KEYS)
        notes.append(
            f"kperf's reports have {counted(len(unknown), 'key')} that this release of mrunners "
            f"does not know and leaves out: {names}"
        )
    return tuple(notes)


def _profile_notes(targets: Mapping[str, TargetLoad]) -> Iterator[str]:
    """Yield what was known about the profiles before the start, with the Jobs that run them."""
    jobs_by_warning: dict[str, list[str]] = {}
    for job, target in targets.items():
        for warning in target.warnings:
            jobs_by_warning.setdefault(warning, []).append(printable(job))
    for warning, jobs in jobs_by_warning.items():
        yield f"{listed(jobs)}: {printable(warning, _MAX_WARNING_CHARACTERS)}"


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


def _runner_summaries(
    outcomes: Sequence[PodOutcome], stats: Mapping[tuple[str, int], PodStats], whole: FlatSummary
) -> tuple[RunnerSummary, ...]:
    """Return a summary for each Job, in the order of the outcomes.

    Args:
        outcomes: The outcomes of all planned pods, in plan order.
        stats: The merged pods' statistics, by Job and completion index.
        whole: The summary over all outcomes, which is that of the only Job if there is one.
    """
    first = first_start(outcomes)
    pods_by_job: dict[str, list[PodOutcome]] = {}
    for outcome in outcomes:
        pods_by_job.setdefault(outcome.job, []).append(outcome)
    return tuple(
        RunnerSummary(
            uri=pods[0].uri,
            job=job,
            pods=tuple(_pod_summary(pod, stats.get((job, pod.index)), first) for pod in pods),
            report=whole if len(pods_by_job) == 1 else merge_flat(_reports(pods)),
        )
        for job, pods in pods_by_job.items()
    )


def _pod_summary(outcome: PodOutcome, stats: PodStats | None, first: datetime | None) -> PodSummary:
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
