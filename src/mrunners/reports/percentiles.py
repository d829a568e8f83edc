"""Percentiles by nearest rank, exactly as kperf computes them, over many sorted columns at once.

kperf's rule is: sort all samples, then take index `ceil(n * p) - 1`, at least 0, with `n * p`
computed in float64; nothing is interpolated. To sort the samples of a whole run anew would need a
second copy of them, so the sample of each rank is selected by counting instead:

- How many samples are up to a bound is a sum over the columns, each of which is sorted and has
  counted its own at the bounds of the latency distribution.
- The two bounds around a rank leave a few percent of the samples. While these are still many, they
  are counted at finer bounds between the two.
- Of the few that are left, the sample is selected (`numpy.partition`).

Only these few are read from columns that are in a file.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from mrunners.formatting import PERCENTILES
from mrunners.reports.latency_column import BOUNDS, Counts, LatencyColumn, Seconds

__all__ = ["percentile_latencies"]

# So many are selected from at once: 8 MB.
_MAX_CANDIDATES: Final = 1_000_000
_FINER_BOUNDS: Final = 256

# A column, and which of its ranks are meant: from the first up to, but not with, the second.
_Slice = tuple[LatencyColumn, int, int]


def percentile_latencies(columns: Sequence[LatencyColumn]) -> tuple[tuple[float, float], ...]:
    """Return kperf's percentiles over the samples of all columns together.

    Returns:
        `((p, seconds), ...)` for each p of PERCENTILES; empty when there is no sample.
    """
    filled = [column for column in columns if len(column)]
    count = sum(map(len, filled))
    if count == 0:
        return ()
    ranks = [_rank(count, p) for p in PERCENTILES]
    if len(filled) == 1:
        return tuple(zip(PERCENTILES, map(filled[0].at, ranks), strict=True))
    totals: Counts = np.zeros(len(BOUNDS), dtype=np.int64)
    for column in filled:
        column.add_counts(totals)
    return tuple(
        (p, _at_rank(filled, totals, rank, count))
        for p, rank in zip(PERCENTILES, ranks, strict=True)
    )


def _rank(count: int, p: float) -> int:
    return max(math.ceil(float(count) * p) - 1, 0)


def _at_rank(columns: Sequence[LatencyColumn], totals: Counts, rank: int, count: int) -> float:
    """Return the sample that would be at index `rank` if all columns were sorted into one.

    Args:
        columns: None is empty.
        totals: How many samples of all columns are up to each of BOUNDS.
        rank: From 0.
        count: How many samples there are.
    """
    if rank == 0:
        return _positive(min(column.first for column in columns))
    if rank == count - 1:
        return _positive(max(column.last for column in columns))
    bound = int(np.searchsorted(totals, rank, side="right"))
    below = int(totals[bound - 1]) if bound else 0
    slices = [(column, *column.ranks_between(bound)) for column in columns]
    # The lower limit is below all samples of the slices, and the upper one is not.
    low = _bits(BOUNDS[bound - 1]) if bound else -1
    high = _bits(BOUNDS[bound] if bound < len(BOUNDS) else max(c.last for c in columns))
    return _select(_filled(slices), rank - below, low, high)


def _select(slices: list[_Slice], rank: int, low: int, high: int) -> float:
    """Return the sample of a rank among those of some slices.

    Doubles that are not negative have the same order as their bits read as integers, so finer
    bounds are evenly spaced integers, and each is a double.

    Args:
        slices: None is empty.
        rank: From 0, within the slices.
        low: The bits of a double that is less than every sample; -1 is below zero.
        high: The bits of a double that no sample exceeds.
    """
    while sum(stop - start for _, start, stop in slices) > _MAX_CANDIDATES:
        if high - low == 1:
            return _double(high)  # there are many samples, and all are equal
        steps = [low + (high - low) * step // _FINER_BOUNDS for step in range(1, _FINER_BOUNDS + 1)]
        # Bits that are too close leave fewer bounds.
        steps = sorted({step for step in steps if step > low})
        bounds = np.array(steps, dtype=np.int64).view(np.float64)
        totals: Counts = np.zeros(len(steps), dtype=np.int64)
        counts = []
        for column, start, stop in slices:
            counted = np.searchsorted(column.read(start, stop), bounds, side="right")
            counts.append(counted)
            totals += counted
        bound = int(np.searchsorted(totals, rank, side="right"))
        if bound:
            low, rank = steps[bound - 1], rank - int(totals[bound - 1])
        high = steps[bound]
        slices = _filled(
            (column, start + (int(counted[bound - 1]) if bound else 0), start + int(counted[bound]))
            for (column, start, _), counted in zip(slices, counts, strict=True)
        )
    candidates: Seconds = np.concatenate(
        [column.read(start, stop) for column, start, stop in slices]
    )
    return _positive(float(np.partition(candidates, rank)[rank]))


def _filled(slices: Iterable[_Slice]) -> list[_Slice]:
    return [item for item in slices if item[1] < item[2]]


def _positive(value: float) -> float:
    # Of equal samples, it is unknown whether a negative zero would come first.
    return value + 0.0


def _bits(value: float) -> int:
    # Adding 0.0 makes a negative zero positive: its own bits would be out of order.
    return int(struct.unpack("<q", struct.pack("<d", value + 0.0))[0])


def _double(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<q", bits))[0])
