"""Which share of the requests was answered within which time, for all and for the most frequent.

It must not count samples: the report's distribution has the counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator

from mrunners.render.html.plots.axes import NARROW, WIDE, bare_axes, latency_axis
from mrunners.render.html.plots.svg import COLORS, LINES, as_svg, new_figure
from mrunners.reports.distribution import LatencyDistribution

__all__ = ["draw_ecdf", "most_frequent"]

_SHARES = (0, 25, 50, 75, 90, 100)


def most_frequent(distribution: LatencyDistribution) -> Mapping[str, int]:
    """The requests that get a curve of their own, most samples first, with their samples."""
    last = distribution.samples_by_url
    ordered = sorted(last, key=lambda url: (-last[url], url))
    return {url: last[url] for url in ordered[: len(LINES)]}


def draw_ecdf(distribution: LatencyDistribution, description: str) -> Markup:
    """The plot for wide and for narrow screens; nothing without samples."""
    if distribution.samples == 0:
        return Markup()
    return _draw(distribution, WIDE, 340, "wide", description) + _draw(
        distribution, NARROW, 260, "narrow", description
    )


def _draw(
    distribution: LatencyDistribution, width: float, height: float, css: str, description: str
) -> Markup:
    figure = new_figure(width, height)
    axes = bare_axes(figure, left=46, right=30, top=12, bottom=30, grid="both")
    bounds = distribution.seconds
    latency_axis(axes, bounds[0], bounds[-1], room=width - 60)
    axes.set_ylim(0, 101)
    axes.yaxis.set_major_locator(FixedLocator(_SHARES))
    axes.yaxis.set_major_formatter(FixedFormatter([f"{share} %" for share in _SHARES]))
    urls = list(most_frequent(distribution))
    # One request is all requests: a second curve would only hide the first.
    shown = urls if len(distribution.counts_by_url) > 1 else []
    for url, (color, dashes) in reversed(list(zip(shown, LINES, strict=False))):
        _curve(axes, bounds, distribution.counts_by_url[url], color=color, dashes=dashes)
    _curve(axes, bounds, distribution.counts, color="ink", dashes=())
    return as_svg(figure, name=f"ecdf-{css}", css=f"plot {css}", description=description)


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
