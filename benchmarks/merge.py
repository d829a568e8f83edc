"""Merging 10 million samples in 1,000 reports, against kperf's own merge of the same bytes.

Both merge the same reports in turn, and their figures must be equal. mrunners merges in a process
of its own, from framed logs, which is what a run fetches. kperf merges in the group server of the
release under test, on a real control plane without nodes, all on loopback. Its reports are stored
once and its Job stays finished, so that the server is started again for each run, with the reports
that it has: such a run is a start, the merge and the response.

At each upload the server lists all pods of the group, five times per second at most, and stores the
body in a file with the pod's name. So only the last report is uploaded, and the others are copied
to where the server would have stored them.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measuring import Usage, in_turn, progress, run_process
from benchmarks.merge_input import raw_path, write_reports
from benchmarks.programs import python
from benchmarks.results import Row, Target, row
from tests.peer.group_server import GroupServer, PeerCluster, eventually, peer_cluster

__all__ = ["measure"]

_SAMPLES = 10_000_000
_REPORTS = 1_000
_FIGURES = ("total", "percentileLatencies", "percentileLatenciesByURL")
_TIMEOUT_SECONDS = 1800


def measure(times: int) -> list[Row]:
    """Return the rows of seconds, processor seconds and memory.

    Raises:
        RuntimeError: The figures of the two merges differ.
    """
    with tempfile.TemporaryDirectory(prefix="mrunners-bench-") as name:
        state, folder = Path(name), Path(name) / "reports"
        folder.mkdir()
        progress(f"  writing {_REPORTS} reports")
        write_reports(folder, _REPORTS, _SAMPLES)
        with peer_cluster(state / "cluster") as cluster:
            _upload(cluster, folder)
            runs = in_turn(
                {"mrunners": lambda: _ours(folder), "kperf": lambda: _theirs(cluster, folder)},
                times,
            )
    figures = [
        {key: document[key] for key in _FIGURES}
        for merges in runs.values()
        for _, document in merges
    ]
    if any(other != figures[0] for other in figures):
        raise RuntimeError("the figures of the merges differ")
    ours = [usage for usage, _ in runs["mrunners"]]
    theirs = [usage for usage, _ in runs["kperf"]]
    question = f"merge {_REPORTS:,} framed reports of {_SAMPLES // _REPORTS:,} samples"
    peer = "kperf v0.3.5's group server"
    return [
        row(question, "s", [run.seconds for run in ours], peer,
            [run.seconds for run in theirs], Target(5.0), "equal to the last digit"),
        row(question, "CPU s", [run.cpu_seconds for run in ours], peer,
            [run.cpu_seconds for run in theirs], Target(5.0)),
        row(question, "MiB", [run.peak_bytes / 2**20 for run in ours], peer,
            [run.peak_bytes / 2**20 for run in theirs], Target(round(1 / 0.15, 2))),
    ]  # fmt: skip


def _ours(folder: Path) -> tuple[Usage, Any]:
    usage = run_process(python("-m", "benchmarks.merge_ours", str(folder), str(_REPORTS)))
    return usage, json.loads(usage.output)


def _upload(cluster: PeerCluster, folder: Path) -> None:
    """Let kperf's server create its Job, and give it all reports."""
    with GroupServer(cluster, folder, "bench", _REPORTS) as server:
        pods = server.pods
        server.end(pods[:-1])
        for index, pod in enumerate(pods[:-1]):
            server.store(pod, raw_path(folder, index))
        server.post(pods[-1], raw_path(folder, len(pods) - 1).read_bytes())
        server.end(pods[-1:])
        eventually("the Job is finished", server.ended)
        server.summary(_TIMEOUT_SECONDS)


def _theirs(cluster: PeerCluster, folder: Path) -> tuple[Usage, Any]:
    """Start the server with its stored reports; the run is from its start to the response."""
    with GroupServer(cluster, folder, "bench", _REPORTS) as server:
        summary = server.summary(_TIMEOUT_SECONDS)
        seconds = time.perf_counter() - server.started
        return Usage(seconds, server.cpu_seconds(), server.peak_bytes()), summary
