"""An async pipeline with two runs at once, each in a thread, so that the event loop stays free.

    python examples/async_pipeline.py --image ghcr.io/azure/kperf:0.3.5

The namespace `load` needs a ServiceAccount `kperf-runner`, which examples/rbac.yaml creates.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from prefect import flow

from mrunners import AdvancedOptions, RunOptions
from mrunners_flows import RunPolicy, multirunners

PROFILES = Path(__file__).resolve().parent / "profiles"


@flow
async def async_pipeline(image: str, kubeconfig: str = "") -> list[str]:
    """Run two profiles at the same time and return their verdicts."""
    outcomes = await asyncio.gather(
        *(
            asyncio.to_thread(
                multirunners,
                RunOptions(
                    namespace="load",
                    runner_image=image,
                    service_account="kperf-runner",
                    kubeconfig=kubeconfig,
                    runners=[f"file://{PROFILES / profile}.yaml?numbers=1"],
                    advanced=AdvancedOptions(tracker=profile),
                ),
                RunPolicy(cleanup="delete"),
            )
            for profile in ("get-configmap", "list-namespaces")
        )
    )
    return [outcome.report.verdict for outcome in outcomes]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=async_pipeline.description)
    parser.add_argument("--image", required=True)
    parser.add_argument("--kubeconfig", default="")
    arguments = parser.parse_args()
    for verdict in asyncio.run(async_pipeline(arguments.image, arguments.kubeconfig)):
        print(verdict)
