"""The plot of when each pod ran: one line per pod that started, grouped by Job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from mrunners.render.html.plots.axes import NARROW, WIDE, bare_axes, seconds_axis
from mrunners.render.html.plots.svg import COLORS, as_svg, new_figure, placeholder
from mrunners.text import printable

__all__ = ["Lane", "Span", "draw_timeline"]

# In pixels: the margins above and below the lines, and the most that all lines together take.
_TOP = 8
_BOTTOM = 30
_MAX_HEIGHT = 460
# More labels than this would overlap.
_MAX_LABELS = 30


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a pod ran.

    Attributes:
        start: When its container started.
        end: When its container ended; None while it runs or when that is unknown.
        color: The line's color, one of `svg.COLORS`.
    """

    start: datetime
    end: datetime | None
    color: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The pods of one Job.

    Attributes:
        label: The Job's name; may be hostile text.
        spans: When its pods ran, in any order.
    """

    label: str
    spans: Sequence[Span]


def draw_timeline(lanes: Sequence[Lane], *, description: str) -> Markup:
    """Draw the plot for wide and for narrow screens.

    Args:
        lanes: The Jobs from top to bottom.
        description: The plot in words, for readers who cannot see it.

    Returns:
        Two `svg` elements; nothing when no pod started.
    """
    lanes = [lane for lane in lanes if lane.spans]
    if not lanes:
        return Markup()
    return _draw(lanes, WIDE, 150, "wide", description) + _draw(
        lanes, NARROW, 84, "narrow", description
    )


def _draw(lanes: Sequence[Lane], width: float, left: float, css: str, description: str) -> Markup:
    spans = [span for lane in lanes for span in lane.spans]
    first = min(span.start for span in spans)
    last = max([span.end for span in spans if span.end is not None] + [s.start for s in spans])
    # One row per pod, and a gap between Jobs, measured in rows.
    gap = max(1.0, len(spans) / 60)
    rows = len(spans) + gap * (len(lanes) - 1)
    height = min(max(rows * 16, 60), _MAX_HEIGHT)
    figure = new_figure(width, _TOP + height + _BOTTOM)
    axes = bare_axes(figure, left=left, right=30, top=_TOP, bottom=_BOTTOM)
    seconds_axis(axes, (last - first).total_seconds(), width=width - left)
    axes.set_ylim(rows, 0)
    axes.set_yticks([])
    lines: dict[str, tuple[list[float], list[float]]] = {}
    row = 0.0
    for number, lane in enumerate(lanes):
        if number < _MAX_LABELS:
            axes.text(
                -left / (width - left - 30), row + len(lane.spans) / 2, placeholder(number),
                transform=axes.get_yaxis_transform(), va="center",
                color=COLORS["ink"], fontsize=12, parse_math=False,
            )  # fmt: skip
        for span in sorted(lane.spans, key=lambda span: span.start):
            x, y = lines.setdefault(span.color, ([], []))
            # NaN breaks the line, so that all pods of a color are one element of the page.
            x += [_since(first, span.start), _since(first, span.end or last), float("nan")]
            y += [row + 0.5, row + 0.5, float("nan")]
            row += 1
        row += gap
    thickness = max(0.62 * height / rows, 0.5)
    for color, (x, y) in lines.items():
        # The few pods that went wrong must be visible among a thousand others.
        rare = color != "accent"
        axes.plot(
            x, y, color=COLORS[color], linewidth=max(thickness, 1.5) if rare else thickness,
            solid_capstyle="butt", zorder=3 if rare else 2,
        )  # fmt: skip
    # A character of the page's font at 12 px is at most some 7.4 px wide.
    label_characters = int(left / 7.4)
    texts = {
        placeholder(number): printable(lane.label, label_characters)
        for number, lane in enumerate(lanes)
    }
    return as_svg(
        figure, name=f"timeline-{css}", css=f"plot {css}", description=description, texts=texts
    )


def _since(first: datetime, moment: datetime) -> float:
    return (moment - first).total_seconds()
