"""The distribution of the latencies of successes: exact counts at bounds that all reports share.

Its size depends on the span of the latencies, not on the number of samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field

from mrunners.records import Record
from mrunners.reports.latency_column import BOUNDS, BOUNDS_PER_DECADE, Counts, LatencyColumn

__all__ = ["MAX_URLS", "LatencyDistribution", "latency_distribution"]

# One curve is some 100 numbers, and nobody reads more curves than this.
MAX_URLS = 50


class LatencyDistribution(Record):
    """Cumulative counts of the samples: an empirical distribution function, not normalized.

    Attributes:
        seconds: The bounds, ascending: powers of ten in 40 steps per decade, with 4 digits.
        counts: For each bound, how many samples of all requests are at most that long.
        counts_by_url: The same for each request, for the 50 requests with the most samples.
    """

    seconds: tuple[float, ...]
    counts: tuple[int, ...]
    counts_by_url: dict[str, tuple[int, ...]] = Field(alias="countsByURL")

    @property
    def samples(self) -> int:
        """Number of samples of all requests."""
        # No sample exceeds the last bound.
        return self.counts[-1] if self.counts else 0

    @property
    def samples_by_url(self) -> dict[str, int]:
        """Number of samples of each request in `counts_by_url`."""
        return {url: counts[-1] for url, counts in self.counts_by_url.items() if counts}


def latency_distribution(
    columns: Mapping[str, Sequence[LatencyColumn]] | None,
) -> LatencyDistribution | None:
    """Add up how many samples the columns have up to each bound: nothing is copied or sorted.

    All reports take their bounds from the same grid, so two distributions can be compared bound
    by bound, and their counts added.

    Args:
        columns: For each request those of its pods; None without raw data.

    Returns:
        Counts from the last bound below the shortest sample to the first bound that no sample
        exceeds; no bounds when there is no sample; None without raw data.
    """
    if columns is None:
        return None
    filled = {url: [c for c in of_url if len(c)] for url, of_url in columns.items()}
    every = [column for of_url in filled.values() for column in of_url]
    if not every:
        return LatencyDistribution(seconds=(), counts=(), counts_by_url={})
    first, last = _span(min(c.first for c in every), max(c.last for c in every))
    counts = {url: _counts(of_url)[first : last + 1] for url, of_url in filled.items()}
    largest = sorted(counts, key=lambda url: (-sum(map(len, filled[url])), url))[:MAX_URLS]
    return LatencyDistribution(
        seconds=BOUNDS[first : last + 1],
        counts=tuple(sum(counts.values(), start=_counts([])[first : last + 1]).tolist()),
        counts_by_url={url: tuple(counts[url].tolist()) for url in sorted(largest)},
    )


def _counts(columns: Sequence[LatencyColumn]) -> Counts:
    totals: Counts = np.zeros(len(BOUNDS), dtype=np.int64)
    for column in columns:
        column.add_counts(totals)
    return totals


def _span(shortest: float, longest: float) -> tuple[int, int]:
    """Return the indexes of the first and the last bound of a distribution."""
    first = 0
    if shortest > 0:
        # One step more, because the bounds are rounded and so is the logarithm.
        first = _index(math.floor(math.log10(shortest) * BOUNDS_PER_DECADE) - 1)
    last = first
    if longest > 0:
        last = _index(math.ceil(math.log10(longest) * BOUNDS_PER_DECADE) + 1)
    return first, max(first, last)


def _index(step: int) -> int:
    """Return the index of the bound `10 ** (step / 40)`, or of the nearest that there is."""
    return min(max(step + 6 * BOUNDS_PER_DECADE, 0), len(BOUNDS) - 1)
