"""Quotes what a user wrote inside a message, and guesses what was meant.

It must not decide whether something is wrong.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

__all__ = ["closest", "did_you_mean", "escaped", "quoted"]

_MAX_SHOWN: Final = 60


def quoted(value: object, *, limit: int = _MAX_SHOWN) -> str:
    """A value as a message may show it: in quotes where it is text, short, on one line.

    Args:
        value: a scalar, or a mapping or list, of which only the kind is named.
        limit: how many characters of a text are shown.
    Returns: printable text; control and bidirectional characters are escaped.
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, str):
        # repr escapes whatever str.isprintable refuses.
        return repr(value if len(value) <= limit else value[:limit] + "…")
    return repr(value)


def escaped(text: str, *, limit: int) -> str:
    """A text without quotes, with everything that is not printable as an escape.

    Args:
        text: anything.
        limit: how many characters of it are shown.
    Returns: printable text on one line.
    """
    shown = text if len(text) <= limit else text[:limit] + "…"
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in shown)


def closest(word: str, known: Iterable[str]) -> str | None:
    """Which known word was probably meant.

    Args:
        word: what was written.
        known: what could have been written.
    Returns: None when nothing is close.
    """
    lowered = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word[:_MAX_SHOWN].lower(), lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word.

    Args:
        word: what was written.
        known: what could have been written.
    Returns: `; did you mean 'rate'?`, or `; known: burst, rate` when nothing is close.
    """
    names = sorted(known)
    meant = closest(word, names)
    return f"; known: {', '.join(names)}" if meant is None else f"; did you mean '{meant}'?"
