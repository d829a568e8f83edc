"""What waiting for 1,000 Jobs costs the API server, in its own processor seconds.

The Jobs do not finish, and each way waits for a minute. Taken off is what the API server needs in
a minute in which nobody waits. `kubectl wait` watches each Job by itself, as kperf does with the
one Job of its group; it waits for them one after the other. prefect-kubernetes reads each Job and
its pods every five seconds, and is installed for this benchmark alone.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.clusters import Bench, bench_cluster
from benchmarks.core_once import create
from benchmarks.measuring import CHECKOUT, in_turn, run_process
from benchmarks.programs import mrunners
from benchmarks.results import Row, Target, row
from tests.cluster.commands import Kubectl

__all__ = ["measure"]

_JOBS = 1_000
_SECONDS = 60
_PREFECT_KUBERNETES = "prefect-kubernetes==0.8.0"


def measure(times: int) -> list[Row]:
    """Return the rows against `kubectl wait` and prefect-kubernetes."""
    with (
        bench_cluster("--process-hosts", "0", "--kwok-hosts", "0") as bench,
        bench.namespace() as kubectl,
    ):
        create(bench, kubectl.namespace, _JOBS)
        _settle(kubectl)
        wait = mrunners("wait", kubectl.namespace, f"--timeout={_SECONDS}s")
        peer = kubectl.command(
            "wait", "job", "--all", "--for=condition=Complete", f"--timeout={_SECONDS}s"
        )
        blocks: list[str | Path] = [
            _python_with_prefect_kubernetes(bench.folder / "prefect-kubernetes"),
            CHECKOUT / "benchmarks" / "kubernetes_jobs.py",
            kubectl.kubeconfig,
            kubectl.namespace,
            str(_SECONDS),
            *kubectl.names("jobs"),
        ]
        runs = in_turn(
            {
                "nobody": lambda: _load(kubectl, lambda: time.sleep(_SECONDS)),
                "mrunners": lambda: _load(kubectl, lambda: _run(bench, wait)),
                "`kubectl wait`": lambda: _load(kubectl, lambda: _run(bench, peer)),
                "prefect-kubernetes": lambda: _load(kubectl, lambda: _run(bench, blocks)),
            },
            times,
        )
    idle = statistics.median(runs.pop("nobody"))
    added = {name: [max(busy - idle, 0.01) for busy in values] for name, values in runs.items()}
    question = f"wait a minute for {_JOBS:,} Jobs: what the API server does"
    ours = added.pop("mrunners")
    return [
        row(question, "CPU s", ours, peer, theirs, Target(1.0)) for peer, theirs in added.items()
    ]


def _python_with_prefect_kubernetes(folder: Path) -> Path:
    python = folder / "bin" / "python"
    run_process([sys.executable, "-m", "venv", folder])
    run_process([python, "-m", "pip", "install", "--quiet", _PREFECT_KUBERNETES])
    return python


def _settle(kubectl: Kubectl) -> None:
    """Wait until the Job controller has created all pods, and has nothing to do any more."""
    while len(kubectl("get", "pods", "--output=name").splitlines()) < _JOBS:
        time.sleep(1)
    time.sleep(10)


def _load(kubectl: Kubectl, wait: Callable[[], None]) -> float:
    """Return the processor seconds that the API server has used meanwhile."""
    before, started = _busy(kubectl), time.monotonic()
    wait()
    if (seconds := time.monotonic() - started) < _SECONDS * 0.9:
        raise RuntimeError(f"it waited for {seconds:.1f} s only")
    time.sleep(max(0.0, started + _SECONDS + 2 - time.monotonic()))
    return _busy(kubectl) - before


def _busy(kubectl: Kubectl) -> float:
    for line in kubectl("get", "--raw", "/metrics").splitlines():
        if line.startswith("process_cpu_seconds_total "):
            return float(line.split()[1])
    raise ValueError("the API server tells no process_cpu_seconds_total")


def _run(bench: Bench, command: Sequence[str | Path]) -> None:
    # Most of them end with an error, because their time is over.
    with suppress(RuntimeError):
        run_process(command, environ=bench.environ)
