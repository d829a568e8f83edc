"""The merged report for a terminal: the verdict first, then what was measured and where.

It must not compute what the report does not say, and must not print: it returns text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from mrunners.durations import format_duration, parse_go_duration
from mrunners.formatting import (
    byte_size,
    grouped,
    milliseconds,
    per_second,
    percentile_name,
    rate,
    shared_server,
    without_server,
)
from mrunners.render.terminal.rich_tables import MAX_ROWS, add_rest, safe_cell, titled_table
from mrunners.render.terminal.sections import (
    errors_table,
    finding_lines,
    missing_table,
    stragglers_table,
)
from mrunners.reports.analysis.throughput import JobThroughput
from mrunners.reports.merged import FlatSummary, MergedReport
from mrunners.reports.percentiles import PERCENTILES

__all__ = ["render_table"]

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
    yield from finding_lines(report.findings)
    yield _summary(report)
    for note in report.notes:
        yield safe_cell(f"note: {note}", 1000, "yellow")
    yield _latencies(report)
    if report.error_classes.total:
        yield errors_table(report.error_classes)
    if report.stragglers:
        yield stragglers_table(report.stragglers)
    yield _runners(report)
    if report.coverage.missing or report.coverage.nothing_succeeded:
        yield missing_table(report.coverage)


def _summary(report: MergedReport) -> Text:
    duration_ns = parse_go_duration(report.duration)
    facts = [
        f"{grouped(report.total)} samples and {grouped(_error_count(report))} errors "
        f"in {format_duration(duration_ns / 1e9)}",
        f"{rate(report.total, duration_ns)} successes/s",
        f"{byte_size(report.received_bytes)} received",
    ]
    if report.start_skew_seconds is not None:
        nodes = f" on {len(report.nodes)} nodes" if len(report.nodes) > 1 else ""
        facts.append(f"pods started within {format_duration(report.start_skew_seconds)}{nodes}")
    return Text("; ".join(facts))


def _latencies(report: MergedReport) -> Table:
    by_url = report.percentile_latencies_by_url or {}
    server = shared_server(list(by_url))
    table = titled_table("Latency of successes, ms" + (f"; server {server}" if server else ""))
    table.add_column("request", ratio=1)
    # A p99 of a few samples is their maximum, and no more.
    table.add_column("samples", justify="right", no_wrap=True)
    for p in PERCENTILES:
        table.add_column(percentile_name(p), justify="right", no_wrap=True)
    samples = report.samples_by_url
    every = grouped(report.samples)
    table.add_row("all requests", every, *_latency_cells(report.percentile_latencies))
    for url in list(by_url)[:MAX_ROWS]:
        name = safe_cell(without_server(url, server), 120)
        table.add_row(name, grouped(samples.get(url)), *_latency_cells(by_url[url]))
    add_rest(table, len(by_url) - MAX_ROWS, "requests")
    return table


def _runners(report: MergedReport) -> Table:
    runners = report.runners
    rates = {job.job: job for job in report.throughput.jobs}
    table = titled_table("Runners")
    table.add_column("job, URI", ratio=1, overflow="fold")
    asked = any(job.target_per_second is not None for job in report.throughput.jobs)
    rate_names = ("req/s", "asked") if asked else ("req/s",)
    for name in ("merged", "samples", "errors", *rate_names, "p50 ms", "p99 ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for runner in runners[:MAX_ROWS]:
        merged = sum(pod.missing is None for pod in runner.pods)
        table.add_row(
            Text.assemble(safe_cell(runner.job), "\n", safe_cell(runner.uri, 120, "dim")),
            f"{merged}/{len(runner.pods)}",
            grouped(runner.report.total),
            grouped(_error_count(runner.report)),
            *_rate_cells(rates.get(runner.job), asked=asked),
            milliseconds(_at(runner.report.percentile_latencies, 0.5)),
            milliseconds(_at(runner.report.percentile_latencies, 0.99)),
        )
    add_rest(table, len(runners) - MAX_ROWS, "runners")
    return table


def _rate_cells(job: JobThroughput | None, *, asked: bool) -> list[str]:
    cells = [per_second(None if job is None else job.achieved_per_second)]
    if asked:
        cells.append(per_second(None if job is None else job.target_per_second))
    return cells


def _latency_cells(pairs: _PercentilePairs | None) -> list[str]:
    return [milliseconds(_at(pairs, p)) for p in PERCENTILES]


def _at(pairs: _PercentilePairs | None, p: float) -> float | None:
    return dict(pairs or ()).get(p)


def _error_count(summary: FlatSummary) -> int:
    return sum(summary.error_stats.values())
