"""A small plot of the latencies as SVG text, for places that take an image and no page.

It must not count samples or draw anything that is not in the report's distribution.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from mrunners.formatting import milliseconds
from mrunners.reports.distribution import LatencyDistribution

__all__ = ["small_plot"]

_WIDTH, _HEIGHT = 560, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 12, 36
_SHARES = (0, 50, 90, 100)

# Readable on white and on black: an artifact's page has either.
_INK, _RULE, _CURVE = "#808080", "#80808055", "#2a7ae2"


def small_plot(distribution: LatencyDistribution | None) -> str:
    """Which share of all requests was answered within which time; the time is logarithmic.

    Args:
        distribution: as the report has it.
    Returns: an `svg` element; empty when there is no sample.
    """
    if distribution is None or distribution.samples == 0:
        return ""
    return "".join(_elements(distribution))


def _elements(distribution: LatencyDistribution) -> Iterator[str]:
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
        f'fill="{_INK}">'
    )
    for percent in _SHARES:
        yield _line(_LEFT, y(percent), _WIDTH - _RIGHT, y(percent))
        yield _text(_LEFT - 6, y(percent) + 4, "end", f"{percent} %")
    for decade in range(math.ceil(first), math.floor(last) + 1):
        yield _line(x(10**decade), _TOP, x(10**decade), _HEIGHT - _BOTTOM)
        yield _text(x(10**decade), _HEIGHT - 20, "middle", f"{milliseconds(10**decade)} ms")
    points = " ".join(
        f"{x(bound):.1f},{y(100 * count / total):.1f}"
        for bound, count in zip(bounds, distribution.counts, strict=True)
    )
    yield f'<polyline points="{points}" fill="none" stroke="{_CURVE}" stroke-width="2"/>'
    yield _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 4, "middle", "answered within")
    yield "</svg>"


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{_RULE}" '
        'stroke-width="1"/>'
    )


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
