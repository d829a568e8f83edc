"""The look that all tables of a report share on a terminal.

It must not know what a table is about.
"""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mrunners.text import printable

__all__ = ["MAX_ROWS", "add_rest", "safe_cell", "titled_table"]

# A terminal shows some 50 lines; whoever needs the rest has the JSON.
MAX_ROWS = 20


def titled_table(title: str) -> Table:
    """An empty table as wide as the terminal; its title may be hostile."""
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


def add_rest(table: Table, more: int, of_what: str) -> None:
    """Say under the table how many rows are left out, when some are."""
    # Not a row: its text would widen the first column at the cost of the others.
    if more > 0:
        table.caption = Text(f"{more} more {of_what}: see the JSON report", style="dim")


def safe_cell(text: str, limit: int = 200, style: str = "") -> Text:
    """A cell for rich that is never read as markup, an emoji name or a link.

    Args:
        text: of any length and content.
        limit: the most characters of the cell.
        style: one of rich's style names.
    Returns: the cell.
    """
    return Text(printable(text, limit), style=style, overflow="fold")
