"""Make one short, printable line of a text that anybody may have written.

It must not know where the text is shown.
"""

from __future__ import annotations

__all__ = ["plain_text"]

_ELLIPSIS = "…"


def plain_text(text: str, limit: int = 200) -> str:
    r"""The text without anything that a terminal would obey, cut in its middle.

    Control and format characters (terminal escapes, newlines, text direction), private ones and
    lone surrogates become visible escapes such as `\x1b`: str.isprintable() is false for all.

    Args:
        text: of any length.
        limit: the most characters of the result, at least 1.
    Returns: one line; head and tail of the text when it was too long, for a URL differs at its
        end as often as at its beginning.
    """
    # Escaping makes a character at most ten; looking at more than `limit` on each side is waste.
    if len(text) > 2 * limit:
        text = text[:limit] + _ELLIPSIS + text[-limit:]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    if len(text) <= limit:
        return text
    head = limit // 2
    tail = limit - head - 1
    return text[:head] + _ELLIPSIS + (text[-tail:] if tail else "")
