"""The steps of a run one by one, for a flow that does something of its own in between.

    python examples/steps.py --image ghcr.io/azure/kperf:0.3.5

The namespace `load` needs a ServiceAccount `kperf-runner`, which examples/rbac.yaml creates. The
Jobs stay, as nothing here marks the run as collected: delete them with
`mrunners delete load --tracker steps --force`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.runtime import flow_run

from mrunners import AdvancedOptions, MergedReport, RunOptions
from mrunners_flows import ReportFiles
from mrunners_tasks import (
    collect_reports,
    create_jobs,
    create_tracker,
    load_profiles,
    merge_reports,
    parse_runners,
    read_pods,
    save_report,
    wait_for_jobs,
)

PROFILE = Path(__file__).resolve().parent / "profiles" / "get-configmap.yaml"


@flow
def steps(image: str, kubeconfig: str = "") -> MergedReport:
    """Run a load in steps, each of which is a task run of this flow."""
    options = RunOptions(
        namespace="load",
        runner_image=image,
        service_account="kperf-runner",
        kubeconfig=kubeconfig,
        runners=[f"file://{PROFILE}?numbers=2"],
        advanced=AdvancedOptions(tracker="steps"),
    )
    runners = load_profiles(options, parse_runners(options))
    started = create_tracker(options, runners, f"{flow_run.id}")
    run = started.existing
    create_jobs(options.cluster, started, started.missing, "all Jobs")
    get_run_logger().info("the load runs now")
    wait_for_jobs(options.cluster, run, "10m")
    snapshot = read_pods(options.cluster, run, final=True)
    outcomes = collect_reports(
        options.cluster, run, snapshot, snapshot.state.jobs, "all Jobs", final=True
    )
    report = merge_reports(options.cluster, run, snapshot, outcomes)
    save_report(report, ReportFiles())
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=steps.description)
    parser.add_argument("--image", required=True)
    parser.add_argument("--kubeconfig", default="")
    arguments = parser.parse_args()
    print(steps(arguments.image, arguments.kubeconfig).verdict)
