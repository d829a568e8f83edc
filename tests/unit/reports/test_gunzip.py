"""The fast libraries agree with Python's, or leave the text to them."""

from __future__ import annotations

import base64
import binascii
import gzip
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mrunners.reports.gunzip import decoded, unpacked


def edited(content: bytes, at: int, removed: int, inserted: bytes) -> bytes:
    at %= len(content) + 1
    return content[:at] + inserted + content[at + removed :]


EDITS = st.tuples(st.integers(0, 10_000), st.integers(0, 3), st.binary(max_size=3))


@given(st.binary(max_size=200), EDITS)
def test_text_is_decoded_as_strictly_as_by_base64(
    content: bytes, edit: tuple[int, int, bytes]
) -> None:
    text = edited(base64.b64encode(content), *edit)
    try:
        expected = base64.b64decode(text, validate=True)
    except binascii.Error:
        assert decoded(text) is None
    else:
        assert decoded(text) in {expected, None}
    assert decoded(base64.b64encode(content)) == content


@given(st.binary(max_size=200), EDITS)
@example(b"", (3, 1, b" "))  # reserved flags
def test_what_is_unpacked_is_what_zlib_unpacks(
    content: bytes, edit: tuple[int, int, bytes]
) -> None:
    packed = gzip.compress(content, mtime=0)
    assert unpacked(packed, len(content)) == content
    altered = edited(packed, *edit)
    raw = unpacked(altered, len(content))
    if raw is not None:
        plain = zlib.decompressobj(31)
        assert raw == plain.decompress(altered)
        assert plain.eof
        assert not plain.unused_data


@pytest.mark.parametrize("announced", [0, 999_999, 1_000_001])
def test_another_size_than_announced_is_left_to_the_plain_way(announced: int) -> None:
    packed = gzip.compress(bytes(1_000_000))
    assert unpacked(packed, announced) is None
    assert unpacked(packed * 2, 1_000_000) is None
    assert unpacked(packed[:-1], 1_000_000) is None
