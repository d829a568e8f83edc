"""Durations as text: those of options, those that Go writes, and those that people read."""

from __future__ import annotations

import re
from typing import Final

from mrunners.text import quoted

__all__ = [
    "DURATION_PATTERN",
    "format_duration",
    "format_go_duration",
    "parse_duration",
    "parse_go_duration",
]

# Longer than any run; keeps every later sum of deadlines far from a float's and a timer's limits.
_MAX_OPTION_SECONDS: Final = 100 * 365 * 24 * 3600

_OPTION_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_NUMBER: Final = "[0-9]{1,12}(?:[.][0-9]{1,9})?"
_UNIT: Final = "ms|h|m|s"
# The form of an option, without anchors. parse_duration also checks the order of the units.
DURATION_PATTERN: Final = f"(?:{_NUMBER}(?:{_UNIT}))+"
_OPTION_PART: Final = re.compile(f"({_NUMBER})({_UNIT})")

_MAX_INT64: Final = (1 << 63) - 1
_GO_UNITS: Final = {
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    # Go writes the micro sign U+00B5 and also reads the Greek letter mu U+03BC.
    "\u00b5s": 1_000,
    "\u03bcs": 1_000,
    "us": 1_000,
    "ns": 1,
}
# At least one digit on either side of the point; the units are tried longest first.
_GO_PART: Final = re.compile(
    r"(?P<whole>[0-9]*)(?:\.(?P<fraction>[0-9]*))?(?P<unit>ns|us|\u00b5s|\u03bcs|ms|s|m|h)"
)
# A Duration that Go writes has at most 3 parts of about 20 digits.
_MAX_GO_TEXT: Final = 128


def parse_duration(text: str) -> float:
    """Return the seconds of an option such as `90s`, `10m`, `1h30m` or `500ms`, as in kubectl.

    Args:
        text: Decimal numbers, each with a unit (h, m, s, ms); each unit at most once, the largest
            first. A bare number is refused: `--timeout 10` is as often meant in minutes.

    Returns:
        Seconds, greater than 0.

    Raises:
        ValueError: The text is not such a duration. The message is for the user, to be shown after
            the option's name.
    """
    position = 0
    seconds = 0.0
    last_factor = float("inf")
    while match := _OPTION_PART.match(text, position):
        factor = _OPTION_UNITS[match[2]]
        if factor >= last_factor:
            break
        seconds += float(match[1]) * factor
        last_factor = factor
        position = match.end()
    if not text or position != len(text):
        raise ValueError(f"not a duration: {quoted(text)}; write it like 90s, 10m, 2h or 1h30m")
    if seconds <= 0:
        raise ValueError(f"a duration must be greater than 0, got {quoted(text)}")
    if seconds > _MAX_OPTION_SECONDS:
        raise ValueError(f"a duration must be at most 100 years, got {quoted(text)}")
    return seconds


def format_duration(seconds: float) -> str:
    """Return a duration for people, such as `4m12s`, `1h05m`, `12.3s` or `250ms`.

    Args:
        seconds: Any finite number; a negative one gets a leading minus.

    Returns:
        At most two units, rounded to the smaller one.
    """
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if 0 < seconds < 0.9995:
        return f"{max(1, round(seconds * 1000))}ms"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    whole = round(seconds)
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes}m{rest:02d}s" if rest else f"{minutes}m"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours}h{minutes:02d}m" if minutes else f"{hours}h"


def parse_go_duration(text: str) -> int:
    """Return the nanoseconds of a Go Duration, as kperf reports contain it.

    The grammar is that of Go's time.ParseDuration. A sign is refused, because no kperf report
    measures a negative time.

    Args:
        text: Such as `1m40.072897445s`, `500ms`, `1.5µs`, `0s` or `0`.

    Returns:
        Nanoseconds from 0 to 2**63 - 1; fractions of a nanosecond are cut off, as in Go.

    Raises:
        ValueError: The text is not a Go Duration, or does not fit into an int64.
    """
    if text == "0":
        return 0
    if not text or len(text) > _MAX_GO_TEXT:
        raise ValueError(f"not a Go duration: {quoted(text)}")
    position = 0
    total = 0
    while position < len(text):
        match = _GO_PART.match(text, position)
        if match is None or not (match["whole"] or match["fraction"]):
            raise ValueError(f"not a Go duration: {quoted(text)}")
        unit = _GO_UNITS[match["unit"]]
        total += int(match["whole"] or "0") * unit + _go_fraction(match["fraction"] or "", unit)
        position = match.end()
    if total > _MAX_INT64:
        raise ValueError(f"a Go duration is at most 2**63-1 ns, got {quoted(text)}")
    return total


def _go_fraction(digits: str, unit: int) -> int:
    # Go computes fractions in float64 and ignores the digits that overflow an int64
    # (leadingFraction in time/format.go). The same here, so that even the last digit is equal.
    value, scale = 0, 1.0
    for digit in digits:
        longer = value * 10 + int(digit)
        if longer > _MAX_INT64:
            break
        value, scale = longer, scale * 10
    return int(float(value) * (unit / scale))


def format_go_duration(nanoseconds: int) -> str:
    """Return what Go's time.Duration.String returns.

    Args:
        nanoseconds: From 0 to 2**63 - 1.

    Returns:
        Such as `1h0m0s`, `1m40.072897445s`, `500ms`, `1.5µs`, `12ns` or `0s`.

    Raises:
        ValueError: The number is out of these bounds.
    """
    if not 0 <= nanoseconds <= _MAX_INT64:
        raise ValueError(f"a Go duration must be from 0 to 2**63-1 ns, got {nanoseconds}")
    if nanoseconds == 0:
        return "0s"
    if nanoseconds < 1_000:
        return f"{nanoseconds}ns"
    if nanoseconds < 1_000_000:
        return _decimal_units(nanoseconds, 1_000) + "\u00b5s"
    if nanoseconds < 1_000_000_000:
        return _decimal_units(nanoseconds, 1_000_000) + "ms"
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    text = _decimal_units(rest, 1_000_000_000) + "s"
    if minutes:
        hours, minutes = divmod(minutes, 60)
        text = f"{minutes}m{text}"
        if hours:
            text = f"{hours}h{text}"
    return text


def _decimal_units(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".") if rest else str(whole)
