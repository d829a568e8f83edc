"""The time and the memory that the merge of a large run takes, compared with kperf's own merge.

    python -m benchmarks.merge [--samples N] [--reports N] [--runs N] [--upload-all]

Both merge the same reports on this machine in turn, and their figures must be equal. mrunners
merges in a new process for each run, so that this process is not measured: once from the raw JSON,
which is what kperf's server reads, and once from framed logs, which is what a run fetches. kperf
merges in the group server of the release under test, on a real control plane without nodes, all on
loopback. Its reports are stored once and its Job stays finished, so for each further run the server
is started again with the reports that it has: such a run is a start, the merge and the response.

At each upload the server lists all pods of the group, five times per second at most, and stores the
body in a file with the pod's name. So without --upload-all only the last report is uploaded, and
the others are copied to where the server would have stored them.

Linux only; needs 2 GB of disk for the default size, and the local cluster's binaries.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.merge_input import raw_path, write_reports
from tests.peer.group_server import GroupServer, PeerCluster, eventually, peer_cluster

_CHECKOUT = Path(__file__).resolve().parents[1]
_FIGURES = ("total", "percentileLatencies", "percentileLatenciesByURL")
# A benchmark must not hang forever; the default size needs less than a tenth.
_TIMEOUT_SECONDS = 1800


@dataclass(frozen=True)
class Run:
    """One merge of all reports."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def merge_ours(folder: Path, reports: int, form: str) -> tuple[Run, dict[str, Any]]:
    """Merge with mrunners in a child process; `form` is raw or framed."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.merge_ours", str(folder), str(reports), form],
        cwd=_CHECKOUT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=_TIMEOUT_SECONDS,
    )
    result = json.loads(done.stdout)
    print_line(
        f"  mrunners, {form}: {result['reading_seconds']:.1f} s reading and parsing, "
        f"{result['merging_seconds']:.1f} s merging and printing"
    )
    return Run(result["seconds"], result["cpu_seconds"], result["peak_bytes"]), result


def merge_uploaded(
    cluster: PeerCluster, folder: Path, reports: int, *, upload_all: bool
) -> tuple[Run, dict[str, Any]]:
    """Upload all reports to a new group; the run is from the last upload to the response."""
    with GroupServer(cluster, folder, "bench", reports) as server:
        pods = server.pods
        server.end(pods[:-1])
        started = time.perf_counter()
        for index, pod in enumerate(pods):
            if upload_all or pod == pods[-1]:
                server.post(pod, raw_path(folder, index).read_bytes())
            else:
                server.store(pod, raw_path(folder, index))
        uploaded, cpu = time.perf_counter(), server.cpu_seconds()
        server.end(pods[-1:])
        eventually("the Job is finished", server.ended)
        ended = time.perf_counter()
        summary = server.summary(_TIMEOUT_SECONDS)
        done = time.perf_counter()
        print_line(
            f"  kperf: {uploaded - started:.1f} s to upload {reports} reports, "
            f"{ended - uploaded:.1f} s until its Job was finished, {done - ended:.1f} s to merge"
        )
        return Run(done - uploaded, server.cpu_seconds() - cpu, server.peak_bytes()), summary


def merge_stored(cluster: PeerCluster, folder: Path, reports: int) -> tuple[Run, dict[str, Any]]:
    """Start the server with its stored reports; the run is from its start to the response."""
    with GroupServer(cluster, folder, "bench", reports) as server:
        summary = server.summary(_TIMEOUT_SECONDS)
        seconds = time.perf_counter() - server.started
        return Run(seconds, server.cpu_seconds(), server.peak_bytes()), summary


def measure(samples: int, reports: int, runs: int, state: Path, *, upload_all: bool) -> None:
    """Measure all merges, and print the table on stdout."""
    folder = state / "reports"
    folder.mkdir()
    print_line(f"writing {reports} reports with {samples} samples in total")
    write_reports(folder, reports, samples)
    size = sum(raw_path(folder, index).stat().st_size for index in range(reports))
    runs_by_merge: dict[str, list[Run]] = {"raw": [], "framed": [], "kperf": []}
    figures = []
    with peer_cluster(state / "cluster") as cluster:
        uploaded, summary = merge_uploaded(cluster, folder, reports, upload_all=upload_all)
        figures.append(summary)
        for number in range(runs):
            print_line(f"run {number + 1} of {runs}")
            for form in ("raw", "framed"):
                run, result = merge_ours(folder, reports, form)
                runs_by_merge[form].append(run)
                figures.append(result)
            run, summary = merge_stored(cluster, folder, reports)
            runs_by_merge["kperf"].append(run)
            figures.append(summary)
    for other in figures[1:]:
        if any(other[key] != figures[0][key] for key in _FIGURES):
            raise SystemExit("the figures of the merges differ")
    print(f"{samples:,} samples in {reports:,} reports of kperf 0.3.5, {mebi(size)} MiB of JSON;")
    print(
        f"medians of {runs} runs; {os.cpu_count()} CPUs, load {os.getloadavg()[1]:.0f}, "
        f"Python {platform.python_version()}\n"
    )
    print_table(runs_by_merge, uploaded)


def print_table(runs_by_merge: dict[str, list[Run]], uploaded: Run) -> None:
    """Print the medians, and their ratios to kperf's, as a Markdown table."""
    base = median(runs_by_merge["kperf"])
    rows = [
        ("kperf's group server, from its stored reports", base),
        ("kperf's group server, from the last upload", uploaded),
        ("mrunners, from the raw JSON", median(runs_by_merge["raw"])),
        ("mrunners, from framed logs", median(runs_by_merge["framed"])),
    ]
    print(f"| {'merge':46} | seconds | ratio | CPU seconds | ratio | peak MiB | ratio |")
    print(f"|{'-' * 48}|--------:|------:|------------:|------:|---------:|------:|")
    for name, run in rows:
        print(
            f"| {name:46} | {run.seconds:7.1f} | {run.seconds / base.seconds:5.2f} "
            f"| {run.cpu_seconds:11.1f} | {run.cpu_seconds / base.cpu_seconds:5.2f} "
            f"| {mebi(run.peak_bytes):8} | {run.peak_bytes / base.peak_bytes:5.2f} |"
        )


def median(runs: list[Run]) -> Run:
    """Return the median of each figure."""
    return Run(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.cpu_seconds for run in runs),
        round(statistics.median(run.peak_bytes for run in runs)),
    )


def mebi(size: int) -> int:
    """Convert bytes to MiB."""
    return round(size / 2**20)


def print_line(text: str) -> None:
    """Print progress to stderr, so that stdout has only the table."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--reports", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--upload-all", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mrunners-bench-") as state:
        sizes = (options.samples, options.reports, options.runs)
        measure(*sizes, Path(state), upload_all=options.upload_all)


if __name__ == "__main__":
    main()
