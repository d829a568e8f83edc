"""A suite of load profiles: one after the other in one namespace, then side by side in several.

    python examples/suite.py --image ghcr.io/azure/kperf:0.3.5 --namespaces load-a load-b

Each namespace needs a ServiceAccount `kperf-runner` with the rights that the profiles need, as
examples/rbac.yaml creates it for the namespace `load`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from prefect import flow, get_run_logger, task

from mrunners import FailOn, RunOptions
from mrunners_flows import RunOutcome, RunPolicy, multirunners

PROFILES = Path(__file__).resolve().parent / "profiles"

# A suite continues when reports are missing or, by `fail_on` below, the figures are in doubt; the
# verdict says so.
POLICY = RunPolicy(cleanup="delete", on_incomplete="report")


def options(image: str, kubeconfig: str, namespace: str, profile: str) -> RunOptions:
    """Return the options of one run of the suite."""
    return RunOptions(
        namespace=namespace,
        runner_image=image,
        service_account="kperf-runner",
        kubeconfig=kubeconfig,
        fail_on=FailOn.NEVER,
        runners=[f"file://{PROFILES / profile}?numbers=2"],
    )


@task
def side_by_side(run: RunOptions) -> RunOutcome:
    """Run beside other runs: a task can be submitted, and calls the flow as a subflow."""
    return multirunners(run, POLICY)


@flow
def suite(image: str, namespaces: list[str], kubeconfig: str = "") -> dict[str, str]:
    """Run each profile in the first namespace, then one profile in all namespaces at once."""
    verdicts = {}
    for profile in ("get-configmap.yaml", "list-namespaces.yaml"):
        outcome = multirunners(options(image, kubeconfig, namespaces[0], profile), POLICY)
        verdicts[f"{namespaces[0]}/{profile}"] = outcome.report.verdict
    runs = {
        namespace: side_by_side.submit(options(image, kubeconfig, namespace, "get-configmap.yaml"))
        for namespace in namespaces
    }
    for namespace, run in runs.items():
        verdicts[f"{namespace}/beside the others"] = run.result().report.verdict
    for name, line in verdicts.items():
        get_run_logger().info("%s: %s", name, line)
    return verdicts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=suite.description)
    parser.add_argument("--image", required=True)
    parser.add_argument("--namespaces", nargs="+", required=True)
    parser.add_argument("--kubeconfig", default="")
    arguments = parser.parse_args()
    suite(arguments.image, arguments.namespaces, arguments.kubeconfig)
