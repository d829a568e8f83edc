"""The section that compares the nodes, the slowest first.

It does not judge a node, because nodes run different mixes of Jobs; the findings name slow ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from mrunners.formatting import grouped, per_second, percentile_name
from mrunners.render.html.plots.ranges import Range, draw_ranges
from mrunners.render.html.tables import Column, Table, cell, number, percentile_cells
from mrunners.reports.merged import MergedReport

__all__ = ["Nodes", "nodes"]

# Nobody compares more rows than this one by one; the table has all of them.
_MAX_RANGES = 12

_PERCENTILES = (0.5, 0.9, 0.95, 0.99, 1.0)


@dataclass(frozen=True, slots=True)
class Nodes:
    """The section on nodes.

    Attributes:
        ranges: The plot of each node's percentiles.
        left_out: How many nodes are not in that plot.
        table: The numbers of every node.
    """

    ranges: Markup
    left_out: int
    table: Table


def nodes(report: MergedReport) -> Nodes:
    """Return the section on nodes."""
    slowest = sorted(
        report.nodes,
        key=lambda node: (-dict(node.percentile_latencies or ()).get(0.99, 0.0), node.node),
    )
    shown = [
        Range(f"{node.node} ({grouped(node.merged)} merged)", dict(node.percentile_latencies))
        for node in slowest[:_MAX_RANGES]
        if node.percentile_latencies
    ]
    return Nodes(
        ranges=draw_ranges(
            shown,
            name="nodes",
            description=f"Latency percentiles of {len(shown)} nodes on a logarithmic axis, the "
            "highest p99 first; the table below has the same numbers.",
        ),
        left_out=len(report.nodes) - len(shown),
        table=Table(
            name="nodes-table",
            title="Every node",
            note="The highest p99 first; latency in milliseconds. Requests per second are from the "
            "node's first start to its last answer.",
            rows_are="nodes",
            columns=(
                Column("node", numeric=False),
                *map(Column, ("pods", "merged", "slow pods", "requests/s", "errors")),
                *(Column(percentile_name(p)) for p in _PERCENTILES),
            ),
            rows=tuple(
                (
                    cell(node.node, limit=120),
                    number(grouped(node.pods)),
                    number(grouped(node.merged), tone="bad" if node.merged < node.pods else ""),
                    number(grouped(node.stragglers), tone="warn" if node.stragglers else ""),
                    number(per_second(node.requests_per_second)),
                    number(grouped(node.errors), tone="bad" if node.errors else ""),
                    *percentile_cells(node.percentile_latencies, _PERCENTILES),
                )
                for node in slowest
            ),
        ),
    )
