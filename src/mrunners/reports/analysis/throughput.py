"""Compare the achieved rate with the target rate, and find what limited it.

kperf is a closed loop with a rate limiter (request/schedule.go): each of a pod's `client`
goroutines takes a request, waits for the limiter, sends, and waits for the answer before it takes
the next one. So a pod has at most `clients` requests in flight, whatever the number of connections.
By Little's law (L = lambda W; Little, Operations Research 9, 1961) the mean number in flight is the
rate times the mean latency, which is the sum of all latencies divided by the duration.
`clients_busy` is that number as a share of the clients.

A pod that misses its target while its clients are hardly busy was not limited by answers: the limit
was its own node, the rate limiter or its network, not the server. Where the reports do not have the
figures, the limit is unknown; it is not guessed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from mrunners.records import Record
from mrunners.reports.analysis.pod_stats import PodStats

__all__ = [
    "NO_THROUGHPUT",
    "JobThroughput",
    "TargetLoad",
    "Throughput",
    "ThroughputLimit",
    "throughput_of",
]

# kperf's limiter lets the first request pass at once, and the last answers arrive after the last
# token, so short loads are a little off their rate, but by less than 5%.
_TARGET_REACHED_SHARE = 0.95
# Between two requests a client chooses, builds and decodes; that takes less than a fifth of its
# time.
_CLIENTS_BUSY_SHARE = 0.8


class ThroughputLimit(StrEnum):
    """What limited the rate of a Job's pods."""

    RATE = "rate"
    """The target was reached: the load profile was the limit, as it should be."""
    ANSWERS = "answers"
    """All clients waited for answers nearly all the time: the server, or too few clients."""
    RUNNERS = "runners"
    """Clients were idle and the target was not reached: the runners or their nodes."""
    UNKNOWN = "unknown"
    """The reports or the plan do not have the figures."""


@dataclass(frozen=True, slots=True)
class TargetLoad:
    """What the load profile sets for each pod.

    Attributes:
        requests_per_second: Averaged over its specs; None when one of them has no rate limit.
        clients: Maximum number of requests in flight; None when the specs differ in it, or when
            only some of them have a rate limit: no single figure then says how busy they were.
    """

    requests_per_second: float | None = None
    clients: int | None = None


class JobThroughput(Record):
    """One Job's rate, over its merged pods.

    Attributes:
        pods: Number of merged pods; the rates are sums over them.
        target_per_second: None when the profile sets no rate limit, or is unknown.
        achieved_per_second: Successes and errors, each pod's divided by its own duration.
        clients_per_pod: Maximum number of requests in flight in one pod.
        mean_latency_seconds: Over successes and errors.
        clients_busy: Share of the clients' time spent waiting for answers, 0 to about 1.
        limit: What limited the rate.
    """

    job: str
    pods: int
    target_per_second: float | None = Field(alias="targetPerSecond")
    achieved_per_second: float | None = Field(alias="achievedPerSecond")
    clients_per_pod: int | None = Field(alias="clientsPerPod")
    mean_latency_seconds: float | None = Field(alias="meanLatencySeconds")
    clients_busy: float | None = Field(alias="clientsBusy")
    limit: ThroughputLimit


class Throughput(Record):
    """The run's rate, as if all Jobs ran at the same time, and each Job's in plan order.

    Attributes:
        target_per_second: Sum over the Jobs; None when one of theirs is None.
        achieved_per_second: Sum over the Jobs; None when one of theirs is None.
    """

    target_per_second: float | None = Field(alias="targetPerSecond")
    achieved_per_second: float | None = Field(alias="achievedPerSecond")
    jobs: tuple[JobThroughput, ...]


NO_THROUGHPUT = Throughput(target_per_second=None, achieved_per_second=None, jobs=())


def throughput_of(
    jobs: Sequence[str], stats: Sequence[PodStats], targets: Mapping[str, TargetLoad]
) -> Throughput:
    """Compare the achieved rate with the target rate.

    Args:
        jobs: The names of the planned Jobs, in plan order.
        stats: The figures of the merged pods.
        targets: By Job name, what the load profile sets for each pod; a Job may be absent.
    """
    pods_by_job: dict[str, list[PodStats]] = {job: [] for job in jobs}
    for pod in stats:
        pods_by_job[pod.outcome.job].append(pod)
    throughputs = tuple(
        _job_throughput(job, pods, targets.get(job, TargetLoad()))
        for job, pods in pods_by_job.items()
    )
    return Throughput(
        target_per_second=_total([job.target_per_second for job in throughputs]),
        achieved_per_second=_total([job.achieved_per_second for job in throughputs]),
        jobs=throughputs,
    )


def _clients_busy(pods: Sequence[PodStats], clients: int | None) -> float | None:
    """Return the share of the clients' time spent waiting for answers; None when unknown."""
    seconds = math.fsum(pod.duration_seconds for pod in pods)
    busy = _total([pod.busy_seconds for pod in pods])
    return None if clients is None or busy is None or not seconds else busy / (clients * seconds)


def _job_throughput(job: str, pods: Sequence[PodStats], target: TargetLoad) -> JobThroughput:
    target_rate = (
        None if target.requests_per_second is None else target.requests_per_second * len(pods)
    )
    achieved = _total([pod.requests_per_second for pod in pods]) if pods else 0.0
    requests = sum(pod.requests or 0 for pod in pods)
    busy_seconds = _total([pod.busy_seconds for pod in pods])
    busy = _clients_busy(pods, target.clients)
    return JobThroughput(
        job=job,
        pods=len(pods),
        target_per_second=target_rate,
        achieved_per_second=achieved,
        clients_per_pod=target.clients,
        mean_latency_seconds=(
            None if busy_seconds is None or not requests else busy_seconds / requests
        ),
        clients_busy=busy,
        limit=_limit(target_rate, achieved, busy),
    )


def _limit(target: float | None, achieved: float | None, busy: float | None) -> ThroughputLimit:
    if not achieved:
        return ThroughputLimit.UNKNOWN
    if target is not None and achieved >= target * _TARGET_REACHED_SHARE:
        return ThroughputLimit.RATE
    if busy is None:
        return ThroughputLimit.UNKNOWN
    return ThroughputLimit.ANSWERS if busy >= _CLIENTS_BUSY_SHARE else ThroughputLimit.RUNNERS


def _total(values: Sequence[float | None]) -> float | None:
    """Return the sum; None when there is nothing to sum or a value is unknown."""
    known = [value for value in values if value is not None]
    return math.fsum(known) if known and len(known) == len(values) else None
