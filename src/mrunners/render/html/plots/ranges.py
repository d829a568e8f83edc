"""The plot of the percentiles of several requests or nodes, one row each, on a shared log axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes

from mrunners.formatting import milliseconds, percentile_name
from mrunners.render.html.plots.axes import NARROW, WIDE, bare_axes, latency_axis, mark
from mrunners.render.html.plots.svg import COLORS, as_svg, new_figure, placeholder
from mrunners.text import printable

__all__ = ["Range", "draw_ranges"]

# In pixels: the height of a row, and the margins above and below all rows.
_ROW = 44
_TOP = 8
_BOTTOM = 30
# A character of the page's font at 12 px is at most some 7.2 px wide.
_CHARACTER = 7.2


@dataclass(frozen=True, slots=True)
class Range:
    """A row of the plot.

    Attributes:
        label: What it is about; may be hostile text.
        percentiles: Latencies in seconds by p, with 0, 0.5, 0.95, 0.99 and 1 among them; a row
            without any is not drawn.
    """

    label: str
    percentiles: Mapping[float, float]


def draw_ranges(rows: Sequence[Range], *, name: str, description: str) -> Markup:
    """Draw the plot for wide and for narrow screens.

    Args:
        rows: The rows from top to bottom.
        name: A name that no other plot on the page has.
        description: The plot in words, for readers who cannot see it.

    Returns:
        Two `svg` elements; nothing when no row has percentiles.
    """
    rows = [row for row in rows if row.percentiles]
    if not rows:
        return Markup()
    return _draw(rows, WIDE, "wide", name, description) + _draw(
        rows, NARROW, "narrow", name, description
    )


def _draw(rows: Sequence[Range], width: float, css: str, name: str, description: str) -> Markup:
    figure = new_figure(width, _TOP + _ROW * len(rows) + _BOTTOM)
    axes = bare_axes(figure, left=14, right=22, top=_TOP, bottom=_BOTTOM)
    latency_axis(
        axes,
        min(row.percentiles[0.0] for row in rows),
        max(row.percentiles[1.0] for row in rows),
        width=width - 36,
    )
    axes.set_ylim(len(rows), 0)
    axes.set_yticks([])
    label_characters = int((width - 24) / _CHARACTER)
    for number, row in enumerate(rows):
        _row(axes, number, row)
        axes.text(
            0, number + 0.3, placeholder(number), transform=axes.get_yaxis_transform(),
            color=COLORS["ink"], fontsize=12, parse_math=False,
        )  # fmt: skip
    texts = {
        placeholder(number): printable(row.label, label_characters)
        for number, row in enumerate(rows)
    }
    marks = [
        mark(axes, axes.get_xlim(), (number, number + 1), _values(row))
        for number, row in enumerate(rows)
    ]
    return as_svg(
        figure,
        name=f"{name}-{css}",
        css=f"plot {css}",
        description=description,
        texts=texts,
        marks=marks,
    )


def _values(row: Range) -> str:
    values = ", ".join(
        f"{percentile_name(p)} {milliseconds(seconds)}"
        for p, seconds in sorted(row.percentiles.items())
    )
    return f"{printable(row.label, 200)}: {values} ms"


def _row(axes: Axes, number: int, row: Range) -> None:
    y = number + 0.62
    at = row.percentiles
    axes.plot([at[0.0], at[1.0]], [y, y], color=COLORS["muted"], linewidth=1.5)
    axes.plot([at[1.0]], [y], "|", color=COLORS["muted"], markersize=8, markeredgewidth=1.5)
    axes.plot([at[0.5], at[0.99]], [y, y], color=COLORS["soft"], linewidth=9)
    axes.plot([at[0.95]], [y], "|", color=COLORS["ink"], markersize=9, markeredgewidth=2)
    axes.plot([at[0.5]], [y], "o", color=COLORS["ink"], markersize=7, markeredgewidth=0)
    axes.plot([at[0.99]], [y], "D", color=COLORS["accent"], markersize=6.5, markeredgewidth=0)
