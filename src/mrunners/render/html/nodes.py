"""The hosts beside each other, the slowest first.

It must not judge a host: hosts run different mixes of Jobs, and the findings say what stands out.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from mrunners.formatting import grouped, milliseconds, per_second
from mrunners.render.html.plots.ranges import Range, draw_ranges
from mrunners.render.html.tables import Column, Table, cell, number
from mrunners.reports.merged import MergedReport

__all__ = ["Hosts", "hosts"]

# Rows of a plot that are still looked at one by one; the table has all.
_MOST_RANGES = 12


@dataclass(frozen=True, slots=True)
class Hosts:
    """The section on hosts."""

    ranges: Markup
    left_out: int
    table: Table


def hosts(report: MergedReport) -> Hosts:
    """Latency of the slowest hosts drawn, and every host in figures."""
    slowest = sorted(
        report.hosts,
        key=lambda host: (-dict(host.percentile_latencies or ()).get(0.99, 0.0), host.node),
    )
    shown = [
        Range(f"{host.node} ({grouped(host.merged)} merged)", dict(host.percentile_latencies))
        for host in slowest[:_MOST_RANGES]
        if host.percentile_latencies
    ]
    return Hosts(
        ranges=draw_ranges(
            shown,
            name="hosts",
            description=f"Latency percentiles of {len(shown)} hosts on a logarithmic axis, the "
            "highest p99 first; the table below has the same figures.",
        ),
        left_out=len(report.hosts) - len(shown),
        table=Table(
            name="hosts-table",
            title="Every host",
            note="The highest p99 first; latency in milliseconds.",
            rows_are="hosts",
            columns=(
                Column("host", numeric=False),
                *map(
                    Column,
                    ("pods", "merged", "slow pods", "requests /s", "errors", "p50", "p90", "p99"),
                ),
            ),
            rows=tuple(
                (
                    cell(host.node, limit=120),
                    number(grouped(host.pods)),
                    number(grouped(host.merged), tone="bad" if host.merged < host.pods else ""),
                    number(grouped(host.stragglers), tone="warn" if host.stragglers else ""),
                    number(per_second(host.requests_per_second)),
                    number(grouped(host.errors), tone="bad" if host.errors else ""),
                    *(
                        number(milliseconds(dict(host.percentile_latencies or ()).get(p)))
                        for p in (0.5, 0.9, 0.99)
                    ),
                )
                for host in slowest
            ),
        ),
    )
