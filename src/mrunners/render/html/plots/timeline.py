"""The plot of when each pod ran: one line per planned pod, grouped by Job."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from markupsafe import Markup
from matplotlib.axes import Axes

from mrunners.render.html.plots.axes import NARROW, WIDE, bare_axes, mark, seconds_axis
from mrunners.render.html.plots.svg import COLORS, Mark, as_svg, new_figure, placeholder
from mrunners.text import printable

__all__ = ["Lane", "Span", "draw_timeline"]

# In pixels: the margins around the lines, and the most that all lines together take.
_TOP = 8
_RIGHT = 30
_BOTTOM = 30
_MAX_HEIGHT = 460
# As many rows as have room for a label of their own.
_MAX_ROWS = 30
_ROW_HEIGHT = 18
# In pixels: the room for labels of pods, and for those of Jobs only.
_POD_LABELS: Final = {"wide": 270, "narrow": 130}
_JOB_LABELS: Final = {"wide": 150, "narrow": 84}
# In pixels: what a pointer can hit; and of how many pods it then tells the values.
_MARK_HEIGHT = 5
_MARK_PODS = 3
# A character of the page's font at 12 px is some 6.4 px wide.
_CHARACTER = 6.4


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a pod ran.

    Attributes:
        start: When its container started; None when it did not or that is unknown.
        end: When its container ended; None while it runs or when that is unknown.
        color: The line's color, one of `svg.COLORS`.
        label: The pod's index and node, in a few words; may be hostile text.
        reason: Why its report is missing; empty when it is merged.
        values: All of it in one line; may be hostile text.
    """

    start: datetime | None
    end: datetime | None
    color: str
    label: str = ""
    reason: str = ""
    values: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """The pods of one Job.

    Attributes:
        label: The Job's name; may be hostile text.
        profile: The name of its load profile, shown where there is room; may be hostile text.
        spans: When its pods ran, in any order.
    """

    label: str
    profile: str
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class _Line:
    """A pod's line: from where to where in seconds, in which row, and whether it is broken."""

    start: float
    end: float
    row: float
    broken: bool
    span: Span


def draw_timeline(lanes: Sequence[Lane], *, description: str) -> Markup:
    """Draw the plot for wide and for narrow screens.

    Args:
        lanes: The Jobs from top to bottom.
        description: The plot in words, for readers who cannot see it.

    Returns:
        Two `svg` elements; nothing when no pod started.
    """
    lanes = [replace(lane, spans=sorted(lane.spans, key=_by_start)) for lane in lanes if lane.spans]
    starts = [span.start for lane in lanes for span in lane.spans if span.start is not None]
    if not starts:
        return Markup()
    return Markup().join(
        _draw(lanes, min(starts), width, css, description)
        for width, css in ((WIDE, "wide"), (NARROW, "narrow"))
    )


def _by_start(span: Span) -> tuple[bool, float]:
    return span.start is None, 0.0 if span.start is None else span.start.timestamp()


def _draw(
    lanes: Sequence[Lane], first: datetime, width: float, css: str, description: str
) -> Markup:
    spans = [span for lane in lanes for span in lane.spans]
    seconds = max(
        (moment - first).total_seconds()
        for span in spans
        for moment in (span.start, span.end)
        if moment is not None
    )
    # Each Job has a row of its own for its name, if each pod has a label.
    labeled = len(spans) + len(lanes) <= _MAX_ROWS
    gap = 1.0 if labeled else max(1.0, len(spans) / 60)
    rows = len(spans) + gap * (len(lanes) if labeled else len(lanes) - 1)
    height = rows * _ROW_HEIGHT if labeled else min(rows * _ROW_HEIGHT, _MAX_HEIGHT)
    left = (_POD_LABELS if labeled else _JOB_LABELS)[css]
    figure = new_figure(width, _TOP + height + _BOTTOM)
    axes = bare_axes(figure, left=left, right=_RIGHT, top=_TOP, bottom=_BOTTOM)
    seconds_axis(axes, seconds, width=width - left)
    axes.set_ylim(rows, 0)
    axes.set_yticks([])
    lines = list(_lines(lanes, first, max(seconds, 1.0), gap, labeled=labeled))
    thickness = max(0.62 * height / rows, 0.5)
    _draw_lines(axes, lines, thickness)
    labels = _Labels(axes, left=left, width=width - left - _RIGHT)
    row = 0.0
    for number, lane in enumerate(lanes):
        # More labels than this would overlap.
        if labeled or number < _MAX_ROWS:
            labels.of_job(row + (0.5 if labeled else len(lane.spans) / 2), lane)
        row += len(lane.spans) + gap
    if labeled:
        per_pixel = max(seconds, 1.0) / (width - left - _RIGHT)
        for line in lines:
            labels.of_pod(line, per_pixel)
    return as_svg(
        figure,
        name=f"timeline-{css}",
        css=f"plot {css}",
        description=description,
        texts=labels.texts,
        marks=list(_marks(axes, lines, math.ceil(_MARK_HEIGHT * rows / height))),
    )


def _marks(axes: Axes, lines: Sequence[_Line], size: int) -> Iterator[Mark]:
    """Yield marks of as many neighbors as it takes to point at them, those that failed first."""
    for first in range(0, len(lines), size):
        group = lines[first : first + size]
        values = [line.span.values for line in sorted(group, key=lambda line: not line.span.reason)]
        more = len(values) - _MARK_PODS
        text = "; ".join(values[:_MARK_PODS]) + (f"; and {more} more here" if more > 0 else "")
        yield mark(axes, axes.get_xlim(), (group[0].row, group[-1].row + 1), text)


def _lines(
    lanes: Sequence[Lane], first: datetime, last: float, gap: float, *, labeled: bool
) -> Iterator[_Line]:
    row = gap if labeled else 0.0
    for lane in lanes:
        for span in lane.spans:
            start = 0.0 if span.start is None else (span.start - first).total_seconds()
            end = last if span.end is None else (span.end - first).total_seconds()
            broken = span.start is None or (span.end is None and bool(span.reason))
            yield _Line(start, end, row, broken, span)
            row += 1
        row += gap


def _draw_lines(axes: Axes, lines: Sequence[_Line], thickness: float) -> None:
    points: dict[tuple[str, bool], tuple[list[float], list[float]]] = {}
    for line in lines:
        x, y = points.setdefault((line.span.color, line.broken), ([], []))
        # NaN breaks the line, so that all pods of a color are one element of the page.
        x += [line.start, line.end, float("nan")]
        y += [line.row + 0.5, line.row + 0.5, float("nan")]
    for (color, broken), (x, y) in points.items():
        # The few pods that went wrong must be visible among a thousand others.
        rare = color != "accent"
        width = min(thickness, 1.5) if broken else max(thickness, 1.5) if rare else thickness
        (drawn,) = axes.plot(
            x, y, color=COLORS[color], linewidth=width, solid_capstyle="butt",
            zorder=3 if rare else 2,
        )  # fmt: skip
        if broken:
            drawn.set_linestyle((0, (4 / width, 3 / width)))


class _Labels:
    """The texts of the plot, for which placeholders are drawn."""

    def __init__(self, axes: Axes, *, left: float, width: float) -> None:
        self.texts: dict[str, str] = {}
        self._axes = axes
        self._left = left
        self._width = width

    def of_job(self, y: float, lane: Lane) -> None:
        """Write a Job's label, with the profile if there is room for it."""
        both = f"{lane.label} {lane.profile}"
        self.beside(y, both if len(both) * _CHARACTER <= self._left else lane.label)

    def beside(self, y: float, text: str, *, indent: float = 0, color: str = "ink") -> None:
        """Write a label on the left of the lines."""
        self._axes.text(
            (indent - self._left) / self._width, y, self._placeholder(text, self._left - indent),
            transform=self._axes.get_yaxis_transform(), va="center", color=COLORS[color],
            fontsize=12, parse_math=False,
        )  # fmt: skip

    def of_pod(self, line: _Line, seconds_per_pixel: float) -> None:
        """Write a pod's label, and why its report is missing: beside its line, if there is room."""
        room = len(line.span.reason) * _CHARACTER + 12
        x, align = line.end + 6 * seconds_per_pixel, "left"
        if line.broken or (self._width * seconds_per_pixel - line.end) / seconds_per_pixel < room:
            x, align = line.start - 6 * seconds_per_pixel, "right"
        fits = align == "left" or line.start / seconds_per_pixel >= room
        label = line.span.label
        if line.span.reason and not fits:
            label = f"{label}: {line.span.reason}"
        self.beside(line.row + 0.5, label, indent=12, color="muted")
        if line.span.reason and fits:
            self._axes.text(
                x, line.row + 0.5, self._placeholder(line.span.reason, room), va="center", ha=align,
                color=COLORS[line.span.color], fontsize=12, parse_math=False,
            )  # fmt: skip

    def _placeholder(self, text: str, room: float) -> str:
        key = placeholder(len(self.texts))
        self.texts[key] = printable(text, max(int(room / _CHARACTER), 1))
        return key
