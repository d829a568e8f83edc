"""One run in a process of its own, through the flow or through the core alone; prints its seconds.

    python -m benchmarks.flow_once core|flow NAMESPACE JOBS PROFILE

What is imported beforehand is not counted. kwok's pods have no logs, so every read of a log gives
the same small report at once. It must not start or clean up anything around the run.
"""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path

from mrunners.kube.client import KubernetesCluster
from mrunners.plan.options import AdvancedOptions, RunOptions, validate_options
from mrunners.plan.planning import plan_run
from mrunners.profiles.loading import parse_runners
from mrunners.reports.merged import MergedReport
from mrunners.reports.runner_script import ReportMode
from mrunners.run.create import create_jobs, start_run
from mrunners.run.observer import NullObserver
from mrunners.run.preflight import load_profiles, resolve_existing_run
from mrunners.run.report_store import ReportStore, default_store_path
from mrunners.run.result import (
    collect_run,
    mark_collected,
    merge_outcomes,
    read_full_snapshot,
    require_finished,
)
from mrunners.run.wait import wait_for_run
from tests.cluster.env import KPERF
from tests.factories import flat, printed

_REPORT = printed(flat({"LIST https://127.0.0.1/api/v1/namespaces": [0.001] * 50}))


def _read_log(cluster: KubernetesCluster, namespace: str, pod: str, *, limit_bytes: int) -> bytes:
    del cluster, namespace, pod, limit_bytes
    return _REPORT


def through_the_core(options: RunOptions) -> MergedReport:
    """The flow's steps without Prefect."""
    cluster, observer, store = (
        KubernetesCluster("", warn=lambda _: None),
        NullObserver(),
        ReportStore(default_store_path()),
    )
    validate_options(options)
    runners = load_profiles(cluster, options, parse_runners(options.runners))
    planned = plan_run(options, runners, run_key=str(uuid.uuid4()))
    run = start_run(cluster, resolve_existing_run(cluster, options, planned), observer)
    create_jobs(
        cluster,
        run.found.plan,
        run.missing,
        profiles=run.profiles,
        tracker_uid=run.found.tracker.uid,
        observer=observer,
    )
    problems = wait_for_run(cluster, run.found, store, observer)
    assert not problems, problems
    snapshot = read_full_snapshot(cluster, run.found)
    require_finished(run.found, snapshot)
    outcomes = collect_run(cluster, run.found, snapshot, store)
    report = merge_outcomes(run.found, outcomes, requests=cluster.requests)
    mark_collected(cluster, run.found, outcomes)
    return report


def through_the_flow(options: RunOptions) -> MergedReport:
    """The flow, on the server that PREFECT_API_URL names."""
    # Prefect takes seconds; the core alone shall not have it in its process.
    from mrunners_flows.multirunners import multirunners  # noqa: PLC0415

    outcome = multirunners(options)
    assert outcome.report is not None
    return outcome.report


def main(way: str, namespace: str, jobs: str, profile: str) -> None:
    """Run, check and print."""
    options = RunOptions(
        namespace=namespace,
        runner_image=KPERF,
        runners=(f"file://{Path(profile).resolve()}?numbers=1",) * int(jobs),
        advanced=AdvancedOptions(report=ReportMode.PLAIN),
    )
    setattr(KubernetesCluster, "read_log", _read_log)  # noqa: B010  mypy knows its type
    if way == "flow":
        import mrunners_flows.multirunners  # noqa: PLC0415, F401  not counted
    began, busy = time.monotonic(), time.process_time()
    report = through_the_flow(options) if way == "flow" else through_the_core(options)
    seconds, busy = time.monotonic() - began, time.process_time() - busy
    assert report.coverage.merged == int(jobs), report.verdict
    print(busy, seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
