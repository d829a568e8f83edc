"""Merge more samples than fit into memory; print the time, the memory and the exactness.

    python -m benchmarks.merge_spilled [--samples N] [--pods N] [--in-memory N] [--check]

The reports are made directly, without text: each pod has the same distribution, a little faster or
slower, which costs a fraction of what sorting random samples would. What is measured is what a run
does with parsed reports: it keeps them within the sample budget, and merges them. --check also
sorts all samples with numpy and compares every percentile, which needs 16 bytes for each.

A billion samples need 8 GB of disk, in the folder of the report store, and 1 GiB of memory.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import time
from collections.abc import Iterator

import numpy as np

from mrunners.formatting import PERCENTILES
from mrunners.reports.budget import MAX_SAMPLES_IN_MEMORY, SampleBudget
from mrunners.reports.latency_column import LatencyColumn, Seconds
from mrunners.reports.merge import merge
from mrunners.reports.merged import to_json
from mrunners.reports.outcomes import PodOutcome
from mrunners.reports.samples import KperfReport
from mrunners.run.spill_file import SpillFile
from tests.factories import RUN, RUN_ID

# (request, median of its latency in seconds, share of the samples)
_REQUESTS = (("LIST https://a/pods", 0.085, 0.7), ("GET https://a/configmaps/x", 0.003, 0.3))


def _normal(count: int) -> Seconds:
    """Return ascending numbers that are distributed nearly normally: the logistic distribution."""
    uniform = (np.arange(count) + 0.5) / count
    return np.log(uniform / (1 - uniform)) / 1.7


def _columns(samples: int, pods: int) -> Iterator[dict[str, LatencyColumn]]:
    """Yield the columns of each pod; whole nanoseconds, as Go's clock has."""
    counts = {url: round(samples / pods * share) for url, _, share in _REQUESTS}
    shapes = {url: np.exp(_normal(count) * 0.5) for url, count in counts.items()}
    for pod in range(pods):
        pace = 1 + pod / pods / 10
        yield {
            url: LatencyColumn(np.round(shapes[url] * (median * pace * 1e9)) / 1e9)
            for url, median, _ in _REQUESTS
        }


def _outcome(index: int, columns: dict[str, LatencyColumn]) -> PodOutcome:
    samples = sum(map(len, columns.values()))
    report = KperfReport(
        total=samples,
        duration_ns=100_000_000_000,
        samples=samples,
        error_stats={},
        errors=(),
        received_bytes=1000 * samples,
        latencies_by_url=columns,
        percentiles=None,
        percentiles_by_url={},
    )
    pod = {"job": f"mrunners-{index % 10}", "job_index": index % 10, "index": index // 10}
    return PodOutcome(uri="file:///load.yaml", report=report, **pod)  # type: ignore[arg-type]


def _sorted_percentiles(samples: int, pods: int) -> list[list[float]]:
    """Return what sorting everything gives."""
    every = np.sort(
        np.concatenate([c.read() for by_url in _columns(samples, pods) for c in by_url.values()])
    )
    ranks = [max(math.ceil(len(every) * p) - 1, 0) for p in PERCENTILES]
    return [[p, float(every[rank])] for p, rank in zip(PERCENTILES, ranks, strict=True)]


def main() -> None:
    """Merge once, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--samples", type=int, default=1_000_000_000)
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("--in-memory", type=int, default=MAX_SAMPLES_IN_MEMORY)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    budget = SampleBudget(SpillFile(), max_samples_in_memory=options.in_memory)
    outcomes, keeping, keeping_cpu = [], 0.0, 0.0
    for index, columns in enumerate(_columns(options.samples, options.pods)):
        started, cpu = time.perf_counter(), time.process_time()
        outcome = _outcome(index, columns)
        for column in columns.values():
            column.counts()  # a column in memory counts later, and one in a file at once
        outcomes.append(budget.accept(outcome))
        keeping += time.perf_counter() - started
        keeping_cpu += time.process_time() - cpu
    started, cpu = time.perf_counter(), time.process_time()
    document = json.loads(to_json(merge(RUN, RUN_ID, outcomes)))
    result = {
        "samples": document["total"],
        "keeping_seconds": keeping,
        "merging_seconds": time.perf_counter() - started,
        "nanoseconds_cpu_per_sample": (
            (keeping_cpu + time.process_time() - cpu) / options.samples * 1e9
        ),
        # Linux counts in KiB.
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "percentileLatencies": document["percentileLatencies"],
    }
    if options.check:
        expected = _sorted_percentiles(options.samples, options.pods)
        result["exact"] = result["percentileLatencies"] == expected
    print(json.dumps(result))


if __name__ == "__main__":
    main()
