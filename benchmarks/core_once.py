"""Creates the Jobs of one run through the core, in a process of its own.

    python -m benchmarks.core_once NAMESPACE JOBS PROFILE

Prints the seconds of the creation itself, from the first request to the last answer.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.clusters import Bench
from benchmarks.measuring import Usage, run_process
from benchmarks.programs import python
from mrunners import RunOptions, connect
from mrunners.plan.options import AdvancedOptions
from tests.cluster.env import KPERF, profile_text

__all__ = ["create"]


def create(bench: Bench, namespace: str, jobs: int) -> Usage:
    """Create the Jobs of a run in a process of its own.

    Raises:
        RuntimeError: Not all were created.
    """
    profile = bench.folder / "profile.yaml"
    profile.write_text(profile_text(total=50))
    command = python("-m", "benchmarks.core_once", namespace, str(jobs), str(profile))
    return run_process(command, environ=bench.environ)


def main(namespace: str, jobs: str, profile: str) -> None:
    """Create the Jobs, and print the seconds."""
    options = RunOptions(
        namespace=namespace,
        runner_image=KPERF,
        runners=(f"file://{Path(profile).resolve()}?numbers=1",) * int(jobs),
        # Where there are no nodes, a wait would give the pods up.
        advanced=AdvancedOptions(start_timeout="24h"),
    )
    with connect() as cluster:
        action = cluster.preflight(options, run_key="benchmark")
        started = time.perf_counter()
        run = cluster.create_tracker(action)
        created = cluster.create_jobs(run, run.missing)
    assert len(created) == int(jobs)
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main(*sys.argv[1:])
