"""Percentiles by nearest rank, exactly as kperf computes them, over many sorted arrays at once.

kperf's rule is: sort all samples, then take index `ceil(n * p) - 1`, at least 0, with `n * p`
computed in float64; nothing is interpolated. To sort the samples of a whole run anew would need a
second copy of ten million of them, so the sample of each rank is selected in place instead:

- The sample of rank r is the least value v for which more than r samples are not greater than v.
- How many samples are not greater than v is a sum of bisections, one in each pod's sorted array.
- Doubles that are not negative have the same order as their bits read as integers. So a bisection
  over 64-bit integers visits only values that are doubles, and after at most 63 steps ends at
  exactly the sample of that rank.
"""

from __future__ import annotations

import math
import struct
from array import array
from bisect import bisect_right
from collections.abc import Sequence

__all__ = ["PERCENTILES", "percentile_latencies"]

# kperf, metrics/utils.go, BuildPercentileLatencies.
PERCENTILES = (0.0, 0.5, 0.9, 0.95, 0.99, 1.0)


def percentile_latencies(pools: Sequence[array[float]]) -> tuple[tuple[float, float], ...]:
    """Return kperf's percentiles over the samples of all pools together.

    Args:
        pools: Arrays of seconds, each ascending, without NaN and without negative numbers.

    Returns:
        `((p, seconds), ...)` for each p of PERCENTILES; empty when there is no sample.
    """
    filled = [pool for pool in pools if pool]
    count = sum(len(pool) for pool in filled)
    if count == 0:
        return ()
    return tuple((p, _at_rank(filled, _rank(count, p))) for p in PERCENTILES)


def _rank(count: int, p: float) -> int:
    return max(math.ceil(float(count) * p) - 1, 0)


def _at_rank(pools: Sequence[array[float]], rank: int) -> float:
    """Return the sample that would be at index `rank` if all pools were sorted into one."""
    if len(pools) == 1:
        return pools[0][rank]
    low = _bits(min(pool[0] for pool in pools))
    high = _bits(max(pool[-1] for pool in pools))
    while low < high:
        middle = (low + high) // 2
        bound = _double(middle)
        if sum(bisect_right(pool, bound) for pool in pools) > rank:
            high = middle
        else:
            low = middle + 1
    return _double(low)


def _bits(value: float) -> int:
    # Adding 0.0 makes a negative zero positive: its own bits would be out of order.
    return int(struct.unpack("<q", struct.pack("<d", value + 0.0))[0])


def _double(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<q", bits))[0])
