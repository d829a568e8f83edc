"""The rate that was achieved beside the rate that was asked for, and what held it back.

It must not guess where a report does not tell: then the limit is unknown.

kperf is a closed loop with a brake (request/schedule.go): each of a pod's `client` goroutines takes
a request, waits for the rate limiter, sends, and waits for the answer before it takes the next one.
So at most `clients` requests are under way in a pod, whatever the number of connections, and by
Little's law (L = lambda W; Little, Operations Research 9, 1961) the mean number under way is the
rate times the mean latency: the sum of all latencies divided by the duration. `clients_busy` is
that number as a share of the clients. A pod that falls short of its rate while its clients are
hardly busy was not held back by answers: its own node, the limiter or the network to it was the
limit, not the server.
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
    "clients_busy",
    "throughput_of",
]

# kperf's limiter lets the first request pass at once and the last answers come after the last
# token, so short loads are a little off their rate; beyond 5 % it is more than that.
_REACHED = 0.95
# Between two requests a client draws, builds and decodes; a fifth of its time is ample for that.
_BUSY = 0.8


class ThroughputLimit(StrEnum):
    """What held the rate of a Job's pods back."""

    RATE = "rate"
    """The asked rate was reached: the load profile itself was the limit, as it should be."""
    ANSWERS = "answers"
    """All clients were waiting for answers nearly all the time: the server, or too few clients."""
    RUNNERS = "runners"
    """Clients were idle and the rate was not reached: the runners or their nodes."""
    UNKNOWN = "unknown"
    """The reports or the plan do not tell."""


@dataclass(frozen=True, slots=True)
class TargetLoad:
    """What the load profile asks of each pod.

    Attributes:
        requests_per_second: averaged over its specs; None when one of them has no limit.
        clients: how many requests can be under way; None when the specs differ in it, or when
            only some of them have a rate, for then no single figure says how busy they were.
    """

    requests_per_second: float | None = None
    clients: int | None = None


class JobThroughput(Record):
    """One Job's rate, over its merged pods.

    Attributes:
        pods: how many are merged; the rates are sums over them.
        target_per_second: None when the profile sets no limit, or is not known.
        achieved_per_second: requests with their errors; each pod's by its own duration.
        clients_per_pod: how many requests one pod can have under way.
        mean_latency_seconds: over successes and errors.
        clients_busy: the share of the clients' time spent waiting for answers, 0 to about 1.
        limit: what held the rate back.
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
    """The run's rate, and each Job's in the order of the plan.

    Attributes:
        target_per_second: None when a Job's is; as if all Jobs ran at the same time.
        achieved_per_second: None when a Job's is; as above.
    """

    target_per_second: float | None = Field(alias="targetPerSecond")
    achieved_per_second: float | None = Field(alias="achievedPerSecond")
    jobs: tuple[JobThroughput, ...]


NO_THROUGHPUT = Throughput(target_per_second=None, achieved_per_second=None, jobs=())


def throughput_of(
    jobs: Sequence[str], stats: Sequence[PodStats], asked: Mapping[str, TargetLoad]
) -> Throughput:
    """Compare what was asked with what was achieved.

    Args:
        jobs: the names of the planned Jobs, in the order of the plan.
        stats: of the merged pods.
        asked: by Job; one that is not there is not known.
    """
    of_job: dict[str, list[PodStats]] = {job: [] for job in jobs}
    for pod in stats:
        of_job[pod.outcome.job].append(pod)
    found = tuple(_of_job(job, pods, asked.get(job, TargetLoad())) for job, pods in of_job.items())
    return Throughput(
        target_per_second=_total([job.target_per_second for job in found]),
        achieved_per_second=_total([job.achieved_per_second for job in found]),
        jobs=found,
    )


def clients_busy(pods: Sequence[PodStats], clients: int | None) -> float | None:
    """The share of the clients' time that was spent waiting for answers; None when unknown."""
    seconds = math.fsum(pod.duration_seconds for pod in pods)
    busy = _total([pod.busy_seconds for pod in pods])
    return None if clients is None or busy is None or not seconds else busy / (clients * seconds)


def _of_job(job: str, pods: Sequence[PodStats], asked: TargetLoad) -> JobThroughput:
    asked_here = (
        None if asked.requests_per_second is None else asked.requests_per_second * len(pods)
    )
    achieved = _total([pod.requests_per_second for pod in pods]) if pods else 0.0
    requests = sum(pod.requests or 0 for pod in pods)
    busy_seconds = _total([pod.busy_seconds for pod in pods])
    busy = clients_busy(pods, asked.clients)
    return JobThroughput(
        job=job,
        pods=len(pods),
        target_per_second=asked_here,
        achieved_per_second=achieved,
        clients_per_pod=asked.clients,
        mean_latency_seconds=(
            None if busy_seconds is None or not requests else busy_seconds / requests
        ),
        clients_busy=busy,
        limit=_limit(asked_here, achieved, busy),
    )


def _limit(asked: float | None, achieved: float | None, busy: float | None) -> ThroughputLimit:
    if not achieved:
        return ThroughputLimit.UNKNOWN
    if asked is not None and achieved >= asked * _REACHED:
        return ThroughputLimit.RATE
    if busy is None:
        return ThroughputLimit.UNKNOWN
    return ThroughputLimit.ANSWERS if busy >= _BUSY else ThroughputLimit.RUNNERS


def _total(values: Sequence[float | None]) -> float | None:
    """The sum; None when there is nothing to sum or one of the values is not known."""
    known = [value for value in values if value is not None]
    return math.fsum(known) if known and len(known) == len(values) else None
