"""The real log with stderr written into it at every kind of byte, and what each must be called.

A container's two streams are written by two processes: a word of stderr may come between any two
writes to stdout, as a line, as a piece of one, or with a newline on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator

from mrunners.reports.outcomes import MissingReason as Why
from tests.unit.reports.corpus.real_log import BEFORE, BEGIN, BODY, END, LOG

__all__ = ["interleaved"]

_BODY_AT = len(BEFORE) + len(BEGIN) + 1
_LAST_AT = _BODY_AT + sum(len(line) + 1 for line in BODY[:-1])
_END_AT = _LAST_AT + len(BODY[-1]) + 1

NOISES = {
    "a piece": b"W0102 slow",
    "a line": b"W0102 03:04:05.678901 1 request.go:700] throttled, 1.2s\n",
    "a line of its own": b"\nI0102 03:04:05.678901 1 runner.go:12] \xc3\xa9\n",
    "letters of the alphabet": b"kperf/err",
}

# Each kind of byte, and one place of it in the log.
PLACES = {
    "begin line: inside the marker": len(BEFORE) + 4,
    "begin line: behind the marker": len(BEFORE) + len(b"mrunners-report"),
    "begin line: inside the word begin": len(BEFORE) + len(b"mrunners-report be"),
    "begin line: inside the version": len(BEFORE) + len(b"mrunners-report begin v"),
    "begin line: inside the run": len(BEFORE) + BEGIN.index(b"run=") + 9,
    "begin line: inside a number": len(BEFORE) + BEGIN.index(b"bytes=") + 7,
    "begin line: inside the hash": len(BEFORE) + BEGIN.index(b"sha256=") + 20,
    "begin line: before its newline": _BODY_AT - 1,
    "body: its first byte": _BODY_AT,
    "body: inside a group of four": _BODY_AT + 401,
    "body: between two groups of four": _BODY_AT + 400,
    "body: before a line's newline": _BODY_AT + len(BODY[0]),
    "body: behind a line's newline": _BODY_AT + len(BODY[0]) + 1,
    "body: inside the last line": _LAST_AT + 5,
    "body: before its last byte": _END_AT - 2,
    "body: before the end line's newline": _END_AT - 1,
    "end line: its first byte": _END_AT,
    "end line: inside the marker": _END_AT + 4,
    "end line: inside the word end": _END_AT + len(b"mrunners-report en"),
    "end line: inside the run": _END_AT + END.index(b"run=") + 9,
    "end line: inside the hash": _END_AT + END.index(b"sha256=") + 20,
    "end line: before its newline": _END_AT + len(END),
}

# Behind a whole frame stderr may say what it likes, in lines of its own.
_HARMLESS = ("end line: before its newline", "a line of its own")


def interleaved() -> Iterator[tuple[str, bytes, Why]]:
    """Name, log and reason of each; whatever was written into, it was not lost but garbled."""
    for place, at in PLACES.items():
        for noise, text in NOISES.items():
            if (place, noise) != _HARMLESS:
                yield f"{noise} at {place}", LOG[:at] + text + LOG[at:], Why.GARBLED
