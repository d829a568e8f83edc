"""Images whose kperf loads nothing and has its report at once, of whatever size."""

from __future__ import annotations

import json
import math
import random
import textwrap
from collections.abc import Mapping

__all__ = ["prepared"]


def _report(samples: int, median_seconds: float, digits: int = 9) -> bytes:
    """Return a report as kperf 0.3.5 writes it.

    Args:
        samples: How many it has.
        median_seconds: Of their latencies.
        digits: Of each latency, behind the point; kperf writes 9, and more compress less.
    """
    rng = random.Random(samples)
    mean = math.log(median_seconds)
    latencies = sorted(round(rng.lognormvariate(mean, 0.5), digits) for _ in range(samples))
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


# Stands for kperf: its report is in the image.
_PREPARED = textwrap.dedent("""\
    #!/bin/sh
    for word; do case $word in --result=*) result=${word#--result=};; esac; done
    cat /report.json > "$result"
    """)


def prepared(samples: int, median_seconds: float = 0.1, digits: int = 9) -> Mapping[str, bytes]:
    """Return the files of an image whose kperf reports so many samples; see `_report`."""
    return {"/kperf": _PREPARED.encode(), "/report.json": _report(samples, median_seconds, digits)}
