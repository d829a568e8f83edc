"""Unpack a frame's body: base64, gzip, length and hash are each checked.

Never more than one byte beyond the announced length is unpacked, so a gzip bomb does no harm.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import string
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from mrunners.reports import gunzip
from mrunners.reports.frame_lines import FrameLine
from mrunners.reports.log_size import LINE_CHARACTERS, MAX_REPORT_BYTES
from mrunners.reports.outcomes import MissingReason, UnusableReportError

__all__ = ["FramedReport", "body_text", "decode_body", "is_full_line"]

_ENCODING = "gzip+base64"
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_BASE64_DIGITS = string.ascii_letters.encode() + string.digits.encode() + b"+/"
_GZIP_WINDOW = 31  # for zlib: exactly a gzip stream, with header and trailer


def body_text(lines: Sequence[bytes], begin: FrameLine) -> bytes:
    """Return the base64 text, or the part of it, between a frame's begin and end line.

    Args:
        lines: The lines, without newlines.
        begin: The begin line, which announces what the text must be.

    Raises:
        UnusableReportError: It is not what was announced.
    """
    _require_readable(begin)
    text = _joined(lines, begin.part_encoded_bytes)
    if begin.part_sha256 and hashlib.sha256(text).hexdigest() != begin.part_sha256:
        raise UnusableReportError(
            MissingReason.CHECKSUM_MISMATCH, "its SHA-256 is not the announced one"
        )
    return text


@dataclass(frozen=True, slots=True)
class FramedReport:
    """A report as its pod framed it.

    Attributes:
        raw: The JSON that kperf wrote, byte for byte.
        packed: The same as one gzip stream.
    """

    raw: bytes
    packed: bytes


def decode_body(text: bytes, begin: FrameLine) -> FramedReport:
    """Return the report from its whole base64 text.

    Args:
        text: That of all its frames.
        begin: The begin line of the first, which announces what the report must be.

    Raises:
        UnusableReportError: The report is not what was announced.
    """
    if len(text) != begin.encoded_bytes:
        raise UnusableReportError(
            MissingReason.LENGTH_MISMATCH,
            f"{begin.encoded_bytes} characters were announced, but all parts have {len(text)}",
        )
    packed = gunzip.decoded(text) or _decoded(text)
    raw = gunzip.unpacked(packed, begin.size_bytes)
    if raw is None:
        raw = _unpacked(packed, begin.size_bytes)
    if len(raw) != begin.size_bytes:
        raise UnusableReportError(
            MissingReason.LENGTH_MISMATCH,
            f"{begin.size_bytes} bytes were announced, but the body has {len(raw)}",
        )
    if hashlib.sha256(raw).hexdigest() != begin.sha256:
        raise UnusableReportError(
            MissingReason.CHECKSUM_MISMATCH, "the report's SHA-256 is not the announced one"
        )
    return FramedReport(raw, packed)


def is_full_line(line: bytes) -> bool:
    """Whether a log line must be one of a frame's body, by its length and its characters."""
    return len(line) == LINE_CHARACTERS and _BASE64_LINE.fullmatch(line) is not None


def _require_readable(begin: FrameLine) -> None:
    if begin.encoding != _ENCODING:
        raise UnusableReportError(
            MissingReason.UNSUPPORTED_FRAME_VERSION, "the frame has an unknown encoding"
        )
    if begin.size_bytes > MAX_REPORT_BYTES:
        raise UnusableReportError(
            MissingReason.TOO_LARGE,
            f"the report has {begin.size_bytes} bytes; the maximum is {MAX_REPORT_BYTES}",
        )


def _joined(lines: Sequence[bytes], announced: int) -> bytes:
    """Return the body's text if its lines are those that the script wrote.

    The lines' lengths distinguish a lost piece (truncated) from an altered one (garbled).
    """
    if (whole := _whole(lines, announced)) is not None:
        return whole
    wrong_length = 0
    for number, line in enumerate(lines, start=1):
        if not _BASE64_LINE.fullmatch(line):
            raise UnusableReportError(
                MissingReason.GARBLED, f"line {number} of the frame's body {_alteration(line)}"
            )
        too_short = number < len(lines) and len(line) < LINE_CHARACTERS
        if too_short or len(line) > LINE_CHARACTERS:
            wrong_length = wrong_length or number
    text = b"".join(lines)
    if len(text) < announced:
        raise UnusableReportError(
            MissingReason.TRUNCATED,
            f"the middle is missing: the body has {len(text)} of {announced} characters",
        )
    if len(text) > announced:
        raise UnusableReportError(
            MissingReason.GARBLED,
            f"{announced} characters were announced, but the body has {len(text)}",
        )
    if wrong_length:
        raise UnusableReportError(
            MissingReason.GARBLED,
            f"line {wrong_length} of the frame's body does not have {LINE_CHARACTERS} characters",
        )
    return text


def _whole(lines: Sequence[bytes], announced: int) -> bytes | None:
    """Return the body's text if nothing at all is wrong with it; else None."""
    text = b"".join(lines)
    lengths = [min(LINE_CHARACTERS, len(text) - at) for at in range(0, len(text), LINE_CHARACTERS)]
    if len(text) != announced or list(map(len, lines)) != lengths:
        return None
    digits = text.rstrip(b"=")
    whole = len(text) - len(digits) <= 2 and not digits.translate(None, _BASE64_DIGITS)
    return text if whole else None


def _alteration(line: bytes) -> str:
    if b"\r" in line:
        return "was altered: it has a carriage return"
    if b"\0" in line:
        return "was altered: it has a NUL byte"
    if not line.isascii():
        return "was altered: it has bytes that are not ASCII"
    return "is not base64"


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise UnusableReportError(
            MissingReason.BAD_BASE64, "the frame's body is not valid base64"
        ) from error


def _unpacked(packed: bytes, announced: int) -> bytes:
    """Return at most the announced number of bytes; one byte more is an error."""
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
