"""Whole runs of 10, 100 and 1,000 Jobs of 10 pods, on kwok nodes, with real commands.

kwok completes every pod at once, and a server in place of the kubelets has a report for each. So
the run takes as long as the cluster needs to create and to count the pods: from the first Job's
creation to the last Job's completion, as its own objects say. What mrunners adds is the rest.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchmarks.clusters import Bench, bench_cluster
from benchmarks.growth import draw_growth
from benchmarks.log_server import LogServer, log_server
from benchmarks.measuring import BUILD, Usage, progress, run_process, together
from benchmarks.prefect_server import prefect_server
from benchmarks.programs import mrunners
from benchmarks.results import Row, Target, row
from mrunners.plan.metadata import LABEL_RUN_ID
from tests.cluster.commands import Kubectl
from tests.cluster.env import KPERF, profile_text
from tests.factories import sampled_report

__all__ = ["GROWTH", "measure"]

GROWTH = BUILD / "growth.svg"

_SIZES = (10, 100, 1_000)
_PODS = 10
_SAMPLES = 1_000
_NODES = "200"


@dataclass(frozen=True)
class WholeRun:
    """One run: each command, and how long the cluster itself took."""

    phases: dict[str, Usage]
    cluster_seconds: float
    report: Any

    @property
    def usage(self) -> Usage:
        """Of all commands, from the first one to the report."""
        return together(list(self.phases.values()))


def measure(times: int) -> list[Row]:
    """Return the rows of each size; the largest runs once, because it takes minutes.

    How they grow is drawn to build/bench/growth.svg.
    """
    rows: list[Row] = []
    by_size: dict[int, list[WholeRun]] = {}
    with (
        bench_cluster("--process-hosts", "0", "--kwok-hosts", _NODES) as bench,
        prefect_server(bench.folder) as (api, _),
        log_server(bench.folder, bench.kubectl, sampled_report(_SAMPLES)) as logs,
    ):
        for jobs in _SIZES:
            runs = []
            for number in range(times if jobs < max(_SIZES) else 1):
                progress(f"  {jobs} Jobs, {number + 1}")
                runs.append(_run(bench, api, logs, jobs))
            rows += _rows(jobs, runs)
            by_size[jobs] = runs
    _draw(by_size)
    return rows


def _draw(by_size: Mapping[int, Sequence[WholeRun]]) -> None:
    costs: dict[str, Callable[[WholeRun], float]] = {
        "CPU (s)": lambda run: run.usage.cpu_seconds,
        "memory (MiB)": lambda run: run.usage.peak_bytes / 2**20,
        "requests": lambda run: float(run.report["requestsByUs"]),
        "bytes sent and received (MiB)": lambda run: _bytes(run.report) / 2**20,
    }
    draw_growth(
        GROWTH,
        [jobs * _PODS for jobs in by_size],
        {
            name: [statistics.median(map(cost, runs)) for runs in by_size.values()]
            for name, cost in costs.items()
        },
    )


def _bytes(report: Any) -> float:
    return float(
        sum(verb["sentBytes"] + verb["receivedBytes"] for verb in report["trafficByUs"].values())
    )


def _rows(jobs: int, runs: Sequence[WholeRun]) -> list[Row]:
    pods = jobs * _PODS
    of = f"run of {jobs:,} Jobs of {_PODS} pods"
    for run in runs:
        merged = run.report["coverage"]["merged"]
        if merged != pods:
            raise RuntimeError(f"{of}: {merged} of {pods} reports merged")
    rows = [
        row(f"{of}: from command to report", "s", [run.usage.seconds for run in runs],
            "the cluster's own time", [run.cluster_seconds for run in runs],
            Target(1 / 1.05), f"{pods:,} of {pods:,} reports merged"),
        row(f"{of}: our processors per second", "cores",
            [run.usage.cpu_seconds / run.usage.seconds for run in runs],
            target=Target(1.0, "ours", "<=")),
        row(f"{of}: our memory", "MiB", [run.usage.peak_bytes / 2**20 for run in runs],
            target=Target(512, "ours", "<=")),
        row(f"{of}: requests of `result`", "requests",
            [run.report["requestsByUs"] for run in runs]),
        row(f"{of}: bytes of `result`, sent and received", "MiB",
            [_bytes(run.report) / 2**20 for run in runs]),
    ]  # fmt: skip
    for phase in runs[0].phases:
        usages = [run.phases[phase] for run in runs]
        rows += [
            row(f"{of}: `{phase}`", "s", [usage.seconds for usage in usages]),
            row(f"{of}: `{phase}`", "CPU s", [usage.cpu_seconds for usage in usages]),
        ]
    return rows


def _run(bench: Bench, api: str, logs: LogServer, jobs: int) -> WholeRun:
    environ = {
        **bench.environ,
        "PREFECT_API_URL": api,
        "PREFECT_HOME": str(bench.folder / "client"),
    }
    profile = bench.folder / "profile.yaml"
    profile.write_text(profile_text(total=_SAMPLES))
    runners = ["--runners", f"file://{profile}?numbers={_PODS}"] * jobs
    with bench.namespace() as kubectl:
        name = kubectl.namespace
        commands = {
            "run": mrunners("run", name, "--runner-image", KPERF, *runners),
            "wait": mrunners("wait", name),
            "result": mrunners("result", name, "--output", "json"),
        }
        phases = {}
        for phase, command in commands.items():
            logs.run_id = _run_id(kubectl) if phase != "run" else ""
            phases[phase] = run_process(command, environ=environ)
        return WholeRun(phases, _cluster_seconds(kubectl), json.loads(phases["result"].output))


def _run_id(kubectl: Kubectl) -> str:
    labels = kubectl.objects("jobs")[0]["metadata"]["labels"]
    return str(labels[LABEL_RUN_ID])


def _cluster_seconds(kubectl: Kubectl) -> float:
    """Return the seconds from the first Job's creation to the last one's completion."""
    jobs = kubectl.objects("jobs")
    created = [datetime.fromisoformat(job["metadata"]["creationTimestamp"]) for job in jobs]
    ended = [datetime.fromisoformat(job["status"]["completionTime"]) for job in jobs]
    # The API server's times are whole seconds, cut off.
    return (max(ended) - min(created)).total_seconds() + 1
