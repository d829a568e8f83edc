"""Find in a log why kperf ended without a report: what it wrote to stderr last.

Only for logs without a report. The text is the pod's own: it explains, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from mrunners.text import printable

__all__ = ["kperf_error", "last_line"]

# cmd/kperf/main.go writes `kperf: <error>` as its last words. The error may have several lines, as
# that of a YAML document has.
_LAST_WORDS = b"kperf: "
_MAX_LINES = 3

# Go's runtime writes the reason first, and then the stacks of all goroutines.
_CRASHES = (b"panic: ", b"fatal error: ")

_MAX_CHARACTERS = 200
# Of a line of any length only both ends are decoded; a character has four bytes at most.
_MAX_BYTES = 4 * 2 * _MAX_CHARACTERS


def kperf_error(lines: Sequence[bytes]) -> str:
    """Return the reason that kperf gave on stderr.

    Args:
        lines: The lines of the log that are not the frame's own.

    Returns:
        One short printable line: kperf's last words, or the reason of its crash, or else the last
        line of the log; empty when there is none.
    """
    for position in range(len(lines) - 1, -1, -1):
        line = lines[position]
        if line.startswith(_CRASHES):
            return _shown([line])
        if line.startswith(_LAST_WORDS):
            return _shown(lines[position : position + 4 * _MAX_LINES])
    return last_line(lines)


def last_line(lines: Sequence[bytes]) -> str:
    """Return the last line that is not blank, short and printable; empty when there is none."""
    return _shown([next((line for line in reversed(lines) if line.strip()), b"")])


def _shown(lines: Sequence[bytes]) -> str:
    words = (line.strip() for line in lines)
    return printable(" ".join(map(_text, islice(filter(None, words), _MAX_LINES))), _MAX_CHARACTERS)


def _text(line: bytes) -> str:
    if len(line) > 2 * _MAX_BYTES:
        line = line[:_MAX_BYTES] + line[-_MAX_BYTES:]
    return line.decode("utf-8", "replace")
