"""The section on latency, as plots and as a table with each request, also those that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from mrunners.formatting import (
    PERCENTILES,
    grouped,
    milliseconds,
    percentile_name,
)
from mrunners.render.html.plots.ecdf import draw_ecdf, most_frequent
from mrunners.render.html.plots.ranges import Range, draw_ranges
from mrunners.render.html.plots.svg import LINES
from mrunners.render.html.tables import Cell, Column, Row, Table, cell, number
from mrunners.render.request_rows import RequestRow, names_of_requests, request_rows
from mrunners.reports.merged import MergedReport
from mrunners.text import printable

__all__ = ["Curve", "Latency", "latency"]

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
        left_out: The query parameters that no request is shown with; may be empty.
        known: Whether there is any latency to show.
        ecdf: The plot of the share of requests answered within a time.
        curves: That plot's legend.
        ranges: The plot of each request's percentiles.
        ranges_left_out: How many requests are not in that plot.
        table: The samples, errors and percentiles of every request.
    """

    server: str
    left_out: str
    known: bool
    ecdf: Markup
    curves: tuple[Curve, ...]
    ranges: Markup
    ranges_left_out: int
    table: Table


def latency(report: MergedReport) -> Latency:
    """Return the section on latency."""
    by_url = report.percentile_latencies_by_url or {}
    short = names_of_requests(report)
    names = short.names
    slowest = sorted(by_url, key=lambda url: (-dict(by_url[url]).get(0.99, 0.0), url))
    shown = [Range(names[url], dict(by_url[url])) for url in slowest[:_MAX_RANGES]]
    return Latency(
        server=printable(short.server or ""),
        left_out=printable(short.left_out, 120),
        known=bool(by_url),
        ecdf=_ecdf(report, names),
        curves=_curves(report, names),
        ranges=draw_ranges(
            shown,
            name="urls",
            description=f"Latency percentiles of {len(shown)} requests on a logarithmic axis, "
            "the highest p99 first; the table below has the same numbers.",
        ),
        ranges_left_out=len(by_url) - len(shown),
        table=_requests_table(report),
    )


def _ecdf(report: MergedReport, names: Mapping[str, str]) -> Markup:
    if report.latency_distribution is None:
        return Markup()
    at = dict(report.percentile_latencies or ())
    return draw_ecdf(
        report.latency_distribution,
        "Share of requests answered within a given time, on a logarithmic axis. Of all requests, "
        f"half within {milliseconds(at.get(0.5))} ms, 99% within {milliseconds(at.get(0.99))} ms.",
        names,
    )


def _curves(report: MergedReport, names: Mapping[str, str]) -> tuple[Curve, ...]:
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


def _requests_table(report: MergedReport) -> Table:
    requests = request_rows(report)
    # Without a single request the row of all of them has nothing to say.
    rows = (requests.total, *requests.rows) if requests.rows else ()
    return Table(
        name="requests",
        title="Requests in numbers",
        note="Latencies are in milliseconds, of successes; a failed request has none.",
        rows_are="requests",
        columns=(
            Column("request", numeric=False),
            Column("samples"),
            Column("errors"),
            *(Column(percentile_name(p)) for p in PERCENTILES),
        ),
        rows=tuple(map(_request_row, rows)),
    )


def _request_row(request: RequestRow) -> Row:
    return (
        cell(request.name, limit=300),
        number(grouped(request.samples)),
        number(grouped(request.errors), tone="bad" if request.errors else ""),
        *_percentile_cells(request.percentiles),
    )


def _percentile_cells(at: Mapping[float, float]) -> list[Cell]:
    return [number(milliseconds(at.get(p))) for p in PERCENTILES]
