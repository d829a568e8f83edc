"""The real log with stderr written into it at every kind of position; each is garbled.

Two processes write a container's two streams: text of stderr can come between any two writes to
stdout, as a line, as a piece of a line, or with a newline on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator

from mrunners.reports.outcomes import MissingReason as Why
from tests.unit.reports.corpus.real_log import BEFORE, BEGIN, BODY, END, LOG

__all__ = ["interleaved"]

_BODY_START = len(BEFORE) + len(BEGIN) + 1
_LAST_LINE_START = _BODY_START + sum(len(line) + 1 for line in BODY[:-1])
_END_START = _LAST_LINE_START + len(BODY[-1]) + 1

NOISES = {
    "a piece": b"W0102 slow",
    "a line": b"W0102 03:04:05.678901 1 request.go:700] throttled, 1.2s\n",
    "a line of its own": b"\nI0102 03:04:05.678901 1 runner.go:12] \xc3\xa9\n",
    "base64 characters": b"kperf/err",
}

# Each kind of position, and one of it in the log.
POSITIONS = {
    "begin line: inside the marker": len(BEFORE) + 4,
    "begin line: after the marker": len(BEFORE) + len(b"mrunners-report"),
    "begin line: inside the word begin": len(BEFORE) + len(b"mrunners-report be"),
    "begin line: inside the version": len(BEFORE) + len(b"mrunners-report begin v"),
    "begin line: inside the run": len(BEFORE) + BEGIN.index(b"run=") + 9,
    "begin line: inside a number": len(BEFORE) + BEGIN.index(b"bytes=") + 7,
    "begin line: inside the hash": len(BEFORE) + BEGIN.index(b"sha256=") + 20,
    "begin line: before its newline": _BODY_START - 1,
    "body: its first byte": _BODY_START,
    "body: inside a group of four": _BODY_START + 401,
    "body: between two groups of four": _BODY_START + 400,
    "body: before a line's newline": _BODY_START + len(BODY[0]),
    "body: after a line's newline": _BODY_START + len(BODY[0]) + 1,
    "body: inside the last line": _LAST_LINE_START + 5,
    "body: before its last byte": _END_START - 2,
    "body: before the end line's newline": _END_START - 1,
    "end line: its first byte": _END_START,
    "end line: inside the marker": _END_START + 4,
    "end line: inside the word end": _END_START + len(b"mrunners-report en"),
    "end line: inside the run": _END_START + END.index(b"run=") + 9,
    "end line: inside the hash": _END_START + END.index(b"sha256=") + 20,
    "end line: before its newline": _END_START + len(END),
}

# After a whole frame stderr does no harm, in lines of its own.
_HARMLESS = ("end line: before its newline", "a line of its own")


def interleaved() -> Iterator[tuple[str, bytes, Why]]:
    """Yield name, log and reason of each; nothing was lost, so every log is garbled."""
    for position_name, position in POSITIONS.items():
        for noise, text in NOISES.items():
            if (position_name, noise) != _HARMLESS:
                log = LOG[:position] + text + LOG[position:]
                yield f"{noise} at {position_name}", log, Why.GARBLED
