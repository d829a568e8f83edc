"""A larger pipeline that uses a run as one of its steps: prepare objects, load, judge, clean up.

mrunners' packages must be installed; then, with a kubeconfig that may do it:

python examples/pipeline.py --image ghcr.io/azure/kperf:0.3.5
"""

from __future__ import annotations

import argparse
import subprocess

from prefect import flow, get_run_logger, runtime, task

from mrunners.plan.options import AdvancedOptions, RunOptions
from mrunners.reports.merged import MergedReport
from mrunners_flows.new_run import multirunners
from mrunners_flows.policy import RunPolicy

OBJECTS = 50
LIST_CONFIGMAPS = """\
version: 1
description: list the objects that the pipeline made
specs:
  - rate: 20
    total: 60
    requests:
      - shares: 100
        quorumList: {version: v1, resource: configmaps, namespace: load}
"""


@task(retries=2)
def preflight(kubeconfig: str) -> None:
    """Make the objects that the load is about, and the load profile."""
    for number in range(OBJECTS):
        _apply_config_map(kubeconfig, f"object-{number}", {"payload": "x" * 1000})
    _apply_config_map(kubeconfig, "list-configmaps", {"load_profile.yaml": LIST_CONFIGMAPS})


@task
def judge(report: MergedReport, limit_seconds: float) -> bool:
    """Whether the p99 of all requests is within the limit."""
    p99 = dict(report.percentile_latencies or ())[0.99]
    get_run_logger().info("p99 is %.1f ms, the limit %.1f ms", p99 * 1000, limit_seconds * 1000)
    return p99 <= limit_seconds


@task(retries=2)
def clean_up(kubeconfig: str) -> None:
    """Remove what `preflight` made."""
    names = [f"object-{number}" for number in range(OBJECTS)]
    _kubectl(kubeconfig, "delete", "configmap", "--ignore-not-found", "list-configmaps", *names)


@flow
def pipeline(image: str, kubeconfig: str = "", limit_seconds: float = 1.0) -> bool:
    """Load a namespace of many ConfigMaps and say whether lists stay fast enough."""
    preflight(kubeconfig)
    try:
        outcome = multirunners(
            RunOptions(
                namespace="load",
                runner_image=image,
                service_account="kperf-runner",
                kubeconfig=kubeconfig,
                runners=("configmap:///load/list-configmaps?numbers=3",),
                # A retry of this flow makes a new subflow run; with a key of its own it adopts
                # the Jobs of the first attempt instead of being refused.
                advanced=AdvancedOptions(tracker="pipeline", run_key=f"{runtime.flow_run.id}"),
            ),
            RunPolicy(cleanup="delete"),
        )
        assert outcome.report is not None  # there is one as it was waited for
        return judge(outcome.report, limit_seconds)
    finally:
        clean_up(kubeconfig)


def _apply_config_map(kubeconfig: str, name: str, data: dict[str, str]) -> None:
    literals = [f"--from-literal={key}={value}" for key, value in data.items()]
    manifest = _kubectl(
        kubeconfig, "create", "configmap", name, *literals, "--dry-run=client", "--output=yaml"
    )
    _kubectl(kubeconfig, "apply", "--server-side", "--filename=-", stdin=manifest)


def _kubectl(kubeconfig: str, *words: str, stdin: str | None = None) -> str:
    where = ["--kubeconfig", kubeconfig] if kubeconfig else []
    command = ["kubectl", *where, "--namespace", "load", *words]
    done = subprocess.run(command, input=stdin, check=True, capture_output=True, text=True)
    return done.stdout


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=pipeline.description)
    parser.add_argument("--image", required=True)
    parser.add_argument("--kubeconfig", default="")
    arguments = parser.parse_args()
    fast = pipeline(arguments.image, arguments.kubeconfig)
    raise SystemExit(0 if fast else 1)
