"""The look that all tables on a terminal share, and cells that are safe for text of others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from mrunners.text import printable

__all__ = ["MAX_ROWS", "Name", "add_rest", "drawn", "name_cell", "safe_cell", "titled_table"]

# A terminal shows some 50 lines; the JSON report has every row.
MAX_ROWS = 20

# Narrower than this, not even numbers fit.
_MIN_WIDTH = 52
# Nothing that is drawn is wider.
_NO_LIMIT = 20_000

# Where a name may be broken: before a slash or a parameter, and after a space.
_PIECES = re.compile(r"[/?&]*[^/?&\s]+\s*|[/?&]+\s*|\s+")
# Where a part that is wider than its column is broken.
_WORDS = re.compile(r"[_.,=-]*[^_.,=-]+|[_.,=-]+")


@dataclass(frozen=True, slots=True)
class Name:
    """A name without spaces, such as a path, that is broken between its parts only.

    Attributes:
        text: Printable text.
        style: One of rich's style names.
    """

    text: str
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines that fit."""
        del console
        for line in _lines(self.text, options.max_width):
            yield Text(line, style=self.style, no_wrap=True, overflow="ignore")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the widths of the longest part and of the whole."""
        del console
        pieces = [cell_len(piece.rstrip()) for piece in _PIECES.findall(self.text)]
        widest = cell_len(self.text)
        return Measurement(min(max(pieces, default=0), widest), widest).with_maximum(
            options.max_width
        )


def _lines(text: str, width: int) -> Iterable[str]:
    line = ""
    for piece in _PIECES.findall(text):
        fits = cell_len(piece.rstrip()) <= width
        for part in [piece] if fits else _WORDS.findall(piece):
            if line and cell_len(line + part.rstrip()) > width:
                yield line.rstrip()
                line = ""
            line += part
            # A word that is wider than the column has to be broken somewhere.
            while cell_len(line.rstrip()) > width:
                head = set_cell_size(line, width).rstrip()
                yield head
                line = line[len(head) :]
    yield line.rstrip()


def titled_table(title: str = "") -> Table:
    """Return an empty table as wide as its content; its title may be hostile text."""
    return Table(
        title=safe_cell(title) if title else None,
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )


def drawn(parts: Iterable[RenderableType], *, width: int | None, color: bool = False) -> str:
    """Return lines and tables as text, with an empty line before each table.

    Args:
        parts: What to draw, from top to bottom.
        width: Width of the terminal in columns; less than 52 counts as 52. None breaks no line,
            for a reader that is a program.
        color: Whether to write escape sequences for colors.
    """
    out = StringIO()
    console = Console(
        file=out,
        width=_NO_LIMIT if width is None else max(width, _MIN_WIDTH),
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    for part in parts:
        if not isinstance(part, Table):
            console.print(part)
            continue
        # rich would fit them into the table, which may be narrow.
        title, part.title = part.title, None
        caption, part.caption = part.caption, None
        console.print()
        if title:
            console.print(title, style="bold")
        console.print(part)
        if caption:
            console.print(caption)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def safe_cell(text: str, limit: int = 200, style: str = "") -> Text:
    """Return text that rich never reads as markup, an emoji name or a link.

    Args:
        text: Of any length and content.
        limit: Maximum number of characters of the cell.
        style: One of rich's style names.
    """
    return Text(printable(text, limit), style=style, overflow="fold")


def name_cell(text: str, limit: int = 200, style: str = "") -> Name:
    """Return a name that others chose, broken between its parts only; arguments as above."""
    return Name(printable(text, limit), style)


def add_rest(table: Table, count: int, noun: str) -> None:
    """Say below the table how many rows are left out, if any.

    Args:
        table: The table to add to.
        count: Number of rows left out; nothing is said when it is 0 or less.
        noun: What a row is, in the plural.
    """
    # Not a row: its text would widen the first column at the cost of the others.
    if count > 0:
        table.caption = Text(f"{count} more {noun}: see the JSON report", style="dim")
