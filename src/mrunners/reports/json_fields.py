"""Typed reading of a parsed JSON object's fields: the right type and a sane size, or a refusal.

It must not convert: a number in quotes is not a number, and a bool is not an integer. Each reader
raises UnusableReportError with invalid-report, and names the field.
"""

from __future__ import annotations

import operator
from array import array
from itertools import islice, pairwise

from mrunners.reports.outcomes import MissingReason, UnusableReportError
from mrunners.reports.samples import Percentiles
from mrunners.reports.strict_json import JsonObject

__all__ = [
    "ascending_seconds",
    "count",
    "invalid",
    "items",
    "mapping",
    "percentiles",
    "seconds",
    "text",
]

# kperf measures with time.Duration: 63 bits of nanoseconds. Nothing can take longer than that.
_MAX_SECONDS = float(2**63) / 1e9
_MAX_COUNT = 2**63 - 1


def invalid(detail: str) -> UnusableReportError:
    """The refusal of a report that is JSON and yet no report."""
    return UnusableReportError(MissingReason.INVALID_REPORT, detail)


def count(owner: JsonObject, key: str, *, default: int | None = None) -> int:
    """A whole number from 0 to 2**63 - 1; `default` stands for an absent key."""
    value = owner.get(key, default)
    if type(value) is not int:
        raise invalid(f"{key} is not a whole number")
    if not 0 <= value <= _MAX_COUNT:
        raise invalid(f"{key} is out of range")
    return value


def text(owner: JsonObject, key: str, *, default: str | None = None) -> str:
    """A string; `default` stands for an absent key."""
    value = owner.get(key, default)
    if not isinstance(value, str):
        raise invalid(f"{key} is not a string")
    return value


def mapping(owner: JsonObject, key: str) -> JsonObject:
    """An object; absent and null are empty, as Go writes a nil map."""
    value = owner.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"{key} is not an object")
    return value


def items(owner: JsonObject, key: str) -> list[object]:
    """An array; absent and null are empty, as Go writes a nil slice."""
    value = owner.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid(f"{key} is not an array")
    return value


def seconds(value: object, what: str) -> float:
    """A span of time that Go can hold; whole numbers are fine, for Go writes 1.0 as `1`."""
    if type(value) not in (float, int):
        raise invalid(f"{what} is not a number")
    assert isinstance(value, int | float)
    if not 0 <= value <= _MAX_SECONDS:
        raise invalid(f"{what} is negative or absurdly long")
    return float(value)


def ascending_seconds(value: object, what: str) -> array[float]:
    """An array of latencies; kperf sorts them, so unsorted ones were not written by kperf."""
    if not isinstance(value, list):
        raise invalid(f"{what} is not an array")
    if not set(map(type, value)) <= {float, int}:
        raise invalid(f"{what} has an element that is not a number")
    try:
        samples = array("d", value)
    except OverflowError as error:
        raise invalid(f"{what} has an absurd number") from error
    if not all(map(operator.le, samples, islice(samples, 1, None))):
        raise invalid(f"{what} is not sorted")
    if samples:
        seconds(samples[0], what)
        seconds(samples[-1], what)
    return samples


def percentiles(value: object, what: str) -> Percentiles:
    """`[[p, seconds], ...]` with p from 0 to 1, both ascending; null is empty."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise invalid(f"{what} is not an array")
    pairs = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:
            raise invalid(f"{what} has an element that is not a pair")
        p = seconds(pair[0], what)
        if p > 1:
            raise invalid(f"{what} has a percentile above 1")
        pairs.append((p, seconds(pair[1], what)))
    if any(low[0] >= high[0] or low[1] > high[1] for low, high in pairwise(pairs)):
        raise invalid(f"{what} is not ascending")
    return tuple(pairs)
