"""The plot of the share of requests answered within a time, for all and the most frequent ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator

from mrunners.formatting import milliseconds, percent
from mrunners.render.html.plots.axes import NARROW, WIDE, bare_axes, latency_axis, mark
from mrunners.render.html.plots.svg import COLORS, LINES, Mark, as_svg, new_figure
from mrunners.reports.distribution import LatencyDistribution
from mrunners.text import printable

__all__ = ["draw_ecdf", "most_frequent"]

_GRID_PERCENTS = (0, 25, 50, 75, 90, 100)
# The label of 95% needs some 15 pixels to that of 100%.
_TALL_GRID_PERCENTS = (0, 25, 50, 75, 90, 95, 100)

# A strip that is narrower cannot be pointed at.
_MAX_MARKS = 60
_NAME_CHARACTERS = 60


def most_frequent(distribution: LatencyDistribution) -> Mapping[str, int]:
    """Return the requests that get a curve of their own, most samples first, and their samples."""
    samples = distribution.samples_by_url
    ordered = sorted(samples, key=lambda url: (-samples[url], url))
    return {url: samples[url] for url in ordered[: len(LINES)]}


def draw_ecdf(
    distribution: LatencyDistribution, description: str, names: Mapping[str, str] | None = None
) -> Markup:
    """Draw the plot for wide and for narrow screens.

    Args:
        distribution: How many requests were answered within each time.
        description: The plot in words, for readers who cannot see it.
        names: The short names of requests.

    Returns:
        Two `svg` elements; nothing when there are no samples.
    """
    if distribution.samples == 0:
        return Markup()
    return _draw(distribution, WIDE, 340, "wide", description, names or {}) + _draw(
        distribution, NARROW, 260, "narrow", description, names or {}
    )


def _draw(
    distribution: LatencyDistribution,
    width: float,
    height: float,
    css: str,
    description: str,
    names: Mapping[str, str],
) -> Markup:
    figure = new_figure(width, height)
    axes = bare_axes(figure, left=46, right=30, top=12, bottom=30, grid="both")
    bounds = distribution.seconds
    latency_axis(axes, bounds[0], bounds[-1], width=width - 60)
    axes.set_ylim(0, 101)
    grid = _TALL_GRID_PERCENTS if height > 300 else _GRID_PERCENTS
    axes.yaxis.set_major_locator(FixedLocator(grid))
    axes.yaxis.set_major_formatter(FixedFormatter([f"{value}%" for value in grid]))
    urls = list(most_frequent(distribution))
    # With a single request its curve would only hide that of all requests.
    shown = urls if len(distribution.counts_by_url) > 1 else []
    for url, (color, dashes) in reversed(list(zip(shown, LINES, strict=False))):
        _curve(axes, bounds, distribution.counts_by_url[url], color=color, dashes=dashes)
    _curve(axes, bounds, distribution.counts, color="ink", dashes=())
    curves = {"all requests": distribution.counts} | {
        names.get(url, url): distribution.counts_by_url[url] for url in shown
    }
    return as_svg(
        figure,
        name=f"ecdf-{css}",
        css=f"plot {css}",
        description=description,
        marks=list(_marks(axes, bounds, curves)),
    )


def _marks(
    axes: Axes, bounds: Sequence[float], curves: Mapping[str, Sequence[int]]
) -> Iterator[Mark]:
    """Yield strips as high as the plot, each with the share of every curve at its middle."""
    step = math.ceil(len(bounds) / _MAX_MARKS)
    half = (
        10 ** (step / 80)
        if len(bounds) == 1
        else (bounds[-1] / bounds[0]) ** (step / 2 / (len(bounds) - 1))
    )
    for number in sorted(range(len(bounds) - 1, -1, -step)):
        shares = "; ".join(
            f"{percent(counts[number] / (counts[-1] or 1))} of {printable(name, _NAME_CHARACTERS)}"
            for name, counts in curves.items()
        )
        bound = bounds[number]
        yield mark(
            axes,
            (bound / half, bound * half),
            (0, 101),
            f"Within {milliseconds(bound)} ms: {shares}",
        )


def _curve(
    axes: Axes,
    bounds: Sequence[float],
    counts: Sequence[int],
    *,
    color: str,
    dashes: tuple[float, ...],
) -> None:
    total = counts[-1] or 1
    (line,) = axes.plot(
        bounds,
        [100 * count / total for count in counts],
        color=COLORS[color],
        linewidth=2.5 if color == "ink" else 2,
        solid_capstyle="round",
    )
    if dashes:
        line.set_dashes(dashes)
