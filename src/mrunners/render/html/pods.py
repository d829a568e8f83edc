"""The section on pods: when each of them ran, and what it measured."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from markupsafe import Markup

from mrunners.durations import format_duration, parse_go_duration
from mrunners.formatting import grouped, milliseconds, profile_names
from mrunners.render.html.plots.timeline import Lane, Span, draw_timeline
from mrunners.render.html.tables import Cell, Column, Table, cell, number, percentile_cells
from mrunners.reports.merged import MergedReport, PodSummary
from mrunners.text import printable

__all__ = ["pods_table", "timeline"]

_PERCENTILES = (0.5, 0.95, 0.99, 1.0)


def pods_table(report: MergedReport) -> Table:
    """Return every planned pod, in plan order."""
    first = _first_start(report)
    slow_by: dict[tuple[str, int], list[str]] = defaultdict(list)
    for straggler in report.stragglers:
        slow_by[straggler.job, straggler.index].append(straggler.metric.value)
    return Table(
        name="pods",
        title="Every planned pod",
        note="Start in seconds after the first pod's, load in seconds, latency in milliseconds.",
        rows_are="pods",
        columns=(
            Column("pod", numeric=False, sub="node"),
            Column("report", numeric=False),
            *map(Column, ("start", "load", "successes", "errors", "p50", "p95", "p99", "max")),
        ),
        rows=tuple(
            (
                cell(pod.name or f"{runner.job} index {pod.index}", pod.node or "", limit=120),
                _state(pod, slow_by[runner.job, pod.index]),
                _start(pod.started_at, first),
                _load(pod),
                number(grouped(pod.samples)),
                number(grouped(pod.errors), tone="bad" if pod.errors else ""),
                *percentile_cells(pod.percentile_latencies, _PERCENTILES),
            )
            for runner in report.runners
            for pod in runner.pods
        ),
    )


def _first_start(report: MergedReport) -> datetime | None:
    pods = [pod for runner in report.runners for pod in runner.pods]
    return min((pod.started_at for pod in pods if pod.started_at is not None), default=None)


def _state(pod: PodSummary, slow_by: list[str]) -> Cell:
    if pod.missing is not None:
        return Cell(pod.missing.value, tone="bad")
    if pod.nothing_succeeded:
        return Cell("nothing succeeded", tone="warn")
    return Cell(f"slow: {', '.join(slow_by)}", tone="warn") if slow_by else Cell("merged")


def _start(moment: datetime | None, first: datetime | None) -> Cell:
    if moment is None or first is None:
        return number("-")
    # Whole seconds where the log does not say it.
    return number(f"{(moment - first).total_seconds():,.2f}".rstrip("0").rstrip("."))


def _load(pod: PodSummary) -> Cell:
    if pod.duration is None:
        return number("-")
    return number(f"{parse_go_duration(pod.duration) / 1e9:,.1f}")


def timeline(report: MergedReport) -> Markup:
    """Return the plot of when each pod ran."""
    first = _first_start(report)
    profiles = profile_names([runner.uri for runner in report.runners])
    lanes = [
        Lane(
            runner.job,
            profile,
            [_span(runner.job, pod, first) for pod in runner.pods],
        )
        for runner, profile in zip(report.runners, profiles, strict=True)
    ]
    started = sum(span.start is not None for lane in lanes for span in lane.spans)
    skew = report.start_skew_seconds
    return draw_timeline(
        lanes,
        description=f"When each of {started} pods ran, one line per planned pod, grouped by Job. "
        f"First to last start: {format_duration(skew or 0)}. The table below has each pod's start.",
    )


def _span(job: str, pod: PodSummary, first: datetime | None) -> Span:
    color, reason = "accent", ""
    if pod.missing is not None:
        color, reason = "bad", pod.missing.value
    elif pod.nothing_succeeded:
        color, reason = "warn", "nothing succeeded"
    return Span(
        start=pod.started_at,
        end=pod.finished_at,
        color=color,
        label=f"{pod.index} {'' if pod.node is None else printable(pod.node, 63)}".rstrip(),
        reason=reason,
        values=_values(job, pod, first, reason),
    )


def _values(job: str, pod: PodSummary, first: datetime | None, reason: str) -> str:
    """Return a pod's line in words, such as `mrunners-0-1-abcde on node-1: 0s to 60s, p99 2 ms`."""
    text = printable(pod.name or f"{job} index {pod.index}", 80)
    if pod.node is not None:
        text += f" on {printable(pod.node, 63)}"
    facts = [reason] if reason else []
    if pod.started_at is None or first is None:
        facts.append("start unknown" if pod.name is not None else "did not start")
    else:
        end = pod.finished_at
        until = "an unknown end" if end is None else _after(end, first)
        facts.append(f"{_after(pod.started_at, first)} to {until}")
    at = dict(pod.percentile_latencies or ())
    if 0.99 in at:
        facts.append(f"p99 {milliseconds(at[0.99])} ms")
    return f"{text}: {', '.join(facts)}"


def _after(moment: datetime, first: datetime) -> str:
    return format_duration((moment - first).total_seconds())
