"""One run in a process of its own, through the flow or through the core alone.

    python -m benchmarks.flow_once core|flow NAMESPACE JOBS PROFILE

Prints the processor seconds and the seconds of the run; what is imported before it is not counted.
kwok's pods have no logs, so every request for a log returns the same small report at once.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from mrunners import AdvancedOptions, MergedReport, RunOptions, connect
from mrunners.kube.client import KubernetesCluster
from mrunners.reports.runner_script import ReportMode
from tests.cluster.env import KPERF
from tests.factories import flat, printed

_REPORT = printed(flat({"LIST https://127.0.0.1/api/v1/namespaces": [0.001] * 50}))


def _read_log(
    cluster: KubernetesCluster, namespace: str, pod: str, container: str, limit_bytes: int
) -> bytes:
    del cluster, namespace, pod, container, limit_bytes
    return _REPORT


def run_through_core(options: RunOptions) -> MergedReport:
    """Run without Prefect."""
    with connect() as cluster:
        run = cluster.start(options)
        failures = run.wait().failures
        assert not failures, failures
        return run.collect()


def run_through_flow(options: RunOptions) -> MergedReport:
    """Run the flow, on the server that PREFECT_API_URL names."""
    # Importing Prefect takes seconds, and the core alone must run in a process without it.
    from mrunners_flows import multirunners  # noqa: PLC0415

    return multirunners(options).report


def main(way: str, namespace: str, jobs: str, profile: str) -> None:
    """Run once, check the report, and print the times."""
    options = RunOptions(
        namespace=namespace,
        runner_image=KPERF,
        runners=(f"file://{Path(profile).resolve()}?numbers=1",) * int(jobs),
        advanced=AdvancedOptions(report=ReportMode.PLAIN),
    )
    setattr(KubernetesCluster, "read_log", _read_log)  # noqa: B010  mypy knows its type
    if way == "flow":
        import mrunners_flows.new_run  # noqa: PLC0415, F401  not counted
    started, busy = time.monotonic(), time.process_time()
    report = run_through_flow(options) if way == "flow" else run_through_core(options)
    seconds, busy = time.monotonic() - started, time.process_time() - busy
    assert report.coverage.merged == int(jobs), report.verdict
    print(busy, seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
