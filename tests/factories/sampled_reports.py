"""Reports with any number of samples, of which only the sizes and sums matter."""

from __future__ import annotations

import json
import math
import random

__all__ = ["sampled_report"]


def sampled_report(
    samples: int, median_seconds: float = 0.1, spread: float = 0.5, digits: int = 9
) -> bytes:
    """Return a report as kperf 0.3.5 writes it.

    Args:
        samples: How many it has.
        median_seconds: Of their latencies.
        spread: The standard deviation of their logarithms.
        digits: Of each latency, behind the point; kperf writes 9, and more compress less.
    """
    rng = random.Random(samples)
    mean = math.log(median_seconds)
    latencies = sorted(round(rng.lognormvariate(mean, spread), digits) for _ in range(samples))
    last = samples - 1
    ranks = [[p, latencies[min(last, int(p * samples))]] for p in (0, 0.5, 0.9, 0.95, 0.99, 1)]
    url = "LIST https://10.0.0.1:443/api/v1/pods?timeout=1m0s"
    figures = {
        "total": samples,
        "duration": "60.1s",
        "totalReceivedBytes": samples,
        "latenciesByURL": {url: latencies},
        "percentileLatencies": ranks,
        "percentileLatenciesByURL": {url: ranks},
    }
    # Each latency is in it twice.
    return json.dumps({"perSpecResults": [figures], "aggregated": figures}, indent=2).encode()
