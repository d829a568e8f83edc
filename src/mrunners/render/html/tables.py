"""Tables as the template draws them: plain text in cells, and nothing of HTML.

It must not know the report: `measured` and `planned` fill these records.
"""

from __future__ import annotations

from dataclasses import dataclass

from mrunners.text import printable

__all__ = ["Cell", "Column", "Row", "Table", "cell", "number"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading; numbers stand to the right and can be sorted."""

    label: str
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, printable and bounded.

    Attributes:
        text: what it says.
        sub: a second, quieter line.
        tone: `bad`, `warn`, `good` or nothing; the text says the same.
        share: from 0 to 1, drawn as a bar beneath the text.
    """

    text: str
    sub: str = ""
    tone: str = ""
    share: float | None = None


Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of each row is its heading.

    Attributes:
        name: unique on the page.
        title: what it holds, in a few words.
        note: the units, or what else a reader of it must know.
        rows_are: what a row is, in the plural, such as `pods`.
        columns: as many as each row has cells.
        rows: none means that the table is left out.
    """

    name: str
    title: str
    note: str
    rows_are: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def cell(text: str | None, sub: str = "", *, tone: str = "", limit: int = 200) -> Cell:
    """A cell of text that others may have written."""
    return Cell("-" if text is None else printable(text, limit), printable(sub, limit), tone)


def number(text: str, *, tone: str = "") -> Cell:
    """A cell of a number that this project has written."""
    return Cell(text, tone=tone)
