"""The plot of how many requests failed at each time of a run."""

from __future__ import annotations

from markupsafe import Markup
from matplotlib.ticker import FixedFormatter, FixedLocator

from mrunners.durations import format_duration
from mrunners.formatting import counted, grouped
from mrunners.render.html.plots.axes import NARROW, WIDE, bare_axes, mark, seconds_axis
from mrunners.render.html.plots.svg import COLORS, as_svg, new_figure
from mrunners.reports.analysis.error_timeline import ErrorTimeline

__all__ = ["draw_error_strip"]

# In pixels: the bars' greatest height, their least one, and the margins above and below.
_HEIGHT = 90
_MIN_HEIGHT = 2
_TOP = 12
_BOTTOM = 30


def draw_error_strip(timeline: ErrorTimeline | None, *, description: str) -> Markup:
    """Draw the plot for wide and for narrow screens.

    Args:
        timeline: When requests failed; None when nothing failed or it is unknown when.
        description: The plot in words, for readers who cannot see it.

    Returns:
        Two `svg` elements, with a bar for each bucket that has errors; nothing without a timeline.
    """
    if timeline is None:
        return Markup()
    return _draw(timeline, WIDE, 70, "wide", description) + _draw(
        timeline, NARROW, 54, "narrow", description
    )


def _draw(timeline: ErrorTimeline, width: float, left: float, css: str, description: str) -> Markup:
    _, most = timeline.peak
    figure = new_figure(width, _TOP + _HEIGHT + _BOTTOM)
    axes = bare_axes(figure, left=left, right=30, top=_TOP, bottom=_BOTTOM, grid="both")
    seconds_axis(axes, timeline.total_seconds, width=width - left)
    axes.set_ylim(0, most)
    axes.yaxis.set_major_locator(FixedLocator([0, most]))
    axes.yaxis.set_major_formatter(FixedFormatter(["0", grouped(most)]))
    x: list[float] = []
    y: list[float] = []
    for number, count in enumerate(timeline.counts):
        begin = number * timeline.bucket_seconds
        # A single error must be visible beside thousands.
        height = max(count, most * _MIN_HEIGHT / _HEIGHT) if count else 0
        x += [begin, begin + timeline.bucket_seconds]
        y += [height, height]
    # One outline, so that all bars are one element of the page.
    axes.fill_between(x, y, color=COLORS["bad"], linewidth=0, zorder=2)
    marks = [
        mark(
            axes,
            (number * timeline.bucket_seconds, (number + 1) * timeline.bucket_seconds),
            (0, most),
            f"{format_duration(number * timeline.bucket_seconds)} to "
            f"{format_duration((number + 1) * timeline.bucket_seconds)}: {counted(count, 'error')}",
        )
        for number, count in enumerate(timeline.counts)
        if count
    ]
    return as_svg(
        figure,
        name=f"error-strip-{css}",
        css=f"plot {css}",
        description=description,
        marks=marks,
    )
