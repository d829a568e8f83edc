"""What a run has really become, read past the proxy, and what its pods have really reported."""

from __future__ import annotations

from collections import Counter

from tests.faults.proxy import FaultProxy
from tests.faults.upstream import Upstream

__all__ = [
    "FAST_PROFILE",
    "POD_COUNTS",
    "can_start",
    "expected_samples",
    "made_twice",
    "namespace_manifests",
    "remaining",
]

# Of the two Jobs. Every pod has another number of samples, so that the sum shows which are missing.
POD_COUNTS = (2, 1)

FAST_PROFILE = """\
version: 1
description: one second of nothing
specs:
- rate: 10
  duration: 1
  conns: 1
  client: 1
  contentType: json
  requests:
  - shares: 1
    staleList: {version: v1, resource: pods}
"""

_JOB, _INDEX = "batch.kubernetes.io/job-name", "batch.kubernetes.io/job-completion-index"
_OURS = "labelSelector=app.kubernetes.io/managed-by%3Dmrunners"


def expected_samples(*pod_counts: int) -> int:
    """Return how many samples tests/faults/fake_kperf reports in all."""
    return sum(
        100 * (job + 1) + 10 * (index + 1)
        for job, pods in enumerate(pod_counts)
        for index in range(pods)
    )


def namespace_manifests(name: str) -> list[dict[str, object]]:
    """Return a namespace and the ServiceAccount of its pods, which then need not be waited for."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "runner", "namespace": name},
        },
    ]


def made_twice(proxy: FaultProxy, namespace: str) -> int:
    """Return how many Jobs and pods were made beyond those of the plan."""
    jobs = Counter(proxy.created)
    pods = Counter(
        (labels.get(_JOB), labels.get(_INDEX))
        for pod in proxy.upstream.items(f"/api/v1/namespaces/{namespace}/pods")
        for labels in (pod["metadata"].get("labels") or {},)
    )
    return jobs.total() - len(jobs) + pods.total() - len(pods)


def remaining(upstream: Upstream, namespace: str) -> list[str]:
    """Return the names of what exists of the run."""
    return [
        item["metadata"]["name"]
        for prefix, plural in (
            ("/api/v1", "configmaps"),
            ("/apis/batch/v1", "jobs"),
            ("/api/v1", "pods"),
        )
        for item in upstream.items(f"{prefix}/namespaces/{namespace}/{plural}?{_OURS}")
    ]


def can_start(upstream: Upstream, namespace: str) -> list[str]:
    """Return the names of the pods that may start yet, and of the Jobs that may create some."""
    pods = [
        pod["metadata"]["name"]
        for pod in upstream.items(f"/api/v1/namespaces/{namespace}/pods?{_OURS}")
        if "deletionTimestamp" not in pod["metadata"] and pod["status"]["phase"] == "Pending"
    ]
    jobs = [
        job["metadata"]["name"]
        for job in upstream.items(f"/apis/batch/v1/namespaces/{namespace}/jobs?{_OURS}")
        if not job["spec"].get("suspend") and not job["status"].get("conditions")
    ]
    return pods + jobs
