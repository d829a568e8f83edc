"""Text for people: made safe to print, shortened, listed, and matched against what was meant.

Everything that a user, a pod or a cluster wrote goes through here before it reaches a terminal.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["closest", "did_you_mean", "kind_of", "listed", "printable", "quoted", "spec_names"]

_ELLIPSIS: Final = "…"
_QUOTED_CHARACTERS: Final = 60


def printable(text: str, limit: int = 200) -> str:
    r"""Return one printable line, shortened in the middle.

    Control and format characters (terminal escapes, newlines, text direction), private ones and
    lone surrogates become visible escapes such as `\x1b`: str.isprintable() is false for all.

    Args:
        text: Of any length and content.
        limit: Maximum length of the result, at least 1.

    Returns:
        The text; its head and tail when it was too long, because URLs and paths differ at the end
        as often as at the beginning.
    """
    # An escape makes a character at most ten; looking at more than `limit` on each side is waste.
    if len(text) > 2 * limit:
        text = text[:limit] + _ELLIPSIS + text[-limit:]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    if len(text) <= limit:
        return text
    head = limit // 2
    tail = limit - head - 1
    return text[:head] + _ELLIPSIS + (text[-tail:] if tail else "")


def quoted(value: object, *, limit: int = _QUOTED_CHARACTERS) -> str:
    """Return a value as a message may quote it: short, printable and on one line.

    Args:
        value: A scalar; of a mapping or list only the kind is named.
        limit: How many characters of a text are shown.

    Returns:
        Text in quotes, other scalars as YAML spells them.
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
        return repr(value if len(value) <= limit else value[:limit] + _ELLIPSIS)
    return repr(value)


def kind_of(value: object) -> str:
    """Return what a value is, for a message that must not repeat it."""
    if value is None or isinstance(value, dict | list | tuple):
        return quoted(value)
    if isinstance(value, bool):
        return "true or false"
    return "text" if isinstance(value, str) else "a number"


def listed(texts: Sequence[str], limit: int = 3) -> str:
    """Return `a, b, c and 4 more`."""
    more = len(texts) - limit
    return ", ".join(texts[:limit]) + (f" and {more} more" if more > 0 else "")


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant; None when nothing is close."""
    lowered = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word[:_QUOTED_CHARACTERS].lower(), lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown word.

    Returns:
        `; did you mean 'rate'?`, or `; known: burst, rate` when nothing is close.
    """
    names = sorted(known)
    meant = closest(word, names)
    return f"; known: {', '.join(names)}" if meant is None else f"; did you mean '{meant}'?"


def spec_names(indexes: Sequence[int]) -> str:
    """Return `specs[0], specs[2]…specs[19]` for ascending indexes."""
    runs: list[list[int]] = []
    for index in indexes:
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    names = []
    for run in runs:
        if len(run) > 2:
            names.append(f"specs[{run[0]}]…specs[{run[-1]}]")
        else:
            names += [f"specs[{index}]" for index in run]
    return listed(names, 5)
