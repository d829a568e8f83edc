"""How long the merge of a large run takes, and how much memory, beside kperf's own merge.

    python -m benchmarks.merge [--samples N] [--reports N] [--runs N] [--upload-all]

Both merge the same reports on this machine in turn, and must come to the same figures. Ours runs
as a process of its own for each run: once from the raw JSON, which is what kperf's server reads,
and once from framed logs, which is what a run brings home. kperf's is the group server of the
release under test on a real control plane without hosts, all on loopback. Its reports are stored
once; the Job then stays finished, and for each further run the server is started again over the
reports that it keeps, so that these runs are a start, the merge and the answer.

The server asks the API server for all pods of the group at each upload, five times a second at
most, and keeps the body as a file under the pod's name. So without --upload-all only the last
report is uploaded, and the others are put where the server would have put them.

Linux only; needs 2 GB of disk for the default size and the local cluster's binaries.

It must not merge in this process: it would measure itself.
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
# Nothing here may hang for ever; the default size needs less than a tenth.
_LIMIT_SECONDS = 1800


@dataclass(frozen=True)
class Run:
    """One merge of all reports."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def ours(folder: Path, reports: int, form: str) -> tuple[Run, dict[str, Any]]:
    """Merge in a child; `form` is raw or framed."""
    words = [sys.executable, "-m", "benchmarks.merge_ours", str(folder), str(reports), form]
    done = subprocess.run(
        words, cwd=_CHECKOUT, check=True, stdout=subprocess.PIPE, text=True, timeout=_LIMIT_SECONDS
    )
    facts = json.loads(done.stdout)
    print_line(
        f"  ours, {form}: {facts['reading_seconds']:.1f} s reading and parsing, "
        f"{facts['merging_seconds']:.1f} s merging and printing"
    )
    return Run(facts["seconds"], facts["cpu_seconds"], facts["peak_bytes"]), facts


def kperf_fed(
    cluster: PeerCluster, folder: Path, reports: int, *, upload_all: bool
) -> tuple[Run, dict[str, Any]]:
    """Give all reports to a new group; the run is from the last upload to the answer."""
    with GroupServer(cluster, folder, "bench", reports) as server:
        pods = server.pods
        server.end(pods[:-1])
        begun = time.perf_counter()
        for index, pod in enumerate(pods):
            if upload_all or pod == pods[-1]:
                server.post(pod, raw_path(folder, index).read_bytes())
            else:
                server.store(pod, raw_path(folder, index))
        uploaded, cpu = time.perf_counter(), server.cpu_seconds()
        server.end(pods[-1:])
        eventually("the Job is finished", server.ended)
        ended = time.perf_counter()
        summary = server.summary(_LIMIT_SECONDS)
        done = time.perf_counter()
        print_line(
            f"  kperf: {uploaded - begun:.1f} s to give it {reports} reports, "
            f"{ended - uploaded:.1f} s until its Job was seen finished, {done - ended:.1f} s more"
        )
        return Run(done - uploaded, server.cpu_seconds() - cpu, server.peak_bytes()), summary


def kperf_again(cluster: PeerCluster, folder: Path, reports: int) -> tuple[Run, dict[str, Any]]:
    """Start the server over the reports that it has; the run is from its start to the answer."""
    with GroupServer(cluster, folder, "bench", reports) as server:
        summary = server.summary(_LIMIT_SECONDS)
        seconds = time.perf_counter() - server.started
        return Run(seconds, server.cpu_seconds(), server.peak_bytes()), summary


def measure(samples: int, reports: int, runs: int, state: Path, *, upload_all: bool) -> None:
    """Measure all, and print the table on stdout."""
    folder = state / "reports"
    folder.mkdir()
    print_line(f"writing {reports} reports with {samples} samples in all")
    write_reports(folder, reports, samples)
    size = sum(raw_path(folder, index).stat().st_size for index in range(reports))
    taken: dict[str, list[Run]] = {"raw": [], "framed": [], "kperf": []}
    figures = []
    with peer_cluster(state / "cluster") as cluster:
        fed, summary = kperf_fed(cluster, folder, reports, upload_all=upload_all)
        figures.append(summary)
        for number in range(runs):
            print_line(f"run {number + 1} of {runs}")
            for form in ("raw", "framed"):
                run, facts = ours(folder, reports, form)
                taken[form].append(run)
                figures.append(facts)
            run, summary = kperf_again(cluster, folder, reports)
            taken["kperf"].append(run)
            figures.append(summary)
    for other in figures[1:]:
        if any(other[key] != figures[0][key] for key in _FIGURES):
            raise SystemExit("the merges came to different figures")
    print(f"{samples:,} samples in {reports:,} reports of kperf 0.3.5, {mebi(size)} MiB of JSON;")
    print(
        f"medians of {runs} runs; {os.cpu_count()} CPUs, load {os.getloadavg()[1]:.0f}, "
        f"Python {platform.python_version()}\n"
    )
    print_table(taken, fed)


def print_table(taken: dict[str, list[Run]], fed: Run) -> None:
    """Medians, and how many times kperf's they are, in Markdown."""
    base = median(taken["kperf"])
    rows = [
        ("kperf's group server, started over its reports", base),
        ("kperf's group server, from the last upload", fed),
        ("mrunners, from the raw JSON", median(taken["raw"])),
        ("mrunners, from framed logs", median(taken["framed"])),
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
    """The median of each figure by itself."""
    return Run(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.cpu_seconds for run in runs),
        round(statistics.median(run.peak_bytes for run in runs)),
    )


def mebi(size: int) -> int:
    """Bytes in MiB."""
    return round(size / 2**20)


def print_line(text: str) -> None:
    """Progress, beside the table."""
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
