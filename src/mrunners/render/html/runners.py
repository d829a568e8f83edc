"""The section on the plan: each runner with its results, and its target and achieved load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mrunners.durations import format_duration
from mrunners.formatting import grouped, milliseconds, per_second, percent, profile_names
from mrunners.render.html.tables import Cell, Column, Row, Table, cell, number, percentile_cells
from mrunners.reports.analysis.throughput import Throughput, ThroughputLimit
from mrunners.reports.merged import FlatSummary, MergedReport, PodSummary
from mrunners.text import listed, printable

__all__ = ["profile_texts", "runners_table", "throughput_table"]

_PERCENTILES = (0.5, 0.95, 0.99, 1.0)

# As much as a reader looks at; the JSON report has more.
_MAX_PROFILES = 20
_PROFILE_CHARACTERS = 20_000


def profile_texts(report: MergedReport) -> list[tuple[str, str]]:
    """Return the load profiles with the Jobs that ran them, as printable texts."""
    profiles = () if report.provenance is None else report.provenance.profiles
    return [
        (
            printable(f"Load profile {profile.digest[:12]}: {listed(profile.jobs, 5)}", 500),
            "\n".join(
                printable(line, _PROFILE_CHARACTERS)
                for line in profile.text[:_PROFILE_CHARACTERS].splitlines()
            ),
        )
        for profile in profiles[:_MAX_PROFILES]
        if profile.text is not None
    ]


def runners_table(report: MergedReport) -> Table:
    """Return each runner URI with its Job and results, in plan order."""
    return Table(
        name="runners",
        title="Runners",
        note="In plan order; latency in milliseconds.",
        rows_are="runners",
        columns=(
            Column("runner", numeric=False, sub="Job"),
            *map(Column, ("pods", "merged", "successes", "errors", "p50", "p95", "p99", "max")),
        ),
        rows=tuple(
            (cell(runner.uri, runner.job, limit=300), *_figures(runner.pods, runner.report))
            for runner in report.runners
        ),
        total=_total(
            "all runners", _figures([pod for r in report.runners for pod in r.pods], report), report
        ),
    )


def _figures(pods: Sequence[PodSummary], report: FlatSummary) -> Row:
    """Return the cells of a runner, or of all of them."""
    merged = sum(pod.missing is None for pod in pods)
    return (
        number(grouped(len(pods))),
        number(grouped(merged), tone="" if merged == len(pods) else "bad"),
        number(grouped(report.total)),
        number(grouped(report.error_count), tone="bad" if report.error_count else ""),
        *percentile_cells(report.percentile_latencies, _PERCENTILES),
    )


def _total(name: str, figures: Row, report: MergedReport, *, over: str = "") -> Row | None:
    """Return the row below all runners; None when there is only one."""
    return (cell(name, over), *figures) if len(report.runners) > 1 else None


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
    """Return the target load of each Job beside the load that was achieved, and of the run."""
    profiles = dict(
        zip(
            [runner.job for runner in report.runners],
            profile_names([runner.uri for runner in report.runners]),
            strict=True,
        )
    )
    return Table(
        name="throughput",
        title="Target and achieved load",
        note="Requests per second of the merged pods, errors included; achieved: over the Job's "
        "own time from its first pod's start to its last answer. Jobs that take different times "
        "do not add up to the run.",
        rows_are="Jobs",
        columns=(
            Column("Job", numeric=False, sub="profile"),
            *map(Column, ("target/s", "achieved/s", "clients per pod", "mean ms", "clients busy")),
            Column("limited by", numeric=False),
        ),
        rows=tuple(
            (
                cell(job.job, profiles.get(job.job, ""), limit=120),
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
        total=_total("all Jobs", _loads(report.throughput), report, over=_over(report.throughput)),
    )


def _loads(throughput: Throughput) -> Row:
    known = (
        number(per_second(throughput.target_per_second)),
        number(per_second(throughput.achieved_per_second)),
    )
    return (*known, *([Cell("")] * 4))


def _over(throughput: Throughput) -> str:
    seconds = throughput.wall_seconds
    if seconds is None:
        return ""
    return f"mean over {format_duration(seconds)} from first start to last answer"
