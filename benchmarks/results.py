"""The rows that benchmarks return, as the table of docs/benchmarks.md and as JSON."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.measuring import Spread, spread

__all__ = ["Row", "Target", "as_json", "insert_table", "row", "table"]

_MARKS = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", re.DOTALL)
_COMPARE: dict[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True)
class Target:
    """What a figure should be.

    Attributes:
        limit: The bound.
        of: `ratio`, the peer's figure divided by ours, or `ours`.
        compare: `>=` or `<=`.
    """

    limit: float
    of: str = "ratio"
    compare: str = ">="

    def __str__(self) -> str:
        sign = "at least" if self.compare == ">=" else "at most"
        return f"{sign} {self.limit:,g}{' times' if self.of == 'ratio' else ''}"


@dataclass(frozen=True)
class Row:
    """One question and its answer.

    Attributes:
        question: What was measured.
        unit: The unit of both figures: `s`, `CPU s`, `MiB`, …
        ours: Our figure.
        peer: What it is compared with; empty if with nothing but the target.
        theirs: The peer's figure, in the same unit.
        target: What it should be; None for a figure that is only shown.
        note: What a reader must know.
    """

    question: str
    unit: str
    ours: Spread
    peer: str = ""
    theirs: Spread | None = None
    target: Target | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The peer's median divided by ours: how many times as much the peer takes."""
        return self.theirs.median / self.ours.median if self.theirs and self.ours.median else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        value = self.ratio if self.target.of == "ratio" else self.ours.median
        return value is not None and _COMPARE[self.target.compare](value, self.target.limit)


def row(
    question: str,
    unit: str,
    ours: Sequence[float],
    peer: str = "",
    theirs: Sequence[float] = (),
    target: Target | None = None,
    note: str = "",
) -> Row:
    """Return a row of repeated measurements."""
    other = spread(theirs) if theirs else None
    return Row(question, unit, spread(ours), peer, other, target, note)


def as_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the rows for build/bench/results.json, with their keys in English."""
    return [
        {
            "question": row.question,
            "unit": row.unit,
            "ours": vars(row.ours),
            "peer": row.peer or None,
            "theirs": None if row.theirs is None else vars(row.theirs),
            "ratio": row.ratio,
            "target": None if row.target is None else str(row.target),
            "met": row.met,
            "note": row.note or None,
        }
        for row in rows
    ]


def table(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| question | unit | mrunners | peer | the peer's | peer / mrunners | target | met |",
        "|---|---|---:|---|---:|---:|---|---|",
    ]
    for row in rows:
        met = {None: "", True: "yes", False: "no"}[row.met]
        cells = (
            row.question + (f" ({row.note})" if row.note else ""),
            row.unit,
            _figure(row.ours),
            row.peer,
            _figure(row.theirs) if row.theirs else "",
            f"{row.ratio:.2f}" if row.ratio is not None else "",
            str(row.target or ""),
            met,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def insert_table(document: str, text: str) -> str:
    """Return docs/benchmarks.md with the text between its marks.

    Raises:
        ValueError: The document has no marks.
    """
    if not _MARKS.search(document):
        raise ValueError("the document has no <!-- results --> and <!-- end of results -->")
    return _MARKS.sub(lambda found: f"{found[1]}{text}{found[2]}", document)


def _figure(spread: Spread) -> str:
    if spread.lowest == spread.highest:
        return _number(spread.median)
    return f"{_number(spread.median)} ({_number(spread.lowest)} to {_number(spread.highest)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
