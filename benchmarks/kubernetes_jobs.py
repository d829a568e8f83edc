"""Waits for Jobs with prefect-kubernetes' KubernetesJob, as a flow that starts many of them would.

    python kubernetes_jobs.py KUBECONFIG NAMESPACE SECONDS NAME…

It runs in a virtual environment of its own, which has prefect-kubernetes and nothing of mrunners.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections import Counter

from aiohttp import ClientError
from kubernetes_asyncio.client import ApiException
from prefect_kubernetes.credentials import KubernetesClusterConfig, KubernetesCredentials
from prefect_kubernetes.jobs import KubernetesJob, KubernetesJobRun

__all__: list[str] = []


async def _wait(kubeconfig: str, namespace: str, seconds: float, names: list[str]) -> None:
    credentials = KubernetesCredentials(
        cluster_config=KubernetesClusterConfig.from_file(path=kubeconfig)
    )
    runs = []
    for name in names:
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {}}
        block = KubernetesJob(v1_job=job, credentials=credentials, namespace=namespace)
        runs.append(KubernetesJobRun(block, job))
    failures: Counter[str] = Counter()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(_retried(run, failures) for run in runs))
    print(*(f"{count} {kind}" for kind, count in failures.items()), sep=", ", file=sys.stderr)


async def _retried(run: KubernetesJobRun, failures: Counter[str]) -> None:
    """Wait again when waiting fails, as a task with retries does."""
    while True:
        try:
            await run.await_for_completion()
        except (ApiException, ClientError, OSError) as error:
            failures[type(error).__name__] += 1
            await asyncio.sleep(1)
        else:
            return


if __name__ == "__main__":
    logging.disable(logging.INFO)
    asyncio.run(_wait(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4:]))
