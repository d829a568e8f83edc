"""The axes that all plots share: without a frame, and with labels in readable units."""

from __future__ import annotations

import math
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from mrunners.render.html.plots.svg import COLORS, Mark

__all__ = ["NARROW", "WIDE", "bare_axes", "latency_axis", "mark", "seconds_axis", "short_latency"]

# In CSS pixels: the page's column, and a phone of 390 without the page's margins.
WIDE: Final = 960
NARROW: Final = 340

_LABEL: Final = {"labelcolor": COLORS["muted"], "labelsize": 12, "length": 0, "pad": 6}


def bare_axes(
    figure: Figure, *, left: float, right: float, top: float, bottom: float, grid: str = "x"
) -> Axes:
    """Return axes without a frame and with a grid of hairlines; the margins are in pixels."""
    width, height = figure.get_size_inches() * 72
    axes = figure.add_axes(
        (
            left / width,
            bottom / height,
            (width - left - right) / width,
            (height - top - bottom) / height,
        ),
        facecolor="none",
    )
    axes.spines[:].set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(visible=True, axis=grid, color=COLORS["rule"], linewidth=1)  # type: ignore[arg-type]
    axes.tick_params(axis="both", **_LABEL)
    return axes


def latency_axis(axes: Axes, least: float, greatest: float, *, width: float) -> None:
    """Make the x axis a logarithmic one of seconds, labeled in µs, ms and s.

    Args:
        axes: The axes to change.
        least: The shortest latency shown, in seconds; 0 is shown at the axis' left end.
        greatest: The longest latency shown, in seconds.
        width: The axis' width in pixels, which decides how many labels fit.
    """
    low = math.log10(max(least, 1e-7))
    high = max(math.log10(max(greatest, 1e-7)), low + 0.5)
    margin = (high - low) * 0.02
    axes.set_xscale("log")
    axes.set_xlim(10 ** (low - margin), 10 ** (high + margin))
    ticks: list[float] = []
    for steps in ((1, 2, 5), (1, 3), (1,)):
        decades = range(math.floor(low) - 1, math.ceil(high) + 1)
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        ticks = [tick for tick in ticks if low - margin <= math.log10(tick) <= high + margin]
        # A label such as `500 ms` takes some 62 pixels with the gap to the next one.
        if len(ticks) * 62 <= width:
            break
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter([short_latency(tick) for tick in ticks]))
    axes.xaxis.set_minor_locator(NullLocator())


def mark(axes: Axes, x: tuple[float, float], y: tuple[float, float], text: str) -> Mark:
    """Return a mark between two values of each axis, whose limits are set already."""
    height = axes.figure.bbox.height
    points = axes.transData.transform([(x[0], y[0]), (x[1], y[1])])
    (left, right), (top, bottom) = sorted(points[:, 0]), sorted(height - points[:, 1])
    return Mark(float(left), float(top), float(right - left), float(bottom - top), text)


def short_latency(seconds: float) -> str:
    """Return a round latency such as `200 µs`, `5 ms` or `2 s`."""
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if seconds * factor >= 0.9999:
            return f"{seconds * factor:,.0f} {unit}"
    return f"{seconds * 1e6:g} µs"


def seconds_axis(axes: Axes, span: float, *, width: float) -> None:
    """Make the x axis a linear one of time, in round steps.

    Args:
        axes: The axes to change.
        span: The axis' end, in seconds; it begins at 0.
        width: The axis' width in pixels, which decides how many labels fit.
    """
    span = max(span, 1.0)
    axes.set_xlim(0, span * 1.01)
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    min_step = span / max(width / 90, 2)
    step = next((step for step in steps if step >= min_step), math.ceil(min_step / 86400) * 86400)
    ticks = [float(step * n) for n in range(int(span // step) + 1)]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter([_time_label(tick, step) for tick in ticks]))


def _time_label(seconds: float, step: int) -> str:
    if step >= 3600:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if step >= 60 else f"{seconds:g} s"
