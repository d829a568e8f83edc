"""A pipeline with a run as one of its steps: prepare objects, run the load, judge, clean up.

    python examples/pipeline.py --image ghcr.io/azure/kperf:0.3.5

mrunners must be installed. The namespace `load` needs a ServiceAccount `kperf-runner`, which
examples/rbac.yaml creates.
"""

from __future__ import annotations

import argparse
import subprocess

from prefect import flow, get_run_logger, task
from prefect.runtime import flow_run

from mrunners import AdvancedOptions, MergedReport, RunOptions
from mrunners_flows import RunPolicy, multirunners

OBJECTS = 50
LIST_CONFIGMAPS = """\
version: 1
description: list the objects that the pipeline created
specs:
  - rate: 20
    total: 60
    requests:
      - shares: 100
        quorumList: {version: v1, resource: configmaps, namespace: load}
"""


@task(retries=2)
def prepare(kubeconfig: str) -> None:
    """Create the objects that the load lists, and the load profile."""
    for number in range(OBJECTS):
        _apply_config_map(kubeconfig, f"object-{number}", {"payload": "x" * 1000})
    _apply_config_map(kubeconfig, "list-configmaps", {"load_profile.yaml": LIST_CONFIGMAPS})


@task
def judge(report: MergedReport, limit_seconds: float) -> bool:
    """Return whether the p99 of all requests is within the limit."""
    p99 = report.percentile(0.99)
    get_run_logger().info("p99 is %.1f ms, the limit %.1f ms", p99 * 1000, limit_seconds * 1000)
    return p99 <= limit_seconds


@task(retries=2)
def clean_up(kubeconfig: str) -> None:
    """Delete what `prepare` created."""
    names = [f"object-{number}" for number in range(OBJECTS)]
    _kubectl(kubeconfig, "delete", "configmap", "--ignore-not-found", "list-configmaps", *names)


@flow
def pipeline(image: str, kubeconfig: str = "", limit_seconds: float = 1.0) -> bool:
    """List a namespace of many ConfigMaps and return whether the lists are fast enough."""
    prepare(kubeconfig)
    try:
        outcome = multirunners(
            RunOptions(
                namespace="load",
                runner_image=image,
                service_account="kperf-runner",
                kubeconfig=kubeconfig,
                runners=["configmap:///load/list-configmaps?numbers=3"],
                # A retry of this flow creates a new subflow run. With this flow run's ID as its
                # key, it adopts the Jobs of the first attempt instead of being refused.
                advanced=AdvancedOptions(tracker="pipeline", run_key=f"{flow_run.id}"),
            ),
            RunPolicy(cleanup="delete"),
        )
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
