"""Compare the achieved rate with the target rate, and say what limited it.

The achieved rate is that of the wall time, from the first pod's start to the last pod's last
answer: what the server got. Pods that never ran together do not add up. What limited the rate is
judged for each spec of each pod by its own times (`pace`, `job_pace`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from mrunners.records import Record
from mrunners.reports.analysis.job_pace import (
    EarlyEnd,
    SpecPace,
    early_ends,
    job_limit,
    spec_paces,
)
from mrunners.reports.analysis.pace import TARGET_REACHED_SHARE, SpecTarget, ThroughputLimit
from mrunners.reports.analysis.pod_stats import (
    PodStats,
    per_wall_second,
    pods_by_job,
    wall_seconds,
)

__all__ = [
    "NO_THROUGHPUT",
    "JobPace",
    "JobThroughput",
    "TargetLoad",
    "Throughput",
    "ThroughputLimit",
    "job_paces",
    "throughput_of",
]

# Starts that no log says are whole seconds: those of two pods that started together differ by up
# to one.
_CLOCK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class TargetLoad:
    """What the load profile sets for each pod.

    Attributes:
        requests_per_second: Averaged over its specs; None when one of them has no rate limit.
        clients: Maximum number of requests in flight; None when the specs differ in it, or when
            only some of them have a rate limit: no single figure then says how busy they were.
        specs: What each spec sets; empty when the plan does not say.
        warnings: What was known about the profile before the start, one line each.
    """

    requests_per_second: float | None = None
    clients: int | None = None
    specs: tuple[SpecTarget, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobPace:
    """What set the pace of a Job.

    Attributes:
        job: Its name.
        specs: What set the pace of each spec; empty when the figures do not say.
        early_ends: The specs that kperf ended early.
    """

    job: str
    specs: tuple[SpecPace, ...]
    early_ends: tuple[EarlyEnd, ...]


class JobThroughput(Record):
    """One Job's rate, over its merged pods.

    Attributes:
        pods: Number of merged pods.
        target_per_second: The sum over them; None when the profile sets no rate limit, or is
            unknown.
        wall_seconds: From the first pod's start to the last pod's last answer.
        achieved_per_second: Successes and errors, divided by `wall_seconds`.
        clients_per_pod: Maximum number of requests in flight in one pod.
        mean_latency_seconds: Over successes and errors.
        clients_busy: Share of the clients' time spent waiting for answers, 0 to about 1.
        limit: What limited the rate.
    """

    job: str
    pods: int
    target_per_second: float | None = Field(alias="targetPerSecond")
    wall_seconds: float | None = Field(default=None, alias="wallSeconds")
    achieved_per_second: float | None = Field(alias="achievedPerSecond")
    clients_per_pod: int | None = Field(alias="clientsPerPod")
    mean_latency_seconds: float | None = Field(alias="meanLatencySeconds")
    clients_busy: float | None = Field(alias="clientsBusy")
    limit: ThroughputLimit


class Throughput(Record):
    """The run's rate by wall time, and each Job's in plan order.

    Attributes:
        wall_seconds: From the first pod's start to the last pod's last answer, over all Jobs.
        successes_per_second: Successes of all pods, divided by `wall_seconds`.
        target_per_second: Sum over the Jobs; None when one of theirs is None.
        achieved_per_second: Successes and errors of all pods, divided by `wall_seconds`.
    """

    wall_seconds: float | None = Field(default=None, alias="wallSeconds")
    successes_per_second: float | None = Field(default=None, alias="successesPerSecond")
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
    paces = {pace.job: pace for pace in job_paces(jobs, stats, targets)}
    throughputs = tuple(
        _job_throughput(job, pods, targets.get(job, TargetLoad()), job_limit(paces[job].specs))
        for job, pods in pods_by_job(stats, jobs).items()
    )
    seconds = wall_seconds(stats)
    samples = [pod.report.samples for pod in stats]
    successes = None if None in samples else sum(count or 0 for count in samples)
    return Throughput(
        wall_seconds=seconds,
        successes_per_second=per_wall_second(successes, seconds),
        target_per_second=_total([job.target_per_second for job in throughputs]),
        achieved_per_second=per_wall_second(_requests(stats), seconds),
        jobs=throughputs,
    )


def job_paces(
    jobs: Sequence[str], stats: Sequence[PodStats], targets: Mapping[str, TargetLoad]
) -> tuple[JobPace, ...]:
    """Return what set the pace of each Job, in plan order; the arguments are as above."""
    paces = []
    for job, pods in pods_by_job(stats, jobs).items():
        specs = _spec_targets(targets.get(job, TargetLoad()), pods)
        figures = [pod.report.specs for pod in pods]
        paces.append(
            JobPace(
                job=job,
                specs=spec_paces(specs, figures),
                early_ends=tuple(early_ends(specs, figures)),
            )
        )
    return tuple(paces)


def _spec_targets(target: TargetLoad, pods: Sequence[PodStats]) -> tuple[SpecTarget, ...]:
    if target.specs or target == TargetLoad():
        return target.specs
    # A plan without specs is that of one, if each pod's report has one.
    if any(len(pod.report.specs) != 1 for pod in pods):
        return ()
    return (SpecTarget(rate=target.requests_per_second, clients=target.clients),)


def _clients_busy(pods: Sequence[PodStats], target: TargetLoad) -> float | None:
    """Return the share of the clients' time spent waiting for answers; None when unknown."""
    busy = _total([pod.busy_seconds for pod in pods])
    client_seconds = _total([_client_seconds(pod, target) for pod in pods])
    return busy / client_seconds if busy is not None and client_seconds else None


def _client_seconds(pod: PodStats, target: TargetLoad) -> float | None:
    """Return the durations of a pod's specs, each times its clients; None when unknown."""
    if target.clients is not None:
        return target.clients * pod.duration_seconds
    if not target.specs or len(target.specs) != len(pod.report.specs):
        return None
    return _total(
        [
            None if spec.clients is None else spec.clients * figures.duration_seconds
            for spec, figures in zip(target.specs, pod.report.specs, strict=True)
        ]
    )


def _job_throughput(
    job: str, pods: Sequence[PodStats], target: TargetLoad, limit: ThroughputLimit
) -> JobThroughput:
    target_rate = (
        None if target.requests_per_second is None else target.requests_per_second * len(pods)
    )
    seconds, requests = wall_seconds(pods), _requests(pods)
    achieved = per_wall_second(requests, seconds) if pods else 0.0
    busy_seconds = _total([pod.busy_seconds for pod in pods])
    if limit is ThroughputLimit.RATE and _are_apart(pods, target_rate, achieved):
        limit = ThroughputLimit.START_SKEW
    return JobThroughput(
        job=job,
        pods=len(pods),
        target_per_second=target_rate,
        wall_seconds=seconds,
        achieved_per_second=achieved,
        clients_per_pod=target.clients,
        mean_latency_seconds=(
            None if busy_seconds is None or not requests else busy_seconds / requests
        ),
        clients_busy=_clients_busy(pods, target),
        limit=limit,
    )


def _are_apart(pods: Sequence[PodStats], target: float | None, achieved: float | None) -> bool:
    """Whether the rate was missed because the pods did not run at the same time."""
    seconds = wall_seconds(pods)
    if target is None or achieved is None or seconds is None:
        return False
    longest = max(pod.duration_seconds for pod in pods)
    apart = seconds - longest > _CLOCK_SECONDS
    return apart and achieved < target * TARGET_REACHED_SHARE


def _requests(pods: Sequence[PodStats]) -> int | None:
    counts = [pod.requests for pod in pods]
    return None if None in counts else sum(count or 0 for count in counts)


def _total(values: Sequence[float | None]) -> float | None:
    """Return the sum; None when there is nothing to sum or a value is unknown."""
    known = [value for value in values if value is not None]
    return math.fsum(known) if known and len(known) == len(values) else None
