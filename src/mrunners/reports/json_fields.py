"""Read typed fields of a parsed JSON object: a value has the right type and range, or is refused.

Nothing is converted: a number in quotes is not a number, and a bool is not an integer. Every reader
raises UnusableReportError with the reason `invalid-report`, and names the field.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from mrunners.reports.latency_column import LatencyColumn, Seconds
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

# kperf measures with time.Duration: 63 bits of nanoseconds.
_MAX_SECONDS = float(2**63) / 1e9
_MAX_COUNT = 2**63 - 1


def invalid(detail: str) -> UnusableReportError:
    """Return the error for a JSON document that is not a valid report."""
    return UnusableReportError(MissingReason.INVALID_REPORT, detail)


def count(owner: JsonObject, key: str, *, default: int | None = None) -> int:
    """Return a whole number from 0 to 2**63 - 1; `default` if the key is absent."""
    value = owner.get(key, default)
    if type(value) is not int:
        raise invalid(f"{key} is not a whole number")
    if not 0 <= value <= _MAX_COUNT:
        raise invalid(f"{key} is out of range")
    return value


def text(owner: JsonObject, key: str, *, default: str | None = None) -> str:
    """Return a string; `default` if the key is absent."""
    value = owner.get(key, default)
    if not isinstance(value, str):
        raise invalid(f"{key} is not a string")
    return value


def mapping(owner: JsonObject, key: str) -> JsonObject:
    """Return an object; an absent key and null are empty, as Go writes a nil map."""
    value = owner.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"{key} is not an object")
    return value


def items(owner: JsonObject, key: str) -> list[object]:
    """Return an array; an absent key and null are empty, as Go writes a nil slice."""
    value = owner.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid(f"{key} is not an array")
    return value


def seconds(value: object, field: str) -> float:
    """Return a length of time; it may be a whole number, because Go writes 1.0 as `1`."""
    if not isinstance(value, (float, int)) or isinstance(value, bool):
        raise invalid(f"{field} is not a number")
    if not 0 <= value <= _MAX_SECONDS:
        raise invalid(f"{field} is negative or too long")
    return float(value)


def ascending_seconds(value: object, field: str) -> LatencyColumn:
    """Return an array of latencies; kperf sorts them, so unsorted ones are not kperf's.

    Args:
        value: A list, or the array of doubles that `columnar_json` has made of one.
        field: Where it is, for the message.
    """
    samples = value if isinstance(value, np.ndarray) else _doubles(value, field)
    if not np.less_equal(samples[:-1], samples[1:]).all():
        raise invalid(f"{field} is not sorted")
    column = LatencyColumn(samples)
    if len(column):
        seconds(column.first, field)
        seconds(column.last, field)
    return column


def _doubles(value: object, field: str) -> Seconds:
    if not isinstance(value, list):
        raise invalid(f"{field} is not an array")
    if not set(map(type, value)) <= {float, int}:
        raise invalid(f"{field} has an element that is not a number")
    try:
        return np.array(value, dtype=np.float64)
    except OverflowError as error:
        raise invalid(f"{field} has a number that is too large") from error


def percentiles(value: object, field: str) -> Percentiles:
    """Return the pairs of `[[p, seconds], ...]`: p from 0 to 1, both ascending; null is empty."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise invalid(f"{field} is not an array")
    pairs = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:
            raise invalid(f"{field} has an element that is not a pair")
        p = seconds(pair[0], field)
        if p > 1:
            raise invalid(f"{field} has a percentile above 1")
        pairs.append((p, seconds(pair[1], field)))
    if any(low[0] >= high[0] or low[1] > high[1] for low, high in pairwise(pairs)):
        raise invalid(f"{field} is not ascending")
    return tuple(pairs)
