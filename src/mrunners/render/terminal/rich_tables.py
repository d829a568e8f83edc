"""The look that all tables on a terminal share, and cells that are safe for text of others."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mrunners.text import printable

__all__ = ["MAX_ROWS", "add_rest", "safe_cell", "titled_table"]

# A terminal shows some 50 lines; the JSON report has every row.
MAX_ROWS = 20


def titled_table(title: str) -> Table:
    """Return an empty table as wide as the terminal; its title may be hostile text."""
    return Table(
        title=safe_cell(title),
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        box=SIMPLE_HEAD,
        expand=True,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )


def safe_cell(text: str, limit: int = 200, style: str = "") -> Text:
    """Return text that rich never reads as markup, an emoji name or a link.

    Args:
        text: Of any length and content.
        limit: Maximum number of characters of the cell.
        style: One of rich's style names.
    """
    return Text(printable(text, limit), style=style, overflow="fold")


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
