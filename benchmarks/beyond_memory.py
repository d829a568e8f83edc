"""Merging a billion samples, which are kept in a file, against a tenth of them, which fit.

The tenth is also merged as if it did not fit, and compared with what sorting all of it with numpy
gives, which would need 16 GB for a billion.
"""

from __future__ import annotations

import json
from typing import Any

from benchmarks.measuring import in_turn, progress, run_process
from benchmarks.programs import python
from benchmarks.results import Row, Target, row
from mrunners.reports.budget import MAX_SAMPLES_IN_MEMORY

__all__ = ["measure"]

_SAMPLES = 1_000_000_000
_FITTING = MAX_SAMPLES_IN_MEMORY


def measure(times: int) -> list[Row]:
    """Return the rows of memory and of processor time per sample.

    Raises:
        RuntimeError: The percentiles are not those of sorting.
    """
    progress("  compared with sorting")
    if not _merge("--samples", str(_FITTING), "--in-memory", "1000000", "--check")["exact"]:
        raise RuntimeError("the percentiles differ from those of sorting")
    runs = in_turn(
        {
            "in a file": lambda: _merge("--samples", str(_SAMPLES)),
            "in memory": lambda: _merge("--samples", str(_FITTING)),
        },
        min(times, 3),
    )
    question = f"merge {_SAMPLES:,} samples"
    peer = f"the same of {_FITTING:,}, which fit into memory"
    ours, theirs = runs["in a file"], runs["in memory"]
    key = "nanoseconds_cpu_per_sample"
    return [
        row(question, "MiB", [run["peak_mib"] for run in ours], peer,
            [run["peak_mib"] for run in theirs], Target(1024, "ours", "<="), "exact"),
        row(question, "CPU ns per sample", [run[key] for run in ours], peer,
            [run[key] for run in theirs], Target(1.0)),
    ]  # fmt: skip


def _merge(*options: str) -> Any:
    return json.loads(run_process(python("-m", "benchmarks.merge_spilled", *options)).output)
