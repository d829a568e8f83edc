"""What went wrong in a run, for a terminal: findings, errors, missing reports and stragglers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mrunners.formatting import grouped, milliseconds
from mrunners.render.terminal.rich_tables import (
    MAX_ROWS,
    Name,
    add_rest,
    name_cell,
    safe_cell,
    titled_table,
)
from mrunners.reports.analysis.error_classes import ErrorClasses
from mrunners.reports.analysis.finding import Finding, Severity
from mrunners.reports.analysis.stragglers import Straggler, StragglerMetric
from mrunners.reports.coverage import Coverage, PodRef
from mrunners.reports.slo import SloResult, SloStatus
from mrunners.text import printable

__all__ = [
    "details_table",
    "errors_table",
    "finding_lines",
    "missing_table",
    "objective_lines",
    "stragglers_table",
]

# Findings come before the summary and the latencies, which must stay on the first screen; but an
# error or a warning is never hidden.
_MAX_FINDINGS = 6
_MAX_STRAGGLERS = 10

_STYLES: Mapping[Severity, str] = {
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.INFO: "cyan",
}


def finding_lines(findings: Sequence[Finding]) -> Iterable[RenderableType]:
    """Yield each finding and, indented, what to do about it."""
    serious = sum(finding.severity is not Severity.INFO for finding in findings)
    shown = max(_MAX_FINDINGS, serious)
    for finding in findings[:shown]:
        line = f"{finding.severity.value}: {finding.text}"
        yield safe_cell(line, 1000, _STYLES[finding.severity])
        yield Padding(safe_cell(finding.advice, 1000, "dim"), (0, 0, 0, 2))
    more = len(findings) - shown
    if more > 0:
        yield Text(f"{more} more findings: see the JSON report", style="dim")


def objective_lines(results: Sequence[SloResult]) -> Iterable[RenderableType]:
    """Yield how each objective ended."""
    for result in results:
        style = "green" if result.status is SloStatus.MET else "red"
        yield safe_cell(f"objective {result.text}", 1000, style)


def details_table(details: Sequence[tuple[str, str]]) -> Table:
    """Return what was run, a fact a line."""
    table = titled_table("What was run")
    table.add_column("fact", no_wrap=True)
    table.add_column("value")
    for name, text in details:
        table.add_row(name, safe_cell(text, 1000))
    return table


def errors_table(errors: ErrorClasses) -> Table:
    """Return the failed requests by class, the most frequent first."""
    table = titled_table("Errors")
    table.add_column("class")
    for name in ("count", "pods", "nodes"):
        table.add_column(name, justify="right", no_wrap=True)
    for error_class in errors.classes:
        table.add_row(
            safe_cell(error_class.name, 200),
            grouped(error_class.count),
            grouped(error_class.pods),
            grouped(error_class.nodes),
        )
    if errors.more_classes:
        rest = f"{errors.more_classes} more classes: see the JSON report"
        table.add_row(Text(rest, style="dim"), grouped(errors.more_errors))
    return table


def missing_table(coverage: Coverage) -> Table:
    """Return the pods without a report, then those of which no request succeeded."""
    table = titled_table("Missing or failed reports")
    for name in ("pod", "node", "reason"):
        table.add_column(name)
    rows: list[tuple[PodRef, str]] = [
        (pod, f"{pod.reason.value}: {pod.detail}" if pod.detail else pod.reason.value)
        for pod in coverage.missing
    ]
    rows += [(pod, "nothing succeeded") for pod in coverage.nothing_succeeded]
    for pod, reason in rows[:MAX_ROWS]:
        table.add_row(*_pod_cells(pod), safe_cell(reason))
    add_rest(table, len(rows) - MAX_ROWS, "pods")
    return table


def stragglers_table(stragglers: Sequence[Straggler]) -> Table:
    """Return the pods that are far slower than their siblings, the slowest first."""
    table = titled_table("Pods that stand out from their siblings")
    table.add_column("pod")
    table.add_column("node")
    table.add_column("by", no_wrap=True)
    for name in ("ms", "median ms", "score"):
        table.add_column(name, justify="right", no_wrap=True)
    slowest_first = sorted(stragglers, key=lambda s: -s.value_seconds / max(s.median_seconds, 1e-9))
    for straggler in slowest_first[:_MAX_STRAGGLERS]:
        table.add_row(
            *_pod_cells(straggler),
            "p99" if straggler.metric is StragglerMetric.P99 else "duration",
            milliseconds(straggler.value_seconds),
            milliseconds(straggler.median_seconds),
            "-" if straggler.score is None else f"{straggler.score:,.1f}",
        )
    add_rest(table, len(stragglers) - _MAX_STRAGGLERS, "pods")
    return table


def _pod_cells(pod: PodRef) -> tuple[Name, Name]:
    return (
        name_cell(f"{printable(pod.job, 64)} index {pod.index}"),
        name_cell("-" if pod.node is None else pod.node, 64, "dim"),
    )
