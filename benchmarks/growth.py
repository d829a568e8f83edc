"""Draws how what a run costs grows with its pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["draw_growth"]


def draw_growth(path: Path, pods: Sequence[int], figures: Mapping[str, Sequence[float]]) -> None:
    """Write an SVG in which a straight line of the dashed one's slope is linear growth.

    Args:
        path: The file.
        pods: The sizes of the runs.
        figures: What each cost, by name and unit, such as `CPU (s)`.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  it takes a second to import

    figure = Figure(figsize=(3 * len(figures), 3), layout="constrained")
    for number, (name, values) in enumerate(figures.items(), 1):
        axes = figure.add_subplot(1, len(figures), number)
        axes.loglog(pods, values, marker="o")
        linear = [values[-1] * count / pods[-1] for count in pods]
        axes.loglog(pods, linear, linestyle="--", color="gray")
        axes.set(title=name, xlabel="pods")
    figure.savefig(path, format="svg", metadata={"Date": None})
