"""The top of the page: what the run was, whether its report is whole, and the figures to quote.

It must not draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from mrunners.durations import format_duration, parse_go_duration
from mrunners.formatting import byte_size, counted, grouped, milliseconds, percent, rate
from mrunners.reports.merged import FlatSummary, MergedReport
from mrunners.text import printable

__all__ = ["Figure", "Headline", "error_count", "headline"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name and unit; `note` puts it into proportion."""

    name: str
    value: str
    unit: str = ""
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """What stands above everything else."""

    title: str
    when: str
    complete: bool
    verdict: str
    meaning: str
    figures: tuple[Figure, ...]


def headline(report: MergedReport) -> Headline:
    """The top of the page."""
    return Headline(
        title=f"{printable(report.namespace, 63)} / {printable(report.tracker, 63)}",
        when=_when(report),
        complete=report.complete,
        verdict=report.verdict,
        meaning=_meaning(report),
        figures=_figures(report),
    )


def _when(report: MergedReport) -> str:
    pods = [pod for runner in report.runners for pod in runner.pods]
    starts = [pod.started_at for pod in pods if pod.started_at is not None]
    if not starts:
        return "no pod started"
    nodes = len({pod.node for pod in pods if pod.node is not None})
    ran = sum(pod.started_at is not None for pod in pods)
    return (
        f"started {min(starts).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, "
        f"{counted(ran, 'pod')} on {counted(nodes, 'node')}"
    )


def _meaning(report: MergedReport) -> str:
    coverage = report.coverage
    if report.complete:
        return "Every figure stands for all planned pods."
    if coverage.merged == 0:
        return "No report could be merged, so there is nothing to measure by."
    return (
        "The figures stand for the merged reports only; compare them with another run's with that "
        "in mind."
    )


def _figures(report: MergedReport) -> tuple[Figure, ...]:
    duration_ns = parse_go_duration(report.duration)
    errors = error_count(report)
    at = dict(report.percentile_latencies or ())
    skew = report.start_skew_seconds
    return (
        _latency("Median latency", at, 0.5),
        _latency("p99 latency", at, 0.99),
        _latency("Longest", at, 1.0),
        Figure(
            "Throughput",
            rate(report.total, duration_ns),
            "/s",
            f"successes; {byte_size(report.received_bytes)} received",
        ),
        Figure(
            "Successes",
            grouped(report.total),
            note=f"over {counted(report.coverage.merged, 'report')}",
        ),
        Figure(
            "Errors",
            grouped(errors),
            note=_error_share(errors, report.total),
            tone="bad" if errors else "",
        ),
        Figure("Load ran", format_duration(duration_ns / 1e9), note="in the longest pod"),
        Figure(
            "Start skew",
            "-" if skew is None else format_duration(skew),
            note="from the first pod to the last",
        ),
    )


def _latency(name: str, at: dict[float, float], p: float) -> Figure:
    seconds = at.get(p)
    return Figure(name, milliseconds(seconds), "" if seconds is None else "ms", "all requests")


def _error_share(errors: int, total: int | None) -> str:
    if total is None or errors + total == 0:
        return ""
    return f"{percent(errors / (errors + total))} of requests"


def error_count(summary: FlatSummary) -> int:
    """Failed requests of all classes."""
    return sum(summary.error_stats.values())
