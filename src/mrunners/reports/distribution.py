"""The distribution of the latencies of successes: exact counts at bounds that all reports share.

Its size depends on the span of the latencies, not on the number of samples.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from pydantic import Field

from mrunners.records import Record

__all__ = ["MAX_URLS", "LatencyDistribution", "latency_distribution"]

# Bounds are 5.9% apart: finer than a plot's line is wide, and coarse enough for a small report.
_BOUNDS_PER_DECADE = 40
# 1 us and 10,000 s: nothing that kperf measures over a network lies outside.
_FIRST_STEP = -6 * _BOUNDS_PER_DECADE
_LAST_STEP = 4 * _BOUNDS_PER_DECADE

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
    pools: Mapping[str, Sequence[array[float]]] | None,
) -> LatencyDistribution | None:
    """Count the samples up to each bound, by bisection: nothing is copied or sorted.

    All reports take their bounds from the same grid, so two distributions can be compared bound
    by bound, and their counts added.

    Args:
        pools: For each request the samples of its pods, each array ascending; None without raw
            data.

    Returns:
        Counts from the last bound below the shortest sample to the first bound that no sample
        exceeds; no bounds when there is no sample; None without raw data.
    """
    if pools is None:
        return None
    filled = {url: [pool for pool in url_pools if pool] for url, url_pools in pools.items()}
    all_pools = [pool for url_pools in filled.values() for pool in url_pools]
    if not all_pools:
        return LatencyDistribution(seconds=(), counts=(), counts_by_url={})
    bounds = _bounds(min(pool[0] for pool in all_pools), max(pool[-1] for pool in all_pools))
    counts = {url: _counts(url_pools, bounds) for url, url_pools in filled.items()}
    largest = sorted(counts, key=lambda url: (-sum(map(len, filled[url])), url))[:MAX_URLS]
    return LatencyDistribution(
        seconds=bounds,
        counts=tuple(map(sum, zip(*counts.values(), strict=True))),
        counts_by_url={url: counts[url] for url in sorted(largest)},
    )


def _counts(pools: Sequence[array[float]], bounds: Sequence[float]) -> tuple[int, ...]:
    return tuple(sum(bisect_right(pool, bound) for pool in pools) for bound in bounds)


def _bounds(shortest: float, longest: float) -> tuple[float, ...]:
    first = _FIRST_STEP
    if shortest > 0:
        # One step more, because the bounds are rounded and so is the logarithm.
        first = _clamped_step(math.floor(math.log10(shortest) * _BOUNDS_PER_DECADE) - 1)
    last = first
    if longest > 0:
        last = _clamped_step(math.ceil(math.log10(longest) * _BOUNDS_PER_DECADE) + 1)
    return tuple(_bound(step) for step in range(first, max(first, last) + 1))


def _clamped_step(step: int) -> int:
    return min(max(step, _FIRST_STEP), _LAST_STEP)


def _bound(step: int) -> float:
    # Rounded to four digits as text, so that every platform's pow() gives the same double.
    return float(f"{10 ** (step / _BOUNDS_PER_DECADE):.3e}")
