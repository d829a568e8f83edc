"""What Prefect costs: the flow compared with the same steps through the core alone.

Both run in turn, each in its own process and namespace, on one local cluster whose kwok nodes
complete every pod at once. Such pods have no logs, so one small report is used for all of them.
So only the control plane, mrunners and Prefect take time, which is the flow's worst case: it adds
the same number of seconds to a run of an hour. The Prefect server is a new one on SQLite with its
default settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.clusters import Bench, bench_cluster
from benchmarks.measuring import in_turn, run_process
from benchmarks.prefect_server import count_responses, prefect_server
from benchmarks.programs import python
from benchmarks.results import Row, Target, row
from tests.cluster.env import profile_text

__all__ = ["measure"]

_JOBS = 100
_NODES = "20"


def measure(times: int) -> list[Row]:
    """Return the rows of seconds and of processor seconds."""
    with (
        bench_cluster("--process-hosts", "0", "--kwok-hosts", _NODES) as bench,
        prefect_server(bench.folder) as (api, log),
    ):
        environ = {
            **bench.environ,
            "PREFECT_HOME": str(bench.folder / "client"),
            "PREFECT_API_URL": api,
            "PREFECT_LOGGING_LEVEL": "WARNING",
        }
        profile = bench.folder / "profile.yaml"
        profile.write_text(profile_text(total=50))
        runs = in_turn(
            {
                "core": lambda: _run(bench, environ, "core", profile),
                "flow": lambda: _run(bench, environ, "flow", profile),
            },
            times,
        )
        responses, failed = count_responses(log)
    question = f"`run`, `wait` and `result` of {_JOBS} Jobs through the flow"
    note = f"{responses} responses of Prefect's API, {failed} of them 500 or above"
    seconds, busy = (
        {way: [figures[number] for figures in values] for way, values in runs.items()}
        for number in (0, 1)
    )
    peer = "the same steps without Prefect"
    return [
        row(question, "s", seconds["flow"], peer, seconds["core"], Target(0.8), note),
        row(question, "CPU s", busy["flow"], peer, busy["core"]),
    ]


def _run(bench: Bench, environ: Mapping[str, str], way: str, profile: Path) -> tuple[float, float]:
    """Run once, through `core` or `flow`; return its seconds and its processor seconds."""
    with bench.namespace() as kubectl:
        command = python(
            "-m", "benchmarks.flow_once", way, kubectl.namespace, str(_JOBS), str(profile)
        )
        done = run_process(
            command,
            environ={**environ, "XDG_STATE_HOME": str(bench.folder / kubectl.namespace)},
        )
    busy, seconds = done.output.split()[-2:]
    return float(seconds), float(busy)
