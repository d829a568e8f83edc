"""From a frame's body to the raw JSON: base64, gzip, length and hash, each one checked.

It must not search for the frame, and never unpacks more than was announced.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Sequence

from mrunners.reports.frame_lines import FrameLine
from mrunners.reports.outcomes import MissingReason, UnusableReportError

__all__ = ["MAX_REPORT_BYTES", "decode_body", "is_full_line"]

# About five million samples of the v0.3.5 form; parsing takes some five times as much memory.
MAX_REPORT_BYTES = 256 * 1024 * 1024

_ENCODING = "gzip+base64"
_LINE_CHARACTERS = 4000
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_GZIP_WINDOW = 31  # zlib's number for 'a gzip header and trailer, and nothing else'


def decode_body(lines: Sequence[bytes], begin: FrameLine) -> bytes:
    """Unpack what stands between the begin and the end line.

    Args:
        lines: the lines between, without newlines.
        begin: what was announced.
    Returns: the raw JSON.
    Raises: UnusableReportError: it is not what was announced.
    """
    if begin.encoding != _ENCODING:
        raise UnusableReportError(
            MissingReason.UNSUPPORTED_FRAME_VERSION, "the frame has an unknown encoding"
        )
    if begin.size_bytes > MAX_REPORT_BYTES:
        raise UnusableReportError(
            MissingReason.TOO_LARGE,
            f"a report of {begin.size_bytes} bytes is announced, at most {MAX_REPORT_BYTES} "
            "are read",
        )
    text = _joined(lines, begin.encoded_bytes)
    try:
        packed = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise UnusableReportError(
            MissingReason.BAD_BASE64, "the frame's body is not valid base64"
        ) from error
    raw = _unpacked(packed, begin.size_bytes)
    if len(raw) != begin.size_bytes:
        raise UnusableReportError(
            MissingReason.LENGTH_MISMATCH,
            f"{begin.size_bytes} bytes were announced, the body holds {len(raw)}",
        )
    if hashlib.sha256(raw).hexdigest() != begin.sha256:
        raise UnusableReportError(
            MissingReason.CHECKSUM_MISMATCH, "the report's SHA-256 is not the announced one"
        )
    return raw


def is_full_line(line: bytes) -> bool:
    """Whether a log line can only be one of a frame's body, by its length and its alphabet."""
    return len(line) == _LINE_CHARACTERS and _BASE64_LINE.fullmatch(line) is not None


def _joined(lines: Sequence[bytes], announced: int) -> bytes:
    """The body's characters, when its lines are the ones that the script wrote.

    The lines' lengths tell a lost piece (truncated) from an altered one (garbled).
    """
    misshapen = 0
    for number, line in enumerate(lines, start=1):
        if not _BASE64_LINE.fullmatch(line):
            raise UnusableReportError(
                MissingReason.GARBLED, f"line {number} of the frame's body is {_nature(line)}"
            )
        too_short = number < len(lines) and len(line) < _LINE_CHARACTERS
        if too_short or len(line) > _LINE_CHARACTERS:
            misshapen = misshapen or number
    text = b"".join(lines)
    if len(text) < announced:
        raise UnusableReportError(
            MissingReason.TRUNCATED,
            f"the middle is missing: {len(text)} of the body's {announced} characters arrived",
        )
    if len(text) > announced:
        raise UnusableReportError(
            MissingReason.GARBLED,
            f"the body has {len(text)} characters, {announced} were announced",
        )
    if misshapen:
        raise UnusableReportError(
            MissingReason.GARBLED,
            f"line {misshapen} of the frame's body has not {_LINE_CHARACTERS} characters",
        )
    return text


def _nature(line: bytes) -> str:
    if b"\r" in line:
        return "altered: it has a carriage return"
    if b"\0" in line:
        return "altered: it has a NUL"
    if not line.isascii():
        return "altered: it has bytes beyond ASCII"
    return "not base64 but other text"


def _unpacked(packed: bytes, announced: int) -> bytes:
    """At most one byte more than announced, so that a bomb ends here and not in memory."""
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        raw = unpacker.decompress(packed, announced + 1)
    except zlib.error as error:
        raise UnusableReportError(
            MissingReason.BAD_GZIP, "the frame's body is not valid gzip"
        ) from error
    if len(raw) > announced:
        raise UnusableReportError(
            MissingReason.LENGTH_MISMATCH, f"the body unpacks to more than {announced} bytes"
        )
    if not unpacker.eof or unpacker.unused_data:
        raise UnusableReportError(
            MissingReason.BAD_GZIP, "the frame's body is not exactly one gzip stream"
        )
    return raw
