"""Commands that people wait for: `--help` against Python itself, `status` against kubectl."""

from __future__ import annotations

from benchmarks.clusters import Bench, bench_cluster
from benchmarks.core_once import create
from benchmarks.measuring import Usage, in_turn, run_process
from benchmarks.programs import mrunners, python
from benchmarks.results import Row, Target, row

__all__ = ["measure"]

_JOBS = 20


def measure(times: int) -> list[Row]:
    """Return both rows."""
    with bench_cluster("--process-hosts", "0", "--kwok-hosts", "2") as bench:
        helped = in_turn(
            {
                "mrunners --help": lambda: run_process(mrunners("--help")),
                "python -c pass": lambda: run_process(python("-c", "pass")),
            },
            times,
        )
        looked = _status(bench, times)
    return [
        _row("`--help`", helped, Target(0.25)),
        _row(f"`status` of {_JOBS} Jobs", looked, Target(0.5)),
    ]


def _status(bench: Bench, times: int) -> dict[str, list[Usage]]:
    with bench.namespace() as kubectl:
        create(bench, kubectl.namespace, _JOBS)
        return in_turn(
            {
                "mrunners status": lambda: run_process(
                    mrunners("status", kubectl.namespace), environ=bench.environ
                ),
                "kubectl get jobs": lambda: run_process(
                    kubectl.command("get", "jobs"), environ=bench.environ
                ),
            },
            times,
        )


def _row(question: str, runs: dict[str, list[Usage]], target: Target) -> Row:
    (_, ours), (peer, theirs) = runs.items()
    return row(
        question, "s", [run.seconds for run in ours], f"`{peer}`",
        [run.seconds for run in theirs], target,
    )  # fmt: skip
