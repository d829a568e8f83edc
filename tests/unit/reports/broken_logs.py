"""Broken logs, each with its name and the reason that must be reported."""

from __future__ import annotations

import base64
import gzip
import random
from collections.abc import Iterator

from mrunners.reports.outcomes import MissingReason as Why
from tests.factories import ADDRESS, begin_line, body_of, end_line, folded, framed

# Random digits, so that the body has several lines even when packed.
RAW = (
    b'{"noise": ['
    + b",".join(str(n).encode() for n in random.Random(3).choices(range(10**9), k=3000))
    + b"]}\n"
)
BODY = body_of(RAW)
LINES = folded(BODY)
GOOD = framed(RAW)
ADDRESS_FIELDS = f"run={ADDRESS.run_id} job={ADDRESS.job} index={ADDRESS.index}".encode()
POD_FIELD = f"pod={ADDRESS.pod}".encode()
END = end_line(RAW)
BEGIN = begin_line(RAW, BODY)

FILE = b'"/var/log/pods/load_mrunners-1-2-abcde_0b6a/runner/0.log"'
RUNTIME_GONE = b"rpc error: code = Unavailable desc = connection error"
# The errors of Kubernetes v1.37.2; kubelet_errors.py names the source files.
KUBELET_ERRORS = {
    "container gone": b"unable to retrieve container logs for containerd://0123abcd",
    "status gone": b"container status is nil",
    "file gone": b"failed to try resolving symlinks in path "
    + FILE
    + b": lstat "
    + FILE.strip(b'"')
    + b": no such file or directory",
    "rotated away": b"failed to open log file " + FILE + b": open 0.log: no such file or directory",
    "disk fails": b"failed to read log file " + FILE + b": input/output error",
    "no seeking": b"failed to seek 0 in log file " + FILE + b": invalid argument",
    "not a CRI log": b'failed to get parse function: unsupported log format: "hello\\n"',
    "too many watches": b"failed to create fsnotify watcher: too many open files",
    "runtime gone": RUNTIME_GONE,
}


def log(*lines: bytes) -> bytes:
    return b"\n".join([b"", *lines, b""])


def with_line(number: int, line: bytes) -> bytes:
    """Return a log in which another line is in the place of body line `number`."""
    return log(BEGIN, *LINES[:number], line, *LINES[number + 1 :], END)


def inserted(number: int, *lines: bytes) -> bytes:
    return log(BEGIN, *LINES[:number], *lines, *LINES[number:], END)


def announced(body: bytes, raw: bytes = RAW, **changes: object) -> bytes:
    """Return a log with another body, whose length the begin line announces correctly."""
    return framed(raw, body=body, **changes)


def broken_logs() -> Iterator[tuple[str, bytes, Why]]:
    yield from _no_frame()
    yield from _cut()
    yield from _altered()
    yield from _wrong_frame()
    yield from _wrong_content()
    yield from _announced_by_the_script()


def _no_frame() -> Iterator[tuple[str, bytes, Why]]:
    yield "empty", b"", Why.EMPTY_LOG
    yield "blank", b" \n\n\r\n", Why.EMPTY_LOG
    yield "only NULs", b"\0" * 4096, Why.EMPTY_LOG
    yield "only stderr", b"I0102 starting\nW0102 slow\n", Why.NO_FRAME
    yield "binary", bytes(range(256)) * 10, Why.NO_FRAME
    yield "a plain report", b'{\n  "total": 1\n}\n', Why.NO_FRAME
    yield "body alone", log(*LINES), Why.TRUNCATED
    for name, error in KUBELET_ERRORS.items():
        yield f"kubelet: {name}", error, Why.KUBELET_ERROR
    yield "kubelet: after some stderr", b"I0102 on\n" + RUNTIME_GONE, Why.KUBELET_ERROR
    yield "kubelet: with a newline", RUNTIME_GONE + b"\n", Why.KUBELET_ERROR


def _cut() -> Iterator[tuple[str, bytes, Why]]:
    yield "head: begin line gone", log(*LINES, END), Why.TRUNCATED
    yield "head: cut in the begin line", GOOD[40:], Why.TRUNCATED
    yield "head: cut in the body", log(LINES[0][100:], *LINES[1:], END), Why.TRUNCATED
    yield "head: only the end line", log(END), Why.TRUNCATED
    yield "tail: end line gone", log(BEGIN, *LINES), Why.TRUNCATED
    yield "tail: cut in the body", GOOD[: len(GOOD) // 2], Why.TRUNCATED
    yield "tail: cut in the end line", GOOD[:-20], Why.TRUNCATED
    yield "tail: cut in the end line's hash", GOOD[:-2], Why.TRUNCATED
    yield "tail: cut in the begin line", log(BEGIN)[:60], Why.TRUNCATED
    yield "tail: only the begin line", log(BEGIN), Why.TRUNCATED
    yield "middle: one line gone", log(BEGIN, *LINES[:1], *LINES[2:], END), Why.TRUNCATED
    yield "middle: no body", log(BEGIN, END), Why.TRUNCATED
    yield "middle: last line gone", log(BEGIN, *LINES[:-1], END), Why.TRUNCATED
    yield "middle: a line's tail gone", with_line(1, LINES[1][:1000]), Why.TRUNCATED


def _altered() -> Iterator[tuple[str, bytes, Why]]:
    yield "klog line between", inserted(1, b"W0102 03:04:05 throttled, 1.2s"), Why.GARBLED
    yield "empty line between", inserted(1, b""), Why.GARBLED
    yield "base64 look-alike between", inserted(1, b"abcd"), Why.GARBLED
    yield "line twice", inserted(1, LINES[1]), Why.GARBLED
    yield "stderr inside a line", with_line(1, LINES[1][:9] + b"W0 " + LINES[1][9:]), Why.GARBLED
    yield "letters inside a line", with_line(1, LINES[1][:9] + b"ab" + LINES[1][9:]), Why.GARBLED
    yield "newline inside a line", with_line(1, LINES[1][:9] + b"\n" + LINES[1][9:]), Why.GARBLED
    yield "CRLF", GOOD.replace(b"\n", b"\r\n"), Why.GARBLED
    yield "CRLF in the body", with_line(0, LINES[0] + b"\r"), Why.GARBLED
    yield "NUL in the body", with_line(1, b"\0" + LINES[1][1:]), Why.GARBLED
    yield "NUL block in the body", with_line(1, b"\0" * 4000), Why.GARBLED
    yield "invalid UTF-8 in the body", with_line(1, b"\xff\xfe" + LINES[1][2:]), Why.GARBLED
    yield "invalid UTF-8 in the begin line", log(BEGIN + b"\xff", *LINES, END), Why.GARBLED
    yield "escape in the body", with_line(1, b"\x1b[31m" + LINES[1][5:]), Why.GARBLED
    yield "text after the begin line", log(BEGIN + b" x", *LINES, END), Why.GARBLED
    yield "text after the end line", log(BEGIN, *LINES, END + b"x"), Why.GARBLED
    yield "all glued to stderr", b"W0102 slow " + log(BEGIN, *LINES)[1:], Why.GARBLED
    yield "end before begin", log(END, *LINES, BEGIN), Why.GARBLED
    yield "two lines joined", with_line(0, LINES[0] + LINES[1]), Why.GARBLED
    yield "a word missing", log(BEGIN.replace(b"bytes=", b""), *LINES, END), Why.GARBLED
    yield "size of 5,000 digits", framed(RAW, bytes="9" * 5000), Why.GARBLED
    yield "negative size", framed(RAW, bytes=-1), Why.GARBLED


def _wrong_frame() -> Iterator[tuple[str, bytes, Why]]:
    yield "two frames", GOOD + GOOD, Why.DUPLICATE_FRAME
    yield "two frames, one foreign", framed(RAW, index=1) + GOOD, Why.DUPLICATE_FRAME
    yield "a frame in a frame", inserted(1, *GOOD.split(b"\n")[1:-1]), Why.DUPLICATE_FRAME
    yield "begin twice", log(BEGIN, BEGIN, *LINES, END), Why.DUPLICATE_FRAME
    yield "end twice", log(BEGIN, *LINES, END, END), Why.DUPLICATE_FRAME
    none_line = (
        b"mrunners-report none v1 "
        + ADDRESS_FIELDS
        + b" "
        + POD_FIELD
        + b" exit=1 reason=no-report"
    )
    yield "a frame and none", GOOD + none_line + b"\n", Why.DUPLICATE_FRAME
    other = "11111111-8f43-5f1b-9a53-0d0f8a3f1c11"
    yield "of another run", framed(RAW, run=other), Why.FOREIGN_FRAME
    yield "of another Job", framed(RAW, job="mrunners-0"), Why.FOREIGN_FRAME
    yield "of another index", framed(RAW, index=3), Why.FOREIGN_FRAME
    yield "of another pod", framed(RAW, pod="mrunners-1-2-zzzzz"), Why.FOREIGN_FRAME
    yield "without an index", framed(RAW, index=""), Why.FOREIGN_FRAME
    yield "end of another index", log(BEGIN, *LINES, end_line(RAW, index=3)), Why.FOREIGN_FRAME
    yield "end of another report", log(BEGIN, *LINES, end_line(b"{}")), Why.FOREIGN_FRAME
    yield "none of another index", none_line.replace(b"index=2", b"index=4"), Why.FOREIGN_FRAME
    later = GOOD.replace(b" v1 ", b" v2 ")
    yield "version 2", later, Why.UNSUPPORTED_FRAME_VERSION
    yield "another encoding", framed(RAW, encoding="zstd"), Why.UNSUPPORTED_FRAME_VERSION


def _wrong_content() -> Iterator[tuple[str, bytes, Why]]:
    same_length = RAW[:-3] + b" }\n"
    yield "another report of its length", announced(body_of(same_length)), Why.CHECKSUM_MISMATCH
    yield "shorter than announced", announced(body_of(RAW[:-1])), Why.LENGTH_MISMATCH
    yield "longer than announced", announced(body_of(RAW + b" ")), Why.LENGTH_MISMATCH
    yield "wrong length announced", framed(RAW, bytes=len(RAW) + 1), Why.LENGTH_MISMATCH
    bomb = body_of(b"\0" * 50_000_000)
    yield "gzip bomb", announced(bomb, b"{}"), Why.LENGTH_MISMATCH
    yield "announced bomb", framed(RAW, bytes=10**12), Why.TOO_LARGE
    yield "padding in the middle", with_line(1, LINES[1][:-1] + b"="), Why.BAD_BASE64
    yield "a character short", announced(BODY.rstrip(b"=")[:-1]), Why.BAD_BASE64
    yield "not gzip", announced(base64.b64encode(RAW)), Why.BAD_GZIP
    packed = gzip.compress(RAW, mtime=0)
    yield "gzip without its trailer", announced(base64.b64encode(packed[:-8])), Why.BAD_GZIP
    yield "gzip cut", announced(base64.b64encode(packed[: len(packed) // 2])), Why.BAD_GZIP
    yield "gzip with more after it", announced(base64.b64encode(packed + b"{}")), Why.BAD_GZIP
    yield "gzip twice", announced(base64.b64encode(packed + packed)), Why.BAD_GZIP
    wrong_crc = packed[:-8] + b"\1\2\3\4" + packed[-4:]
    yield "gzip with a wrong CRC", announced(base64.b64encode(wrong_crc)), Why.BAD_GZIP


def _announced_by_the_script() -> Iterator[tuple[str, bytes, Why]]:
    none_line = b"mrunners-report none v1 " + ADDRESS_FIELDS + b" " + POD_FIELD
    yield (
        "kperf failed",
        log(b"kperf: err", none_line + b" exit=1 reason=no-report"),
        Why.KPERF_FAILED,
    )
    yield "no gzip", log(none_line + b" exit=0 reason=missing-gzip"), Why.SCRIPT_FAILED
    too_large_line = b"mrunners-report too-large v1 " + ADDRESS_FIELDS + b" " + POD_FIELD
    yield "too large", log(too_large_line + b" bytes=9 encoded=8 limit=7 logs=1"), Why.TOO_LARGE
