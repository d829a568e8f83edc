"""When each pod ran: one line per pod, Job by Job.

It must not draw a pod that never started; the coverage lists those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from mrunners.render.html.plots.axes import NARROW, WIDE, bare_axes, seconds_axis
from mrunners.render.html.plots.svg import COLORS, as_svg, new_figure, slot
from mrunners.text import printable

__all__ = ["Lane", "Span", "draw_timeline"]

_TOP = 8
_BOTTOM = 30
_TALLEST = 460
_MOST_LABELS = 30


@dataclass(frozen=True, slots=True)
class Span:
    """A pod from its start to its end; `end` is None while it runs or when it is not known."""

    start: datetime
    end: datetime | None
    color: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The pods of one Job."""

    label: str
    spans: Sequence[Span]


def draw_timeline(lanes: Sequence[Lane], *, description: str) -> Markup:
    """The plot for wide and for narrow screens; nothing when no pod started."""
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
    # Pods and the gaps between Jobs, in rows.
    gap = max(1.0, len(spans) / 60)
    rows = len(spans) + gap * (len(lanes) - 1)
    height = min(max(rows * 16, 60), _TALLEST)
    figure = new_figure(width, _TOP + height + _BOTTOM)
    axes = bare_axes(figure, left=left, right=30, top=_TOP, bottom=_BOTTOM)
    seconds_axis(axes, (last - first).total_seconds(), room=width - left)
    axes.set_ylim(rows, 0)
    axes.set_yticks([])
    lines: dict[str, tuple[list[float], list[float]]] = {}
    row = 0.0
    for number, lane in enumerate(lanes):
        if number < _MOST_LABELS:
            axes.text(
                -left / (width - left - 30), row + len(lane.spans) / 2, slot(number),
                transform=axes.get_yaxis_transform(), va="center",
                color=COLORS["ink"], fontsize=12, parse_math=False,
            )  # fmt: skip
        for span in sorted(lane.spans, key=lambda span: span.start):
            x, y = lines.setdefault(span.color, ([], []))
            # A gap in the line, so that all pods of a colour are one element of the page.
            x += [_since(first, span.start), _since(first, span.end or last), float("nan")]
            y += [row + 0.5, row + 0.5, float("nan")]
            row += 1
        row += gap
    thickness = max(0.62 * height / rows, 0.5)
    for color, (x, y) in lines.items():
        # Among a thousand pods the few that went wrong must still be seen.
        rare = color != "accent"
        axes.plot(
            x, y, color=COLORS[color], linewidth=max(thickness, 1.5) if rare else thickness,
            solid_capstyle="butt", zorder=3 if rare else 2,
        )  # fmt: skip
    fits = int(left / 7.4)
    texts = {slot(number): printable(lane.label, fits) for number, lane in enumerate(lanes)}
    return as_svg(
        figure, name=f"timeline-{css}", css=f"plot {css}", description=description, texts=texts
    )


def _since(first: datetime, moment: datetime) -> float:
    return (moment - first).total_seconds()
