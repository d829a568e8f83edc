"""The top of the page: what the run was, whether its report is complete, and its key figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC

from mrunners.durations import format_duration, parse_go_duration
from mrunners.formatting import byte_size, counted, grouped, milliseconds, per_second, percent
from mrunners.render.request_rows import MAX_QUOTED, request_rows
from mrunners.reports.conclusion import Conclusion, FailOn
from mrunners.reports.merged import MergedReport
from mrunners.text import printable

__all__ = ["Headline", "KeyFigure", "headline"]

# A request that is longer is shortened in its middle.
_NAME = 90


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A number to quote.

    Attributes:
        name: What is measured.
        value: The number as people read it.
        unit: Its unit, if it has one.
        note: What puts it into proportion.
        tone: `bad`, or empty.
    """

    name: str
    value: str
    unit: str = ""
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """What the page begins with.

    Attributes:
        name: Namespace and tracker.
        start: When the run started, which tells it from others of this name.
        run: The run's ID.
        when: When and where the pods ran.
        conclusion: Whether the report can be relied on, in a word or a few.
        tone: `good`, `warn` or `bad`.
        verdict: How complete it is, in one line.
        meaning: What that means for a reader of the numbers.
        key_figures: The numbers to quote, in order.
        left_out: Of how many requests there is no number; 0 when it is none.
    """

    name: str
    start: str
    run: str
    when: str
    conclusion: str
    tone: str
    verdict: str
    meaning: str
    key_figures: tuple[KeyFigure, ...]
    left_out: int


def headline(report: MergedReport) -> Headline:
    """Return what the page begins with."""
    conclusion, tone, meaning = _conclusion(report)
    latencies, left_out = _latencies(report)
    return Headline(
        name=f"{printable(report.namespace, 63)} / {printable(report.tracker, 63)}",
        start=_start(report),
        run=printable(report.run, 80),
        when=_when(report),
        conclusion=conclusion,
        tone=tone,
        verdict=report.verdict,
        meaning=meaning,
        key_figures=(*latencies, *_key_figures(report)),
        left_out=left_out,
    )


def _start(report: MergedReport) -> str:
    """Return when the run started; the beginning of its ID when no pod did."""
    pods = [pod for runner in report.runners for pod in runner.pods]
    starts = [pod.started_at for pod in pods if pod.started_at is not None]
    if not starts:
        return f"run {printable(report.run[:8], 80)}"
    return f"{min(starts).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _when(report: MergedReport) -> str:
    pods = [pod for runner in report.runners for pod in runner.pods]
    started = [pod for pod in pods if pod.started_at is not None]
    starts = [pod.started_at for pod in pods if pod.started_at is not None]
    if not starts:
        return "no pod started"
    nodes = len({pod.node for pod in started if pod.node is not None})
    of_planned = "" if len(started) == len(pods) else f"{grouped(len(started))} of "
    return (
        f"started {min(starts).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, "
        f"{of_planned}{counted(len(pods), 'pod')} on {counted(nodes, 'node')}"
    )


def _conclusion(report: MergedReport) -> tuple[str, str, str]:
    """Return the conclusion in words, its tone, and what it means for a reader of the numbers."""
    match report.conclusion():
        case Conclusion.COMPLETE:
            if report.conclusion(FailOn.WARNING) is Conclusion.COMPLETE:
                return "Complete", "good", "All numbers cover every planned pod."
            return (
                "Complete, with warnings",
                "warn",
                "All numbers cover every planned pod, but read the warnings among the findings "
                "first.",
            )
        case Conclusion.SLO_VIOLATED:
            return (
                "Objectives not met",
                "bad",
                "All numbers cover every planned pod; an objective is violated, or there is not "
                "enough data to judge it.",
            )
        case Conclusion.IN_DOUBT:
            return (
                "Figures in doubt",
                "bad",
                "The reports are complete, but the numbers are not about the configured load: read "
                "the errors among the findings before you quote one.",
            )
        case _:
            return "Incomplete", "bad", _meaning_of_gaps(report)


def _meaning_of_gaps(report: MergedReport) -> str:
    if report.coverage.merged == 0:
        return "No report could be merged, so there are no measurements."
    if not report.coverage.missing and report.coverage.nothing_succeeded:
        pods = counted(len(report.coverage.nothing_succeeded), "pod")
        return (
            f"Every report is merged, but no request succeeded in {pods}: the latencies are those "
            "of the other pods, if there are any."
        )
    return (
        "All numbers cover the merged reports only; keep that in mind when you compare them with "
        "another run's."
    )


def _key_figures(report: MergedReport) -> tuple[KeyFigure, ...]:
    duration_ns = parse_go_duration(report.duration)
    duration = format_duration(duration_ns / 1e9)
    errors = report.error_count
    skew = report.start_skew_seconds
    return (
        KeyFigure(
            "Throughput",
            per_second(report.throughput.successes_per_second),
            "/s",
            f"successes{_over(report)}; {byte_size(report.received_bytes)} received",
        ),
        KeyFigure(
            "Successes",
            grouped(report.total),
            note=f"over {counted(report.coverage.merged, 'report')}",
        ),
        KeyFigure(
            "Errors",
            grouped(errors),
            note=_error_share(errors, report.total),
            tone="bad" if errors else "",
        ),
        KeyFigure("Load duration", duration, note="of the longest pod"),
        KeyFigure(
            "Start skew",
            "-" if skew is None else format_duration(skew),
            note="from the first pod to the last",
        ),
    )


def _over(report: MergedReport) -> str:
    seconds = report.throughput.wall_seconds
    if seconds is None:
        return ""
    return f", mean over {format_duration(seconds)} from first start to last answer"


def _latencies(report: MergedReport) -> tuple[tuple[KeyFigure, ...], int]:
    """Return the latencies to quote, and of how many requests there is none.

    Those of all requests together mix cheap and expensive ones, so with several requests each of
    the most frequent ones has its own.
    """
    rows = request_rows(report).by_frequency()
    if len(rows) < 2:
        at = dict(report.percentile_latencies or ())
        name = rows[0].name if rows else ""
        shown = (("Median latency", 0.5), ("p99 latency", 0.99), ("Maximum latency", 1.0))
        return tuple(_latency(label, at, p, printable(name, _NAME)) for label, p in shown), 0
    figures = tuple(
        _latency(
            f"p99 of {printable(row.name, _NAME)}",
            row.percentiles,
            0.99,
            f"p50 {milliseconds(row.percentiles.get(0.5))} ms, "
            f"max {milliseconds(row.percentiles.get(1.0))} ms",
        )
        for row in rows[:MAX_QUOTED]
    )
    return figures, len(rows) - len(figures)


def _latency(name: str, at: Mapping[float, float], p: float, note: str) -> KeyFigure:
    seconds = at.get(p)
    return KeyFigure(name, milliseconds(seconds), "" if seconds is None else "ms", note)


def _error_share(errors: int, total: int | None) -> str:
    if total is None or errors + total == 0:
        return ""
    return f"{percent(errors / (errors + total))} of requests"
