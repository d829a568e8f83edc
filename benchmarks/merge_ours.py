"""Merge a folder of reports once, in a process of its own, and print the time and the memory.

The peak memory is that of the whole process, so it does nothing else.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from benchmarks.merge_input import JOB, framed_path
from mrunners.reports.frame import FrameAddress, extract_report
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.merge import merge
from mrunners.reports.merged import to_json
from mrunners.reports.outcomes import PodOutcome
from tests.factories import RUN, RUN_ID


def _outcome(folder: Path, index: int) -> PodOutcome:
    log = framed_path(folder, index).read_bytes()
    raw = extract_report(log, FrameAddress(RUN_ID, JOB, index))
    return PodOutcome(
        job=JOB, job_index=0, uri="file:///load.yaml", index=index, report=parse_report(raw)
    )


def main(folder: Path, reports: int) -> None:
    """Read and merge; print one line of JSON."""
    started = time.perf_counter()
    outcomes = [_outcome(folder, index) for index in range(reports)]
    read = time.perf_counter()
    document = json.loads(to_json(merge(RUN, RUN_ID, outcomes)))
    done = time.perf_counter()
    # Linux counts in KiB.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    result = {
        "seconds": done - started,
        "cpu_seconds": time.process_time(),
        "reading_seconds": read - started,
        "merging_seconds": done - read,
        "peak_bytes": peak,
        "total": document["total"],
        "percentileLatencies": document["percentileLatencies"],
        "percentileLatenciesByURL": document["percentileLatenciesByURL"],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
