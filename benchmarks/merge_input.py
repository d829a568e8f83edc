"""Write the reports for the merge benchmark, each as the real kperf 0.3.5 prints one."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path

from tests.factories import begin_line, body_of, end_line, folded, percentiles

__all__ = ["JOB", "framed_path", "raw_path", "write_reports"]

JOB = "mrunners-0"

# (request, median of its latency in seconds, spread of the logarithm, share of the samples)
_REQUESTS = (
    ("LIST https://10.0.0.1:443/api/v1/pods?limit=500&timeout=1m0s", 0.085, 0.55, 0.4),
    ("LIST https://10.0.0.1:443/api/v1/namespaces/default/pods?timeout=1m0s", 0.021, 0.5, 0.3),
    ("GET https://10.0.0.1:443/api/v1/namespaces/default/configmaps/x", 0.003, 0.4, 0.2),
    ("PATCH https://10.0.0.1:443/api/v1/namespaces/load/configmaps/:name", 0.009, 0.6, 0.1),
)


def raw_path(folder: Path, index: int) -> Path:
    """Return the path of a pod's report, as its kperf wrote it."""
    return folder / f"{index:05}.json"


def framed_path(folder: Path, index: int) -> Path:
    """Return the path of the same pod's log, with the report in a frame."""
    return folder / f"{index:05}.log"


def write_reports(folder: Path, reports: int, samples: int) -> None:
    """Write reports with `samples` samples in total; they are the same each time."""
    rng = random.Random(1)  # noqa: S311
    for index in range(reports):
        count = samples // reports + (index < samples % reports)
        raw = _printed(_latencies(rng, count))
        raw_path(folder, index).write_bytes(raw)
        body = body_of(raw)
        address = {"job": JOB, "index": index}
        begin = begin_line(raw, body, **address)
        lines = [b"", begin, *folded(body), end_line(raw, **address), b""]
        framed_path(folder, index).write_bytes(b"\n".join(lines))


def _latencies(rng: random.Random, samples: int) -> dict[str, list[float]]:
    # Whole nanoseconds, as Go's clock has: the number of digits is what makes parsing slow.
    pools = {
        url: [
            round(min(rng.lognormvariate(0, spread) * median, 60) * 1e9) / 1e9
            for _ in range(int(samples * share))
        ]
        for url, median, spread, share in _REQUESTS
    }
    missing = samples - sum(map(len, pools.values()))
    pools[_REQUESTS[0][0]].extend([0.1] * missing)
    return {url: sorted(pool) for url, pool in pools.items() if pool}


def _printed(latencies: Mapping[str, list[float]]) -> bytes:
    """Return the format of 0.3.5: everything twice, per spec and aggregated, one number a line."""
    pooled = [sample for pool in latencies.values() for sample in pool]
    flat = {
        "total": len(pooled),
        "duration": "1m40.072897445s",
        "totalReceivedBytes": 1000 * len(pooled),
        "latenciesByURL": {url: f"@{number}" for number, url in enumerate(latencies)},
        "percentileLatencies": percentiles(pooled),
        "percentileLatenciesByURL": {url: percentiles(pool) for url, pool in latencies.items()},
    }
    text = json.dumps({"perSpecResults": [flat], "aggregated": flat}, indent=2)
    for number, pool in enumerate(latencies.values()):
        numbers = ",\n        ".join(map(repr, pool))
        text = text.replace(f'"@{number}"', f"[\n        {numbers}\n      ]")
    return text.encode() + b"\n"
