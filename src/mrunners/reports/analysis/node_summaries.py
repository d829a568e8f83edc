"""What the pods of each node measured together, so that a slow or failing node shows.

Nodes run different mixes of Jobs, so that their figures differ does not mean that a node is slow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import Field

from mrunners.records import Record
from mrunners.reports.analysis.pod_stats import PodStats, per_wall_second, wall_seconds
from mrunners.reports.analysis.stragglers import Straggler
from mrunners.reports.outcomes import PodOutcome
from mrunners.reports.percentiles import percentile_latencies

__all__ = ["NodeSummary", "node_summaries"]


class NodeSummary(Record):
    """One node and the pods of the run that ran on it.

    Attributes:
        pods: Number of planned pods that ran on it.
        merged: How many of them have a merged report; all further figures are over these.
        samples: Number of successes; None when a report does not have it.
        requests_per_second: Successes and errors, from the first pod's start to the last one's
            last answer; None when it is unknown.
        stragglers: How many of the pods are stragglers.
    """

    node: str
    pods: int
    merged: int
    stragglers: int
    samples: int | None
    errors: int
    requests_per_second: float | None = Field(alias="requestsPerSecond")
    received_bytes: int = Field(alias="totalReceivedBytes")
    percentile_latencies: tuple[tuple[float, float], ...] | None = Field(
        alias="percentileLatencies"
    )


def node_summaries(
    outcomes: Sequence[PodOutcome],
    stats: Sequence[PodStats],
    stragglers: Sequence[Straggler],
) -> tuple[NodeSummary, ...]:
    """Return a summary for each node, by name; a pod that was never scheduled is on none."""
    pods = Counter(outcome.node for outcome in outcomes if outcome.node is not None)
    # A pod can be a straggler by both metrics, and counts once.
    straggling_pods = Counter(
        node for node, _, _ in {(s.node, s.job, s.index) for s in stragglers} if node is not None
    )
    merged_by_node: dict[str, list[PodStats]] = {node: [] for node in sorted(pods)}
    for pod in stats:
        if pod.outcome.node is not None:
            merged_by_node[pod.outcome.node].append(pod)
    return tuple(
        _summary(node, merged, pods=pods[node], stragglers=straggling_pods[node])
        for node, merged in merged_by_node.items()
    )


def _summary(node: str, merged: Sequence[PodStats], *, pods: int, stragglers: int) -> NodeSummary:
    samples = [pod.report.samples for pod in merged]
    by_pod = [pod.report.latencies_by_url for pod in merged]
    return NodeSummary(
        node=node,
        pods=pods,
        merged=len(merged),
        stragglers=stragglers,
        samples=None if None in samples else sum(count or 0 for count in samples),
        errors=sum(pod.report.error_count for pod in merged),
        requests_per_second=_requests_per_second(merged),
        received_bytes=sum(pod.report.received_bytes for pod in merged),
        percentile_latencies=(
            None
            if None in by_pod
            else percentile_latencies(
                [column for by_url in by_pod for column in (by_url or {}).values()]
            )
        ),
    )


def _requests_per_second(merged: Sequence[PodStats]) -> float | None:
    requests = [pod.requests for pod in merged]
    if None in requests:
        return None
    total = sum(count or 0 for count in requests)
    return per_wall_second(total, wall_seconds(merged)) if merged else 0.0
