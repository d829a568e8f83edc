"""The merged report for a terminal: the verdict first, then what was measured and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from mrunners.durations import format_duration, parse_go_duration
from mrunners.formatting import (
    PERCENTILES,
    byte_size,
    counted,
    grouped,
    milliseconds,
    per_second,
    percentile_name,
    profile_names,
)
from mrunners.render.request_rows import error_times, request_rows
from mrunners.render.run_details import run_details
from mrunners.render.terminal.rich_tables import (
    MAX_ROWS,
    add_rest,
    drawn,
    name_cell,
    safe_cell,
    titled_table,
)
from mrunners.render.terminal.sections import (
    details_table,
    errors_table,
    finding_lines,
    missing_table,
    objective_lines,
    stragglers_table,
)
from mrunners.reports.analysis.throughput import JobThroughput, Throughput
from mrunners.reports.conclusion import Conclusion, FailOn
from mrunners.reports.merged import FlatSummary, MergedReport, PodSummary

__all__ = ["render_table"]

# Narrower than this, the columns that are least read leave their room to the names.
_WIDE = 76
_NARROW = 66
_NARROW_PERCENTILES = (0.5, 0.99, 1.0)

# A request that is longer is cut in its middle.
_REQUEST_CHARACTERS = 300


def render_table(report: MergedReport, *, width: int | None = 80, color: bool = False) -> str:
    """Return the report as text for people.

    Args:
        report: The merged report; its strings may be hostile.
        width: Width of the terminal in columns; less than 52 counts as 52. None breaks no line,
            for a reader that is a program.
        color: Whether to write escape sequences for colors.

    Returns:
        Lines of at most `width` columns, each with a newline.
    """
    return drawn(_parts(report, width or _WIDE), width=width, color=color)


def _parts(report: MergedReport, width: int) -> Iterable[RenderableType]:
    yield Text(report.verdict, style=f"bold {_color(report)}")
    yield from objective_lines(report.objectives)
    yield from finding_lines(report.findings)
    yield _summary(report)
    for note in report.notes:
        yield safe_cell(f"note: {note}", 1000, "yellow")
    yield _latencies(report, PERCENTILES if width >= _WIDE else _NARROW_PERCENTILES)
    if report.error_classes.total:
        yield errors_table(report.error_classes)
        if report.error_timeline is not None:
            yield Text(error_times(report.error_timeline), style="dim")
    if report.stragglers:
        yield stragglers_table(report.stragglers)
    yield _runners(report, width)
    if report.coverage.missing or report.coverage.nothing_succeeded:
        yield missing_table(report.coverage)
    if details := run_details(report.provenance):
        yield details_table(details)


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
    """Return `, mean over 25s`, the time from the first start to the last answer."""
    throughput = report.throughput
    if throughput.wall_seconds is None or throughput.successes_per_second is None:
        return ""
    return f", mean over {format_duration(throughput.wall_seconds)}"


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
    # Where logs do not say it, the nodes' clocks give whole seconds.
    skew = "together" if skew_seconds == 0 else f"within {format_duration(skew_seconds)}"
    return f"{text}, started {skew}"


def _latencies(report: MergedReport, percentiles: Sequence[float]) -> Table:
    requests = request_rows(report)
    server = "" if requests.server is None else f"; server {requests.server}"
    left_out = f"; {requests.left_out} left out" if requests.left_out else ""
    table = titled_table(f"Latency of successes, ms{server}{left_out}")
    table.add_column("request")
    # A p99 of a few samples is only their maximum, so the number of samples belongs beside it.
    table.add_column("samples", justify="right", no_wrap=True)
    has_errors = bool(requests.total.errors)
    if has_errors:
        table.add_column("errors", justify="right", no_wrap=True)
    for p in percentiles:
        table.add_column(percentile_name(p), justify="right", no_wrap=True)
    for row in (requests.total, *requests.first(MAX_ROWS)):
        table.add_row(
            name_cell(row.name, _REQUEST_CHARACTERS),
            grouped(row.samples),
            *([grouped(row.errors)] if has_errors else []),
            *(milliseconds(row.percentiles.get(p)) for p in percentiles),
        )
    add_rest(table, len(requests.rows) - MAX_ROWS, "requests")
    return table


def _runners(report: MergedReport, width: int) -> Table:
    runners = report.runners
    rates = {job.job: job for job in report.throughput.jobs}
    table = titled_table("Runners (req/s: with errors, each Job's over its own time)")
    table.add_column("job")
    has_profiles = width >= _NARROW
    if has_profiles:
        table.add_column("profile")
    has_targets = any(job.target_per_second is not None for job in report.throughput.jobs)
    columns = ["merged", "samples", "errors", "req/s", "target", "p50 ms", "p99 ms"]
    if not has_targets or width < _WIDE:
        columns.remove("target")
    if width < _WIDE:
        columns.remove("p50 ms")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    profiles = profile_names([runner.uri for runner in runners])
    for runner, profile in list(zip(runners, profiles, strict=True))[:MAX_ROWS]:
        cells = _figures(runner.pods, runner.report, rates.get(runner.job))
        table.add_row(
            name_cell(runner.job, 64),
            *([name_cell(profile, 120, "dim")] if has_profiles else []),
            *(cells[name] for name in columns),
        )
    if len(runners) > 1:
        every_pod = [pod for runner in runners for pod in runner.pods]
        cells = _figures(every_pod, report, report.throughput)
        span = [_span(report)] if has_profiles else []
        table.add_row("all", *span, *(cells[name] for name in columns))
    add_rest(table, len(runners) - MAX_ROWS, "runners")
    return table


def _span(report: MergedReport) -> str:
    seconds = report.throughput.wall_seconds
    return "" if seconds is None else f"over {format_duration(seconds)}"


def _figures(
    pods: Sequence[PodSummary], report: FlatSummary, rate: JobThroughput | Throughput | None
) -> dict[str, str]:
    """Return the cells of a Job, or of all of them, by the column's name."""
    at = dict(report.percentile_latencies or ())
    merged = sum(pod.missing is None for pod in pods)
    return {
        "merged": f"{merged}/{len(pods)}",
        "samples": grouped(report.total),
        "errors": grouped(report.error_count),
        "req/s": per_second(None if rate is None else rate.achieved_per_second),
        "target": per_second(None if rate is None else rate.target_per_second),
        "p50 ms": milliseconds(at.get(0.5)),
        "p99 ms": milliseconds(at.get(0.99)),
    }
