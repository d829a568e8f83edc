"""The real log as a node returns it after rotation, a full disk, a crash or a limit.

The kubelet returns only the newest file, and rotates at any byte.
"""

from __future__ import annotations

from collections.abc import Iterator

from mrunners.reports.outcomes import MissingReason as Why
from tests.unit.reports.corpus.real_log import AFTER, BEFORE, BEGIN, BODY, END, LOG, joined

__all__ = ["rotated"]

_READ_FAILS = b'failed to read log file "/var/log/pods/x/runner/0.log": input/output error'


def rotated() -> Iterator[tuple[str, bytes, Why]]:
    """Yield name, log and reason of each."""
    yield from _rotated()
    yield from _cut()
    yield from _pieces()
    yield from _node()


def _rotated() -> Iterator[tuple[str, bytes, Why]]:
    for number in range(len(BODY) + 1):
        lines = b"\n".join([*BODY[number:], END]) + AFTER
        yield f"rotated: begins with body line {number + 1}", lines, Why.TRUNCATED
    yield "rotated inside a body line", LOG[len(BEFORE) + len(BEGIN) + 2000 :], Why.TRUNCATED
    yield "rotated inside the begin line", LOG[len(BEFORE) + 30 :], Why.TRUNCATED
    yield "rotated inside the marker", LOG[len(BEFORE) + 3 :], Why.TRUNCATED
    yield "rotated inside the end line", END[25:] + AFTER, Why.NO_FRAME
    yield "rotated after the frame", b"I0102 03:04:05.678901 1 late words\n", Why.NO_FRAME
    yield "rotated after the frame, nothing since", b"", Why.EMPTY_LOG
    tail_and_head = joined(*BODY[2:], END) + joined(BEGIN, *BODY[:2])
    yield "two files in the wrong order", tail_and_head, Why.GARBLED
    yield "the same file twice", LOG + LOG, Why.DUPLICATE_FRAME
    yield "files that overlap", LOG + joined(*BODY[2:], END), Why.DUPLICATE_FRAME


def _cut() -> Iterator[tuple[str, bytes, Why]]:
    frame_start = len(BEFORE)
    yield "stopped before the frame", BEFORE, Why.NO_FRAME
    yield "stopped inside the marker", LOG[: frame_start + 8], Why.NO_FRAME
    yield "stopped inside the begin line", LOG[: frame_start + 90], Why.TRUNCATED
    yield "stopped inside the body", LOG[: frame_start + 7000], Why.TRUNCATED
    yield "stopped at a line's end", joined(BEGIN, *BODY[:2]).removesuffix(AFTER), Why.TRUNCATED
    yield "stopped before the end line", joined(BEGIN, *BODY), Why.TRUNCATED
    yield "stopped inside the end line", LOG[: LOG.index(END) + 70], Why.TRUNCATED
    both = b"\n".join(BODY[1:3])
    yield "neither head nor tail", both, Why.TRUNCATED


def _pieces() -> Iterator[tuple[str, bytes, Why]]:
    for number in range(len(BODY)):
        rest = [*BODY[:number], *BODY[number + 1 :]]
        yield f"without body line {number + 1}", joined(BEGIN, *rest, END), Why.TRUNCATED
    swapped = [BODY[1], BODY[0], *BODY[2:]]
    yield "body lines in another order", joined(BEGIN, *swapped, END), Why.BAD_GZIP
    yield "a hole inside a line", LOG[:6000] + LOG[6400:], Why.TRUNCATED
    yield "a hole over two lines", LOG[:5000] + LOG[9000:], Why.TRUNCATED
    yield "a hole that a crash filled with NULs", LOG[:6000] + bytes(512) + LOG[6512:], Why.GARBLED
    flipped = bytes([LOG[7000] ^ 0x01])
    yield "one bit flipped", LOG[:7000] + flipped + LOG[7001:], Why.BAD_GZIP
    yield "upper case", joined(BEGIN, *(line.upper() for line in BODY), END), Why.BAD_GZIP


def _node() -> Iterator[tuple[str, bytes, Why]]:
    yield "the disk fails in the body", joined(BEGIN, BODY[0]) + _READ_FAILS, Why.TRUNCATED
    glued = (BEFORE + BEGIN + b"\n" + BODY[0][:900]) + _READ_FAILS
    yield "the disk fails inside a line", glued, Why.TRUNCATED
    yield "the disk fails before the frame", BEFORE + _READ_FAILS, Why.KUBELET_ERROR
    yield "CRLF everywhere", LOG.replace(b"\n", b"\r\n"), Why.GARBLED
    yield "UTF-16", LOG.decode().encode("utf-16"), Why.NO_FRAME
    timestamps = b"".join(b"2026-01-02T03:04:05Z " + line for line in LOG.splitlines(True))
    yield "read with timestamps", timestamps, Why.GARBLED
    cri = b"".join(b"2026-01-02T03:04:05Z stdout F " + line for line in LOG.splitlines(True))
    yield "the node's own file", cri, Why.GARBLED
