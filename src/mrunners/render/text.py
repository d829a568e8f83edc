"""Text that others wrote, made harmless for a terminal.

It must not draw: the tables do.
"""

from __future__ import annotations

from rich.text import Text

from mrunners.reports.plain_text import plain_text

__all__ = ["safe_cell", "safe_text"]


def safe_text(text: str, limit: int = 200) -> str:
    """One printable line: no terminal escapes, no newlines, cut in the middle when too long.

    Args:
        text: of any length and content.
        limit: the most characters of the result.
    Returns: the text; markup such as `[red]` stays in it, so draw it through `safe_cell`.
    """
    return plain_text(text, limit)


def safe_cell(text: str, limit: int = 200, style: str = "") -> Text:
    """A cell for rich that is never read as markup, an emoji name or a link.

    Args:
        text: of any length and content.
        limit: the most characters of the cell.
        style: one of rich's style names.
    Returns: the cell.
    """
    return Text(plain_text(text, limit), style=style, overflow="fold")
