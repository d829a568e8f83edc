"""The sections on runners and pods: the plan, its load, missing reports, and when pods ran."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from markupsafe import Markup

from mrunners.durations import format_duration, parse_go_duration
from mrunners.formatting import grouped, milliseconds, per_second, percent
from mrunners.render.html.plots.timeline import Lane, Span, draw_timeline
from mrunners.render.html.tables import Cell, Column, Table, cell, number
from mrunners.reports.analysis.throughput import ThroughputLimit
from mrunners.reports.merged import MergedReport, PodSummary, RunnerSummary

__all__ = ["missing_table", "pods_table", "runners_table", "throughput_table", "timeline"]


def runners_table(report: MergedReport) -> Table:
    """Return each runner URI with its Job and results, in plan order."""
    return Table(
        name="runners",
        title="Runners",
        note="In plan order; latency in milliseconds.",
        rows_are="runners",
        columns=(
            Column("runner", numeric=False),
            *map(Column, ("pods", "merged", "successes", "errors", "p50", "p99")),
        ),
        rows=tuple(
            (
                cell(runner.uri, runner.job, limit=300),
                number(grouped(len(runner.pods))),
                _merged(runner),
                number(grouped(runner.report.total)),
                _errors(runner.report.error_count),
                *_median_and_p99(runner.report.percentile_latencies),
            )
            for runner in report.runners
        ),
    )


def _merged(runner: RunnerSummary) -> Cell:
    merged = sum(pod.missing is None for pod in runner.pods)
    return number(grouped(merged), tone="" if merged == len(runner.pods) else "bad")


def _errors(count: int | None) -> Cell:
    return number(grouped(count), tone="bad" if count else "")


def _median_and_p99(pairs: tuple[tuple[float, float], ...] | None) -> tuple[Cell, Cell]:
    at = dict(pairs or ())
    return number(milliseconds(at.get(0.5))), number(milliseconds(at.get(0.99)))


_LIMITS: Mapping[ThroughputLimit, str] = {
    ThroughputLimit.RATE: "the profile's rate",
    ThroughputLimit.PROFILE: "kperf itself, by the profile",
    ThroughputLimit.ANSWERS: "the wait for answers",
    ThroughputLimit.RUNNERS: "the runners or their nodes",
    ThroughputLimit.START_SKEW: "pods that did not run together",
    ThroughputLimit.UNKNOWN: "unknown",
}


# What makes the figures say less about the server than they seem to.
_UNEXPECTED = {ThroughputLimit.RUNNERS, ThroughputLimit.PROFILE, ThroughputLimit.START_SKEW}


def throughput_table(report: MergedReport) -> Table:
    """Return the target load of each Job beside the load that was achieved."""
    return Table(
        name="throughput",
        title="Target and achieved load",
        note="Requests per second of the merged pods, errors included; achieved: over the Job's "
        "own time from its first pod's start to its last answer.",
        rows_are="Jobs",
        columns=(
            Column("Job", numeric=False),
            *map(Column, ("target/s", "achieved/s", "clients per pod", "mean ms", "clients busy")),
            Column("limited by", numeric=False),
        ),
        rows=tuple(
            (
                cell(job.job, limit=120),
                number(per_second(job.target_per_second)),
                number(per_second(job.achieved_per_second)),
                number(grouped(job.clients_per_pod)),
                number(milliseconds(job.mean_latency_seconds)),
                number("-" if job.clients_busy is None else percent(job.clients_busy)),
                Cell(
                    _LIMITS[job.limit],
                    tone="warn" if job.limit in _UNEXPECTED else "",
                ),
            )
            for job in report.throughput.jobs
        ),
    )


def missing_table(report: MergedReport) -> Table:
    """Return each pod without a merged report, then those of which no request succeeded."""
    coverage = report.coverage
    rows = [
        (
            cell(f"{pod.job} index {pod.index}", pod.pod or "", limit=120),
            Cell(pod.reason.value, tone="bad"),
            cell(pod.detail or "-", limit=300),
            cell(pod.node, limit=120),
        )
        for pod in coverage.missing
    ]
    rows += [
        (
            cell(f"{pod.job} index {pod.index}", pod.pod or "", limit=120),
            Cell("nothing succeeded", tone="warn"),
            Cell("the report is merged, but no request succeeded"),
            cell(pod.node, limit=120),
        )
        for pod in coverage.nothing_succeeded
    ]
    return Table(
        name="missing",
        title="Missing or failed reports",
        note="docs/report.md of mrunners says what each reason means and what to do.",
        rows_are="pods",
        columns=tuple(Column(name, numeric=False) for name in ("pod", "reason", "detail", "node")),
        rows=tuple(rows),
    )


def pods_table(report: MergedReport) -> Table:
    """Return every planned pod, in plan order."""
    starts = [pod.started_at for r in report.runners for pod in r.pods if pod.started_at]
    first = min(starts) if starts else None
    slow_by: dict[tuple[str, int], list[str]] = defaultdict(list)
    for straggler in report.stragglers:
        slow_by[straggler.job, straggler.index].append(straggler.metric.value)
    return Table(
        name="pods",
        title="Every planned pod",
        note="Start in seconds after the first pod's, load in seconds, latency in milliseconds.",
        rows_are="pods",
        columns=(
            Column("pod", numeric=False),
            Column("report", numeric=False),
            *map(Column, ("start", "load", "successes", "errors", "p50", "p99")),
        ),
        rows=tuple(
            (
                cell(pod.name or f"{runner.job} index {pod.index}", pod.node or "", limit=120),
                _state(pod, slow_by[runner.job, pod.index]),
                _start(pod.started_at, first),
                _load(pod),
                number(grouped(pod.samples)),
                _errors(pod.errors),
                *_median_and_p99(pod.percentile_latencies),
            )
            for runner in report.runners
            for pod in runner.pods
        ),
    )


def _state(pod: PodSummary, slow_by: list[str]) -> Cell:
    if pod.missing is not None:
        return Cell(pod.missing.value, tone="bad")
    if pod.nothing_succeeded:
        return Cell("nothing succeeded", tone="warn")
    return Cell(f"slow: {', '.join(slow_by)}", tone="warn") if slow_by else Cell("merged")


def _start(moment: datetime | None, first: datetime | None) -> Cell:
    if moment is None or first is None:
        return number("-")
    return number(f"{(moment - first).total_seconds():,.0f}")


def _load(pod: PodSummary) -> Cell:
    if pod.duration is None:
        return number("-")
    return number(f"{parse_go_duration(pod.duration) / 1e9:,.1f}")


def timeline(report: MergedReport) -> Markup:
    """Return the plot of when each pod ran."""
    lanes = [
        Lane(
            runner.job,
            [
                Span(pod.started_at, pod.finished_at, _color(pod))
                for pod in runner.pods
                if pod.started_at is not None
            ],
        )
        for runner in report.runners
    ]
    skew = report.start_skew_seconds
    return draw_timeline(
        lanes,
        description=f"When each of {sum(len(lane.spans) for lane in lanes)} pods ran, one line per "
        f"pod, grouped by Job. First to last start: {format_duration(skew or 0)}. The table below "
        "has each pod's start.",
    )


def _color(pod: PodSummary) -> str:
    if pod.missing is not None:
        return "bad"
    return "warn" if pod.nothing_succeeded else "accent"
