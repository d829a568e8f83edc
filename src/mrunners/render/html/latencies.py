"""The sections on latency, as plots and tables for each request, and on failed requests."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from mrunners.formatting import (
    grouped,
    milliseconds,
    percent,
    percentile_name,
    shared_server,
    without_server,
)
from mrunners.render.html.plots.ecdf import draw_ecdf, most_frequent
from mrunners.render.html.plots.ranges import Range, draw_ranges
from mrunners.render.html.plots.svg import LINES
from mrunners.render.html.tables import Cell, Column, Row, Table, cell, number
from mrunners.reports.merged import MergedReport
from mrunners.reports.percentiles import PERCENTILES
from mrunners.text import printable

__all__ = ["Curve", "Latency", "errors_table", "latency"]

# Nobody compares more rows than this one by one; the table has all of them.
_MAX_RANGES = 16


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of the legend.

    Attributes:
        label: The request, without the server that all requests share.
        samples: Number of its samples.
        color: The name of its color, as in `plots.svg.COLORS`.
        dashes: Its dashes as SVG writes them; empty for a solid line.
    """

    label: str
    samples: str
    color: str
    dashes: str


@dataclass(frozen=True, slots=True)
class Latency:
    """The section on latency.

    Attributes:
        server: The server that all requests share; empty when there are several.
        ecdf: The plot of the share of requests answered within a time.
        curves: That plot's legend.
        ranges: The plot of each request's percentiles.
        ranges_left_out: How many requests are not in that plot.
        table: The percentiles of every request.
    """

    server: str
    ecdf: Markup
    curves: tuple[Curve, ...]
    ranges: Markup
    ranges_left_out: int
    table: Table


def latency(report: MergedReport) -> Latency:
    """Return the section on latency."""
    by_url = report.percentile_latencies_by_url or {}
    server = shared_server(list(by_url))
    names = {url: without_server(url, server) for url in by_url}
    slowest = sorted(by_url, key=lambda url: (-dict(by_url[url]).get(0.99, 0.0), url))
    shown = [Range(names[url], dict(by_url[url])) for url in slowest[:_MAX_RANGES]]
    return Latency(
        server=printable(server or ""),
        ecdf=_ecdf(report),
        curves=_curves(report, names),
        ranges=draw_ranges(
            shown,
            name="urls",
            description=f"Latency percentiles of {len(shown)} requests on a logarithmic axis, "
            "the highest p99 first; the table below has the same numbers.",
        ),
        ranges_left_out=len(by_url) - len(shown),
        table=_latency_table(report, names),
    )


def _ecdf(report: MergedReport) -> Markup:
    if report.latency_distribution is None:
        return Markup()
    at = dict(report.percentile_latencies or ())
    return draw_ecdf(
        report.latency_distribution,
        "Share of requests answered within a given time, on a logarithmic axis. Of all requests, "
        f"half within {milliseconds(at.get(0.5))} ms, 99% within {milliseconds(at.get(0.99))} ms.",
    )


def _curves(report: MergedReport, names: dict[str, str]) -> tuple[Curve, ...]:
    if report.latency_distribution is None or not report.latency_distribution.counts:
        return ()
    total = Curve("all requests", grouped(report.latency_distribution.samples), "ink", "")
    frequent = most_frequent(report.latency_distribution)
    if len(report.latency_distribution.counts_by_url) < 2:
        return (total,)
    return (
        total,
        *(
            Curve(
                printable(names.get(url, url), 120),
                grouped(samples),
                color,
                " ".join(f"{dash * 2:g}" for dash in dashes),
            )
            for (url, samples), (color, dashes) in zip(frequent.items(), LINES, strict=False)
        ),
    )


def _latency_table(report: MergedReport, names: dict[str, str]) -> Table:
    by_url = report.percentile_latencies_by_url or {}
    samples = report.samples_by_url
    rows: list[Row] = [
        (
            cell(names[url], limit=300),
            number(grouped(samples.get(url))),
            *_percentile_cells(dict(by_url[url])),
        )
        for url in by_url
    ]
    if report.percentile_latencies:
        count = number(grouped(report.samples))
        percentiles = _percentile_cells(dict(report.percentile_latencies))
        rows.insert(0, (Cell("all requests"), count, *percentiles))
    return Table(
        name="requests",
        title="Percentiles in numbers",
        note="Milliseconds, of successes.",
        rows_are="requests",
        columns=(
            Column("request", numeric=False),
            Column("samples"),
            *(Column(percentile_name(p)) for p in PERCENTILES),
        ),
        rows=tuple(rows),
    )


def _percentile_cells(at: dict[float, float]) -> list[Cell]:
    return [number(milliseconds(at.get(p))) for p in PERCENTILES]


def errors_table(report: MergedReport) -> Table:
    """Return the failed requests by class, the most frequent first."""
    errors = report.error_classes
    note = (
        "Messages that differ only in addresses, numbers, IDs or times are one class; errorStats "
        "in the JSON report has every message."
    )
    if errors.more_classes:
        note += (
            f" {grouped(errors.more_errors)} errors of {grouped(errors.more_classes)} rarer "
            "classes are left out here."
        )
    return Table(
        name="errors",
        title="Failed requests by class",
        note=note,
        rows_are="classes",
        columns=(
            Column("class", numeric=False),
            *map(Column, ("count", "share", "pods", "nodes")),
        ),
        rows=tuple(
            (
                cell(
                    error_class.name,
                    ""
                    if error_class.example == error_class.name
                    else f"such as {error_class.example}",
                ),
                number(grouped(error_class.count)),
                Cell(
                    percent(error_class.count / errors.total),
                    share=error_class.count / errors.total,
                ),
                number(grouped(error_class.pods)),
                number(grouped(error_class.nodes)),
            )
            for error_class in errors.classes
        ),
    )
