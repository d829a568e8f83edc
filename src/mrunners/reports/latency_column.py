"""The latencies of one request in one pod: a sorted column of doubles, in memory or in a file.

A column in memory is a numpy array. `spill()` moves its samples into a file and keeps what a
merge asks of every column: its ends, its exact sum, and how many samples are up to each bound of
the latency distribution. So a merge reads only the few samples around a rank from the file.
"""

from __future__ import annotations

import math
import sys
from bisect import bisect_left
from collections.abc import Iterable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BOUNDS",
    "BOUNDS_PER_DECADE",
    "Counts",
    "LatencyColumn",
    "SampleFile",
    "Seconds",
    "exact_sum",
]

Seconds = NDArray[np.float64]
Counts = NDArray[np.int64]

# Bounds are 5.9% apart: finer than a plot's line is wide, and coarse enough for a small report.
BOUNDS_PER_DECADE: Final = 40
# 1 us to 10,000 s: nothing that kperf measures over a network lies outside. Rounded to four digits
# as text, so that every platform's pow() gives the same double.
BOUNDS: Final = tuple(
    float(f"{10 ** (step / BOUNDS_PER_DECADE):.3e}")
    for step in range(-6 * BOUNDS_PER_DECADE, 4 * BOUNDS_PER_DECADE + 1)
)
_BOUNDS: Final = np.array(BOUNDS)

# IEEE 754: 52 bits of fraction below the exponent; a value is (2**52 + fraction) * 2**(e - 52).
_FRACTION_BITS: Final = 52
# The fractions are added in two halves, so that sums of 2**27 of them are below 2**53: a report
# does not have so many samples.
_HALF_BITS: Final = 26
_HALF: Final = (1 << _HALF_BITS) - 1


class SampleFile(Protocol):
    """A file that keeps samples for as long as a column refers to it."""

    def append(self, seconds: Seconds) -> int:
        """Write samples, and return the position of the first one.

        Raises:
            OSError: They cannot be written.
        """

    def read(self, position: int, count: int) -> Seconds:
        """Return `count` samples from a position on."""


class LatencyColumn:
    """Seconds of each success, ascending; not negative, and never NaN.

    Attributes:
        first: The shortest one; 0 when there is none.
        last: The longest one; 0 when there is none.
    """

    __slots__ = ("_counts", "_file", "_length", "_position", "_seconds", "_sum", "first", "last")

    def __init__(self, seconds: Seconds) -> None:
        """Take an ascending array, which nobody may change any more."""
        self._length = len(seconds)
        self._seconds: Seconds | None = seconds
        self._file: SampleFile | None = None
        self._position = 0
        self.first = float(seconds[0]) if self._length else 0.0
        self.last = float(seconds[-1]) if self._length else 0.0
        self._sum: float | None = None
        self._counts: tuple[int, Counts] | None = None

    @classmethod
    def of(cls, seconds: Iterable[float]) -> LatencyColumn:
        """Return a column of ascending numbers."""
        return cls(np.array(list(seconds), dtype=np.float64))

    def __len__(self) -> int:
        return self._length

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LatencyColumn):
            return NotImplemented
        return np.array_equal(self.read(), other.read())

    __hash__ = None  # type: ignore[assignment]  # as that of a list

    def __repr__(self) -> str:
        return f"LatencyColumn({self._length} samples from {self.first!r} to {self.last!r})"

    def __reduce__(self) -> tuple[type[LatencyColumn], tuple[Seconds]]:
        # Prefect keeps outcomes; another process cannot read this one's file.
        return LatencyColumn, (self.read(),)

    @property
    def samples_in_memory(self) -> int:
        """Number of samples that are not in a file."""
        return 0 if self._seconds is None else self._length

    def read(self, start: int = 0, stop: int | None = None) -> Seconds:
        """Return the samples of these ranks, all of them by default."""
        stop = self._length if stop is None else stop
        if self._seconds is not None:
            return self._seconds[start:stop]
        assert self._file is not None
        return self._file.read(self._position + start, stop - start)

    def at(self, rank: int) -> float:
        """Return the sample of one rank, from 0."""
        return float(self.read(rank, rank + 1)[0])

    @property
    def sum(self) -> float:
        """The sum of all samples, correctly rounded, as `math.fsum` returns it."""
        if self._sum is None:
            self._sum = exact_sum(self.read())
        return self._sum

    def spill(self, file: SampleFile) -> None:
        """Move the samples into a file, unless they are in one.

        Raises:
            OSError: They cannot be written; they stay in memory.
        """
        seconds = self._seconds
        if seconds is None:
            return
        self._sum, self._counts = self.sum, self.counts()
        self._position = file.append(seconds)
        self._seconds, self._file = None, file

    def ranks_between(self, bound: int) -> tuple[int, int]:
        """Return the ranks of the samples above the bound before this one, and up to this one.

        Args:
            bound: The index of this bound in BOUNDS; their number means that there is none.

        Returns:
            The first of these ranks, and the one behind the last of them.
        """
        low, counts = self.counts()
        place = bound - low
        if place < 0:
            return 0, 0
        start = counts.item(place - 1) if 0 < place <= len(counts) else 0
        if place < len(counts):
            return start, counts.item(place)
        return (start, self._length) if place == len(counts) else (self._length, self._length)

    def add_counts(self, totals: Counts) -> None:
        """Add to each of `totals` how many samples are up to the bound at its place."""
        low, counts = self.counts()
        high = low + len(counts)
        totals[low:high] += counts
        totals[high:] += self._length

    def counts(self) -> tuple[int, Counts]:
        """Return how many samples are up to each bound.

        Returns:
            The index of the first bound that is not below all samples; and the counts from there
            to the first bound that no sample exceeds, if there is one.
        """
        if self._counts is None:
            low = bisect_left(BOUNDS, self.first)
            high = bisect_left(BOUNDS, self.last) + 1
            self._counts = low, np.searchsorted(self.read(), _BOUNDS[low:high], side="right")
        return self._counts


def exact_sum(seconds: Seconds) -> float:
    """Return the sum of ascending numbers that are not negative, correctly rounded.

    Doubles of one exponent are integers of one unit, and stand together in a sorted array. So the
    sum of an exponent's is exact, and `math.fsum` adds these few sums exactly.
    """
    # Zeros and doubles below 2**-1022 have no implicit bit, or a sign.
    small = int(np.searchsorted(seconds, sys.float_info.min))
    return math.fsum([*seconds[:small].tolist(), *_parts(seconds[small:])])


def _parts(seconds: Seconds) -> list[float]:
    """Return doubles with exactly the same sum, three for each exponent."""
    if not len(seconds):
        return []
    first, last = (math.frexp(value)[1] - 1 for value in (seconds[0], seconds[-1]))
    powers = [math.ldexp(1.0, exponent) for exponent in range(first + 1, last + 1)]
    ends = [*np.searchsorted(seconds, powers).tolist(), len(seconds)]
    groups = [
        (exponent, start, end)
        for exponent, start, end in zip(range(first, last + 1), [0, *ends], ends, strict=False)
        if start < end
    ]
    starts = [start for _, start, _ in groups]
    fractions = seconds.view(np.int64)
    low = np.add.reduceat(fractions & _HALF, starts).tolist()
    high = np.add.reduceat((fractions >> _HALF_BITS) & _HALF, starts).tolist()
    parts = []
    for (exponent, start, end), high_sum, low_sum in zip(groups, high, low, strict=True):
        parts.append(math.ldexp(end - start, exponent))
        parts.append(math.ldexp(high_sum, exponent - _FRACTION_BITS + _HALF_BITS))
        parts.append(math.ldexp(low_sum, exponent - _FRACTION_BITS))
    return parts
