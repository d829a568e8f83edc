"""A suite of load profiles: one after the other in one namespace, then side by side in several.

    python examples/suite.py --image ghcr.io/azure/kperf:0.3.5 --namespaces load-a load-b

Each namespace needs a ServiceAccount `kperf-runner` with the rights that the profiles ask for, as
examples/rbac.yaml makes it for the namespace `load`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from prefect import flow, get_run_logger, task

from mrunners.plan.options import RunOptions
from mrunners_flows.new_run import multirunners
from mrunners_flows.policy import RunPolicy
from mrunners_flows.states import RunOutcome

PROFILES = Path(__file__).resolve().parent / "profiles"

# A suite goes on when one of its runs has gaps; the report says which.
CONDUCT = RunPolicy(cleanup="delete", on_incomplete="report")


def options(image: str, kubeconfig: str, namespace: str, profile: str) -> RunOptions:
    """One run of the suite."""
    return RunOptions(
        namespace=namespace,
        runner_image=image,
        service_account="kperf-runner",
        kubeconfig=kubeconfig,
        runners=(f"file://{PROFILES / profile}?numbers=2",),
    )


def verdict(outcome: RunOutcome) -> str:
    """The first line of its report."""
    assert outcome.report is not None  # there is one as it was waited for
    return outcome.report.verdict


@task
def side_by_side(asked: RunOptions) -> RunOutcome:
    """A run beside others: a task can be submitted, and calls the flow as a subflow."""
    return multirunners(asked, CONDUCT)


@flow
def suite(image: str, namespaces: list[str], kubeconfig: str = "") -> dict[str, str]:
    """Every profile in turn in the first namespace, then one profile in all of them at once."""
    verdicts = {}
    for profile in ("get-configmap.yaml", "list-namespaces.yaml"):
        outcome = multirunners(options(image, kubeconfig, namespaces[0], profile), CONDUCT)
        verdicts[f"{namespaces[0]}/{profile}"] = verdict(outcome)
    runs = {
        namespace: side_by_side.submit(options(image, kubeconfig, namespace, "get-configmap.yaml"))
        for namespace in namespaces
    }
    for namespace, run in runs.items():
        verdicts[f"{namespace}/beside the others"] = verdict(run.result())
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
