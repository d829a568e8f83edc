"""The merged report for a terminal: the verdict first, then what was measured and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from mrunners.durations import format_duration, parse_go_duration
from mrunners.formatting import (
    byte_size,
    counted,
    grouped,
    milliseconds,
    per_second,
    percentile_name,
)
from mrunners.render.request_rows import error_times, request_rows
from mrunners.render.terminal.rich_tables import MAX_ROWS, add_rest, safe_cell, titled_table
from mrunners.render.terminal.sections import (
    errors_table,
    finding_lines,
    missing_table,
    stragglers_table,
)
from mrunners.reports.analysis.throughput import JobThroughput
from mrunners.reports.conclusion import Conclusion, FailOn
from mrunners.reports.merged import MergedReport
from mrunners.reports.percentiles import PERCENTILES

__all__ = ["render_table"]

# Below this, columns of numbers would be cut.
_MIN_WIDTH = 60

_PercentilePairs = Sequence[tuple[float, float]]


def render_table(report: MergedReport, *, width: int = 80, color: bool = False) -> str:
    """Return the report as text for people.

    Args:
        report: The merged report; its strings may be hostile.
        width: Width of the terminal in columns; less than 60 counts as 60.
        color: Whether to write escape sequences for colors.

    Returns:
        Lines of at most `width` columns, each with a newline.
    """
    out = StringIO()
    console = Console(
        file=out,
        width=max(width, _MIN_WIDTH),
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
    yield Text(report.verdict, style=f"bold {_color(report)}")
    yield from finding_lines(report.findings)
    yield _summary(report)
    for note in report.notes:
        yield safe_cell(f"note: {note}", 1000, "yellow")
    yield _latencies(report)
    if report.error_classes.total:
        yield errors_table(report.error_classes)
        if report.error_timeline is not None:
            yield Text(error_times(report.error_timeline), style="dim")
    if report.stragglers:
        yield stragglers_table(report.stragglers)
    yield _runners(report)
    if report.coverage.missing or report.coverage.nothing_succeeded:
        yield missing_table(report.coverage)


def _color(report: MergedReport) -> str:
    if not report.complete:
        return "red"
    return "green" if report.conclusion(FailOn.WARNING) is Conclusion.COMPLETE else "yellow"


def _summary(report: MergedReport) -> Text:
    duration_ns = parse_go_duration(report.duration)
    facts = [
        f"{grouped(report.total)} samples and {grouped(report.error_count)} errors "
        f"in {format_duration(duration_ns / 1e9)}",
        f"{per_second(report.throughput.successes_per_second)} successes/s{_over(report)}",
        f"{byte_size(report.received_bytes)} received",
    ]
    if report.start_skew_seconds is not None:
        facts.append(_starts(report, report.start_skew_seconds))
    return Text("; ".join(facts))


def _over(report: MergedReport) -> str:
    """Return ` over 25s`, the time from the first start to the last answer."""
    seconds = report.throughput.wall_seconds
    longest = format_duration(parse_go_duration(report.duration) / 1e9)
    if seconds is None or format_duration(seconds) == longest:
        return ""
    return f" over {format_duration(seconds)}"


def _starts(report: MergedReport, skew_seconds: float) -> str:
    """Return `2 pods on 2 nodes, started together`, or how far apart they started."""
    started = [
        pod for runner in report.runners for pod in runner.pods if pod.started_at is not None
    ]
    text = counted(len(started), "pod")
    if nodes := {pod.node for pod in started if pod.node is not None}:
        text += f" on {counted(len(nodes), 'node')}"
    if len(started) == 1:
        return text
    # The nodes' clocks give whole seconds.
    skew = "together" if skew_seconds == 0 else f"within {format_duration(skew_seconds)}"
    return f"{text}, started {skew}"


def _latencies(report: MergedReport) -> Table:
    requests = request_rows(report)
    server = "" if requests.server is None else f"; server {requests.server}"
    table = titled_table(f"Latency of successes, ms{server}")
    table.add_column("request", ratio=1)
    # A p99 of a few samples is only their maximum, so the number of samples belongs beside it.
    table.add_column("samples", justify="right", no_wrap=True)
    has_errors = bool(requests.total.errors)
    if has_errors:
        table.add_column("errors", justify="right", no_wrap=True)
    for p in PERCENTILES:
        table.add_column(percentile_name(p), justify="right", no_wrap=True)
    for row in (requests.total, *requests.first(MAX_ROWS)):
        table.add_row(
            safe_cell(row.name, 120),
            grouped(row.samples),
            *([grouped(row.errors)] if has_errors else []),
            *(milliseconds(row.percentiles.get(p)) for p in PERCENTILES),
        )
    add_rest(table, len(requests.rows) - MAX_ROWS, "requests")
    return table


def _runners(report: MergedReport) -> Table:
    runners = report.runners
    rates = {job.job: job for job in report.throughput.jobs}
    table = titled_table("Runners (req/s: with errors, over each Job's own time)")
    table.add_column("job, URI", ratio=1, overflow="fold")
    has_targets = any(job.target_per_second is not None for job in report.throughput.jobs)
    rate_names = ("req/s", "target") if has_targets else ("req/s",)
    for name in ("merged", "samples", "errors", *rate_names, "p50 ms", "p99 ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for runner in runners[:MAX_ROWS]:
        merged = sum(pod.missing is None for pod in runner.pods)
        table.add_row(
            Text.assemble(safe_cell(runner.job), "\n", safe_cell(runner.uri, 120, "dim")),
            f"{merged}/{len(runner.pods)}",
            grouped(runner.report.total),
            grouped(runner.report.error_count),
            *_rate_cells(rates.get(runner.job), has_targets=has_targets),
            milliseconds(_at(runner.report.percentile_latencies, 0.5)),
            milliseconds(_at(runner.report.percentile_latencies, 0.99)),
        )
    add_rest(table, len(runners) - MAX_ROWS, "runners")
    return table


def _rate_cells(job: JobThroughput | None, *, has_targets: bool) -> list[str]:
    cells = [per_second(None if job is None else job.achieved_per_second)]
    if has_targets:
        cells.append(per_second(None if job is None else job.target_per_second))
    return cells


def _at(pairs: _PercentilePairs | None, p: float) -> float | None:
    return dict(pairs or ()).get(p)
