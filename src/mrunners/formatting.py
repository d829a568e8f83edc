"""Numbers as people read them: milliseconds, rates, bytes, counts.

It must not know what a number is about.
"""

from __future__ import annotations

__all__ = ["byte_size", "grouped", "milliseconds", "per_second", "percentile_name", "rate"]

UNKNOWN = "-"

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def grouped(count: int | None) -> str:
    """`1,234,567`; `-` when it is not known."""
    return UNKNOWN if count is None else f"{count:,}"


def milliseconds(seconds: float | None) -> str:
    """Milliseconds with about three significant digits, and never fewer than whole ones.

    Args:
        seconds: a latency; None when it is not known.
    Returns: `0.042`, `1.23`, `45.6`, `1,234`.
    """
    if seconds is None:
        return UNKNOWN
    value = seconds * 1000
    # The bounds are where rounding to the digits on their left would add a digit.
    if value < 0.9995:
        return f"{value:.3f}"
    if value < 9.995:
        return f"{value:.2f}"
    if value < 99.95:
        return f"{value:.1f}"
    return f"{value:,.0f}"


def rate(count: int | None, duration_ns: int) -> str:
    """Events per second; `-` when it cannot be said."""
    if count is None or duration_ns <= 0:
        return UNKNOWN
    return per_second(count * 1e9 / duration_ns)


def per_second(events: float | None) -> str:
    """`20.1`, `1,234`: a rate with about three significant digits; `-` when it is not known."""
    if events is None:
        return UNKNOWN
    return f"{events:,.1f}" if events < 99.95 else f"{events:,.0f}"


def byte_size(size: int) -> str:
    """`512 B`, `1.5 MiB`: binary units, one decimal from KiB on."""
    if size < 1024:
        return f"{size} B"
    value = float(size)
    unit = 0
    while value >= 1023.95 and unit < len(_UNITS) - 1:
        value /= 1024
        unit += 1
    return f"{value:,.1f} {_UNITS[unit]}"


def percentile_name(p: float) -> str:
    """`min`, `p50`, `p99`, `max`."""
    if p <= 0:
        return "min"
    return "max" if p >= 1 else f"p{p * 100:g}"
