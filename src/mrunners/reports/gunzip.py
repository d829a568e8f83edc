"""Unpack base64 and gzip with the fast libraries, or say that the plain ones must do it.

Both functions accept only what is right in every respect; for anything else they return None, and
their callers use Python's own modules, which say what is wrong. isal unpacks more than twice as
fast as zlib, and pybase64 decodes twenty times as fast as base64 does.
"""

from __future__ import annotations

import binascii

import pybase64
from isal import isal_zlib

__all__ = ["decoded", "unpacked"]

_GZIP_WINDOW = 31  # exactly a gzip stream, with header and trailer

# How a stream of deflate without a file's name begins (RFC 1952). Of other headers, isal accepts
# some that zlib refuses.
_HEADER = b"\x1f\x8b\x08\x00"


def decoded(text: bytes) -> bytes | None:
    """Return what strict base64 text stands for; None when it is anything else."""
    try:
        return pybase64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def unpacked(packed: bytes, size_bytes: int | None = None) -> bytes | None:
    """Return the content of exactly one gzip stream; None when there is any doubt.

    Args:
        packed: The stream.
        size_bytes: How many bytes it unpacks to; never more than one byte beyond is unpacked. None
            takes the stream's own word for it.
    """
    if not packed.startswith(_HEADER):
        return None
    if size_bytes is None:
        # A gzip stream ends with the size of what it unpacks to (RFC 1952).
        size_bytes = int.from_bytes(packed[-4:], "little")
    unpacker = isal_zlib.decompressobj(_GZIP_WINDOW)
    try:
        raw = unpacker.decompress(packed, size_bytes + 1)
    except isal_zlib.error:  # type: ignore[misc]  # its stub declares an instance
        return None
    whole = unpacker.eof and not unpacker.unused_data and len(raw) == size_bytes
    return raw if whole else None
