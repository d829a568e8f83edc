from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.formatting import byte_size, grouped, milliseconds, per_second, percentile_name
from mrunners.text import printable


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.0, "0.000"),
        (0.0000421, "0.042"),
        (0.00099949, "0.999"),
        (0.0009996, "1.00"),
        (0.00123, "1.23"),
        (0.009996, "10.0"),
        (0.0456, "45.6"),
        (0.09996, "100"),
        (1.2345, "1,234"),
        (86400.0, "86,400,000"),
    ],
)
def test_milliseconds_have_about_three_digits(seconds: float | None, text: str) -> None:
    assert milliseconds(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (5 * 10**12, "4.5 TiB"),
    ],
)
def test_sizes_have_binary_units(size: int, text: str) -> None:
    assert byte_size(size) == text


def test_rates_counts_and_percentile_names() -> None:
    assert [per_second(events) for events in (1.0, 12345.0, None)] == ["1.0", "12,345", "-"]
    assert (grouped(None), grouped(1234567)) == ("-", "1,234,567")
    assert [percentile_name(p) for p in (0, 0.5, 0.95, 0.999, 1)] == [
        "min",
        "p50",
        "p95",
        "p99.9",
        "max",
    ]


@given(st.text(st.characters(), max_size=500), st.integers(1, 100))
def test_printable_text_is_printable_and_bounded(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit


def test_printable_text_keeps_head_and_tail() -> None:
    assert printable("a" * 50 + "b" * 50, 11) == "aaaaa…bbbbb"
    assert printable("short") == "short"
    assert printable("caf\u00e9\x1b[2J") == "caf\u00e9\\x1b[2J"
