"""The plot of a report's latencies that is small enough to stand in a text, as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from mrunners.formatting import milliseconds, percentile_name
from mrunners.reports.distribution import LatencyDistribution

__all__ = ["small_plot"]

# The small plot, in pixels: its size, the margins around its axes, and a long label.
_WIDTH, _HEIGHT = 560, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 12, 36
_LABEL_WIDTH = 80
_GRID_PERCENTS = (0, 50, 90, 100)

# The percentiles that are marked.
_NAMED_PERCENTILES = (0.5, 0.99)

# Readable on white and on black: Prefect shows artifacts in light and dark mode.
_TEXT_COLOR, _GRID_COLOR, _CURVE_COLOR = "#808080", "#80808055", "#2a7ae2"


def small_plot(
    distribution: LatencyDistribution | None, percentiles: Mapping[float, float] | None = None
) -> str:
    """Plot the share of all requests that was answered within a time, on a logarithmic time axis.

    Args:
        distribution: Of all requests.
        percentiles: Seconds by percentile; the median and the p99 are marked.

    Returns:
        An `svg` element; empty when there are no samples.
    """
    if distribution is None or distribution.samples == 0:
        return ""
    return "".join(_plot_elements(distribution, percentiles or {}))


def _plot_elements(
    distribution: LatencyDistribution, percentiles: Mapping[float, float]
) -> Iterator[str]:
    bounds, total = distribution.seconds, distribution.samples
    first, last = math.log10(bounds[0]), math.log10(bounds[-1])

    def x(seconds: float) -> float:
        share = (math.log10(seconds) - first) / ((last - first) or 1)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(percent: float) -> float:
        return _HEIGHT - _BOTTOM - percent / 100 * (_HEIGHT - _TOP - _BOTTOM)

    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="11" '
        f'fill="{_TEXT_COLOR}">'
    )
    for percent in _GRID_PERCENTS:
        yield _line(_LEFT, y(percent), _WIDTH - _RIGHT, y(percent))
        yield _text(_LEFT - 6, y(percent) + 4, "end", f"{percent}%")
    for decade in range(math.ceil(first), math.floor(last) + 1):
        yield _line(x(10**decade), _TOP, x(10**decade), _HEIGHT - _BOTTOM)
        # What ends at the right edge would be cut off.
        anchor = "end" if x(10**decade) > _WIDTH - _RIGHT - _LABEL_WIDTH / 2 else "middle"
        yield _text(x(10**decade), _HEIGHT - 20, anchor, f"{milliseconds(10**decade)} ms")
    points = " ".join(
        f"{x(bound):.1f},{y(100 * count / total):.1f}"
        for bound, count in zip(bounds, distribution.counts, strict=True)
    )
    yield f'<polyline points="{points}" fill="none" stroke="{_CURVE_COLOR}" stroke-width="2"/>'
    for p in _NAMED_PERCENTILES:
        if (seconds := percentiles.get(p)) is not None:
            at, up = min(max(x(seconds), _LEFT), _WIDTH - _RIGHT), y(100 * p)
            yield f'<circle cx="{at:.1f}" cy="{up:.1f}" r="3.5" fill="{_CURVE_COLOR}"/>'
            # Right of a rising curve and below it there is room.
            label = f"{percentile_name(p)} {milliseconds(seconds)} ms"
            yield _text(min(at + 8, _WIDTH - _RIGHT - _LABEL_WIDTH), up + 18, "start", label)
    yield _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 4, "middle", "answered within")
    yield "</svg>"


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{_GRID_COLOR}" '
        'stroke-width="1"/>'
    )


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
