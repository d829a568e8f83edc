"""The merged report for a terminal: the verdict first, then what was measured and where.

It must not compute what the report does not say, and must not print: it returns text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from mrunners.durations import format_duration, parse_go_duration
from mrunners.reports.coverage import Coverage, PodRef
from mrunners.reports.merged import FlatSummary, MergedReport, RunnerSummary
from mrunners.reports.percentiles import PERCENTILES
from mrunners.views.figures import byte_size, grouped, milliseconds, percentile_name, rate
from mrunners.views.text import safe_cell
from mrunners.views.urls import shared_server, without_server

__all__ = ["render_table"]

# A terminal shows some 50 lines; whoever needs the rest has the JSON.
_MAX_ROWS = 20

_NARROWEST = 60

_PercentilePairs = Sequence[tuple[float, float]]


def render_table(report: MergedReport, *, width: int = 80, color: bool = False) -> str:
    """The report as text for people.

    Args:
        report: the merged report; its strings may be hostile.
        width: of the terminal, in columns; 60 at least are used.
        color: whether to write terminal colours.
    Returns: lines of at most `width` columns, ended by a newline.
    """
    out = StringIO()
    console = Console(
        file=out,
        width=max(width, _NARROWEST),
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    for part in _parts(report):
        if isinstance(part, Table):
            console.print()
        console.print(part)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _parts(report: MergedReport) -> Iterable[RenderableType]:
    yield Text(report.verdict, style="bold green" if report.complete else "bold red")
    yield _summary(report)
    for note in report.notes:
        yield safe_cell(f"note: {note}", 1000, "yellow")
    yield _latencies(report)
    if report.error_stats:
        yield _errors(report.error_stats)
    yield _runners(report.runners)
    if report.coverage.missing or report.coverage.nothing_succeeded:
        yield _gaps(report.coverage)


def _summary(report: MergedReport) -> Text:
    duration_ns = parse_go_duration(report.duration)
    facts = [
        f"{grouped(report.total)} samples and {grouped(_error_count(report))} errors "
        f"in {format_duration(duration_ns / 1e9)}",
        f"{rate(report.total, duration_ns)} successes/s",
        f"{byte_size(report.received_bytes)} received",
    ]
    if report.start_skew_seconds is not None:
        facts.append(f"pods started within {format_duration(report.start_skew_seconds)}")
    return Text("; ".join(facts))


def _latencies(report: MergedReport) -> Table:
    by_url = report.percentile_latencies_by_url or {}
    server = shared_server(list(by_url))
    table = _table("Latency of successes, ms" + (f"; server {server}" if server else ""))
    table.add_column("request", ratio=1)
    for p in PERCENTILES:
        table.add_column(percentile_name(p), justify="right", no_wrap=True)
    table.add_row("all requests", *_latency_cells(report.percentile_latencies))
    for url in list(by_url)[:_MAX_ROWS]:
        table.add_row(safe_cell(without_server(url, server), 120), *_latency_cells(by_url[url]))
    _add_rest(table, len(by_url) - _MAX_ROWS, "requests")
    return table


def _errors(error_stats: dict[str, int]) -> Table:
    table = _table("Errors")
    table.add_column("class", ratio=1)
    table.add_column("count", justify="right", no_wrap=True)
    frequent = sorted(error_stats.items(), key=lambda item: (-item[1], item[0]))
    for key, count in frequent[:_MAX_ROWS]:
        table.add_row(safe_cell(key, 160), grouped(count))
    rest = frequent[_MAX_ROWS:]
    if rest:
        table.add_row(f"{len(rest)} more classes", grouped(sum(count for _, count in rest)))
    return table


def _runners(runners: Sequence[RunnerSummary]) -> Table:
    table = _table("Runners")
    table.add_column("job, URI", ratio=1, overflow="fold")
    for name in ("merged", "samples", "errors", "p50 ms", "p99 ms", "hosts"):
        table.add_column(name, justify="right", no_wrap=True)
    for runner in runners[:_MAX_ROWS]:
        merged = sum(pod.missing is None for pod in runner.pods)
        table.add_row(
            Text.assemble(safe_cell(runner.job), "\n", safe_cell(runner.uri, 120, "dim")),
            f"{merged}/{len(runner.pods)}",
            grouped(runner.report.total),
            grouped(_error_count(runner.report)),
            milliseconds(_at(runner.report.percentile_latencies, 0.5)),
            milliseconds(_at(runner.report.percentile_latencies, 0.99)),
            grouped(len({pod.node for pod in runner.pods if pod.node is not None})),
        )
    _add_rest(table, len(runners) - _MAX_ROWS, "runners")
    return table


def _gaps(coverage: Coverage) -> Table:
    table = _table("Missing, or without a success")
    for name in ("job", "index", "pod", "host"):
        table.add_column(name, justify="right" if name == "index" else "left", overflow="fold")
    table.add_column("reason", ratio=1, overflow="fold")
    rows: list[tuple[PodRef, str]] = [
        (pod, f"{pod.reason.value}: {pod.detail}" if pod.detail else pod.reason.value)
        for pod in coverage.missing
    ]
    rows += [(pod, "nothing succeeded") for pod in coverage.nothing_succeeded]
    for pod, why in rows[:_MAX_ROWS]:
        table.add_row(
            safe_cell(pod.job, 40),
            str(pod.index),
            safe_cell(pod.pod or "-", 64),
            safe_cell(pod.node or "-", 40),
            safe_cell(why),
        )
    _add_rest(table, len(rows) - _MAX_ROWS, "pods")
    return table


def _table(title: str) -> Table:
    return Table(
        title=safe_cell(title),
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        expand=True,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )


def _add_rest(table: Table, more: int, of_what: str) -> None:
    if more > 0:
        table.add_row(Text(f"{more} more {of_what}: see the JSON report", style="dim"))


def _latency_cells(pairs: _PercentilePairs | None) -> list[str]:
    return [milliseconds(_at(pairs, p)) for p in PERCENTILES]


def _at(pairs: _PercentilePairs | None, p: float) -> float | None:
    return dict(pairs or ()).get(p)


def _error_count(summary: FlatSummary) -> int:
    return sum(summary.error_stats.values())
