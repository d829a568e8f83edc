"""The look that all tables of a report share on a terminal.

It must not know what a table is about.
"""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mrunners.render.text import safe_cell

__all__ = ["MAX_ROWS", "add_rest", "titled_table"]

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
