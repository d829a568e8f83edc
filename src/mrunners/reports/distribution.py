"""How the latencies of successes are distributed: exact counts at bounds that all reports share.

It must not hold samples: its size follows from the span of latencies, not from their number.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from pydantic import Field

from mrunners.records import Record

__all__ = ["MOST_URLS", "LatencyDistribution", "latency_distribution"]

# Bounds are 5.9 % apart: finer than a plot's line is wide, and coarse enough for a small report.
_PER_DECADE = 40
# 1 us and 10,000 s: nothing that kperf measures over a network lies outside.
_FIRST_STEP = -6 * _PER_DECADE
_LAST_STEP = 4 * _PER_DECADE

# One curve is some 100 numbers, and nobody looks at more curves than this.
MOST_URLS = 50


class LatencyDistribution(Record):
    """How many samples are not greater than each bound: an empirical distribution, not scaled.

    Attributes:
        seconds: the bounds, ascending: powers of ten in 40 steps a decade, 4 digits each.
        counts: for each bound, how many samples of all requests are at most that long.
        counts_by_url: the same for each request; the 50 with the most samples.
    """

    seconds: tuple[float, ...]
    counts: tuple[int, ...]
    counts_by_url: dict[str, tuple[int, ...]] = Field(alias="countsByURL")

    @property
    def samples(self) -> int:
        """How many samples all requests have: the last bound is not below the greatest."""
        return self.counts[-1] if self.counts else 0

    @property
    def samples_by_url(self) -> dict[str, int]:
        """The same for each request that is counted by itself."""
        return {url: counts[-1] for url, counts in self.counts_by_url.items() if counts}


def latency_distribution(
    pools: Mapping[str, Sequence[array[float]]] | None,
) -> LatencyDistribution | None:
    """Count the samples at each bound, by bisection, so that nothing is copied or sorted.

    The bounds do not depend on the samples, so two reports can be laid over each other and
    their counts added.

    Args:
        pools: for each request its pods' samples, each array ascending; None without raw data.
    Returns: from the last bound below the least sample to the first that none exceeds; without
        bounds when there is no sample; None without raw data.
    """
    if pools is None:
        return None
    filled = {url: [pool for pool in of_url if pool] for url, of_url in pools.items()}
    every = [pool for of_url in filled.values() for pool in of_url]
    if not every:
        return LatencyDistribution(seconds=(), counts=(), counts_by_url={})
    bounds = _bounds(min(pool[0] for pool in every), max(pool[-1] for pool in every))
    counts = {url: _counts(of_url, bounds) for url, of_url in filled.items()}
    largest = sorted(counts, key=lambda url: (-sum(map(len, filled[url])), url))[:MOST_URLS]
    return LatencyDistribution(
        seconds=bounds,
        counts=tuple(map(sum, zip(*counts.values(), strict=True))),
        counts_by_url={url: counts[url] for url in sorted(largest)},
    )


def _counts(pools: Sequence[array[float]], bounds: Sequence[float]) -> tuple[int, ...]:
    return tuple(sum(bisect_right(pool, bound) for pool in pools) for bound in bounds)


def _bounds(least: float, greatest: float) -> tuple[float, ...]:
    first = _FIRST_STEP
    if least > 0:
        # One step of room, for the bounds are rounded and so is the logarithm.
        first = _step(math.floor(math.log10(least) * _PER_DECADE) - 1)
    last = first
    if greatest > 0:
        last = _step(math.ceil(math.log10(greatest) * _PER_DECADE) + 1)
    return tuple(_bound(step) for step in range(first, max(first, last) + 1))


def _step(step: int) -> int:
    return min(max(step, _FIRST_STEP), _LAST_STEP)


def _bound(step: int) -> float:
    """Four digits, as text, so that every platform's pow() gives the same double."""
    return float(f"{10 ** (step / _PER_DECADE):.3e}")
