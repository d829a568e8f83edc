"""Tables as the template draws them: cells of plain text, which the template escapes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mrunners.formatting import milliseconds
from mrunners.text import printable

__all__ = [
    "Cell",
    "Column",
    "Row",
    "Table",
    "cell",
    "column_rules",
    "number",
    "percentile_cells",
]

# A shorter table is read faster than it is unfolded.
_LONG_ROWS = 15

# Where page.css shows each row as a block of its own.
_NARROW = "@media screen and (max-width: 60rem)"


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        label: Its heading.
        numeric: Whether it is aligned to the right and sorts by number.
        sub: What its cells' second lines are; a column of its own when the table is copied.
    """

    label: str
    numeric: bool = True
    sub: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of printable text of bounded length.

    Attributes:
        text: What it says.
        sub: A second line in smaller print.
        tone: `bad`, `warn` or empty; the text says the same without color.
        share: From 0 to 1, drawn as a bar below the text; None draws nothing.
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
        name: The element's ID on the page.
        title: What is in it, in a few words.
        note: The units, or what else a reader of it must know.
        rows_are: What a row is, in the plural, such as `pods`.
        columns: As many as each row has cells.
        rows: Without rows the table is left out.
        total: A last row over all others; None for none.
    """

    name: str
    title: str
    note: str
    rows_are: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: Row | None = None

    @property
    def is_long(self) -> bool:
        """Whether it is shown folded."""
        return len(self.rows) >= _LONG_ROWS


def column_rules(tables: Iterable[Table]) -> str:
    """Return the style rules of the tables' columns, which page.css must precede.

    A class and a label on each cell instead would be half of the page of a run of many pods.
    """
    numbers, labels = [], []
    for table in tables:
        for place, column in enumerate(table.columns[1:], start=2):
            # As weak as a rule for all cells, so that those of page.css for narrow pages win.
            cells = f":where(#{table.name}) td:where(:nth-child({place}))"
            if column.numeric:
                numbers.append(cells)
            label = column.label.replace("\\", r"\5c ").replace('"', r"\22 ").replace("<", r"\3c ")
            labels.append(f'{cells}::before {{ content: "{label}"; }}')
    of_numbers = "text-align: right; white-space: nowrap; overflow-wrap: normal;"
    return f"{', '.join(numbers)} {{ {of_numbers} }}\n{_NARROW} {{ {' '.join(labels)} }}\n"


def cell(text: str | None, sub: str = "", *, tone: str = "", limit: int = 200) -> Cell:
    """Return a cell of text that others may have written; `-` when there is none."""
    return Cell("-" if text is None else printable(text, limit), printable(sub, limit), tone)


def number(text: str, *, tone: str = "") -> Cell:
    """Return a cell of a number, as this package formats it."""
    return Cell(text, tone=tone)


def percentile_cells(
    pairs: Sequence[tuple[float, float]] | None, percentiles: Sequence[float]
) -> list[Cell]:
    """Return a cell in milliseconds for each percentile; `-` where it is unknown."""
    at = dict(pairs or ())
    return [number(milliseconds(at.get(p))) for p in percentiles]
