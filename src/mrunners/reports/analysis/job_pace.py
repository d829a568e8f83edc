"""Judge what set the pace of each spec of a Job, over its pods, and of the Job as a whole.

What the profile itself causes is known before the start and comes first: where the first spec's
limiters hold a spec back, neither the server nor the runners are judged by it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mrunners.reports.analysis.pace import (
    MIN_SECONDS,
    TARGET_REACHED_SHARE,
    Pace,
    SpecTarget,
    ThroughputLimit,
    judge_pace,
    reached_share,
    sending_seconds,
)
from mrunners.reports.samples import SpecFigures

__all__ = ["EarlyEnd", "SpecPace", "early_ends", "job_limit", "spec_paces"]

# A little less than the 0.6 ms in which an API server on the same machine answers the cheapest
# request (measured).
_FASTEST_ANSWER_SECONDS: Final = 0.0005
# Specs that are too short to judge do not hide that all others reached their rate.
_JUDGED_SHARE: Final = 0.9

_PodSpecs = Sequence[Sequence[SpecFigures]]
_Pairs = Sequence[tuple[SpecTarget, SpecFigures]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecPace:
    """What set the pace of one spec of a Job, or of all that the first spec's limiters hold back.

    Attributes:
        specs: Their indexes in the profile.
        only_spec: Whether the profile has no other.
        limit: What limited the rate.
        missed: Whether the target rate was missed for certain.
        maybe_first_rate: Whether the first spec's limiters may have held the requests back, but the
            figures do not tell.
        few_clients: Whether PROFILE means too few clients, rather than the first spec's limiters.
        requests_per_second: Sum over the pods, each until its last answer.
        target_per_second: Sum over the pods; None without a rate limit.
        clients: In one pod; None when it is unknown.
        clients_busy: Share of the clients' time spent waiting for answers; None when unknown.
        latency_seconds: The mean over successes and errors; None when it is unknown.
        seconds: Sum of the pods' durations.
        pods: How many pods it is about.
    """

    specs: tuple[int, ...]
    only_spec: bool
    limit: ThroughputLimit
    missed: bool = False
    maybe_first_rate: bool = False
    few_clients: bool = False
    requests_per_second: float
    target_per_second: float | None
    clients: int | None
    clients_busy: float | None
    latency_seconds: float | None
    seconds: float
    pods: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyEnd:
    """A spec with a duration that kperf ended early, because its clients would wait too long.

    Attributes:
        spec: Its index in the profile.
        only_spec: Whether the profile has no other.
        seconds: The shortest that it took in a pod.
        planned_seconds: The duration that the profile sets.
        clients: In one pod.
        rate: Requests per second of one pod.
    """

    spec: int
    only_spec: bool
    seconds: float
    planned_seconds: float
    clients: int
    rate: float


def spec_paces(targets: Sequence[SpecTarget], pods: _PodSpecs) -> tuple[SpecPace, ...]:
    """Judge each spec of a Job.

    Args:
        targets: Of each spec.
        pods: For each merged pod, the figures of its specs.

    Returns:
        In the order of the profile; nothing when the figures are not those of these specs.
    """
    if not pods or any(len(specs) != len(targets) for specs in pods):
        return ()
    held_back = {i: None for i, target in enumerate(targets) if target.ceiling is not None}
    limit = _first_rate_limit(targets, pods, held_back)
    paces = []
    if limit is not ThroughputLimit.RATE:
        paces.append(_first_rate_pace(targets, pods, held_back, limit))
    paces += [
        _spec_pace(index, targets, pods)
        for index in range(len(targets))
        if limit is ThroughputLimit.RATE or index not in held_back
    ]
    return tuple(sorted(paces, key=lambda pace: pace.specs))


def job_limit(paces: Sequence[SpecPace]) -> ThroughputLimit:
    """Return what limited a Job: PROFILE before all others, and nothing where specs differ."""
    limits = {pace.limit for pace in paces}
    if ThroughputLimit.PROFILE in limits:
        return ThroughputLimit.PROFILE
    causes = limits & {ThroughputLimit.ANSWERS, ThroughputLimit.RUNNERS}
    if causes or any(pace.missed or pace.maybe_first_rate for pace in paces):
        return causes.pop() if len(causes) == 1 else ThroughputLimit.UNKNOWN
    reached = math.fsum(pace.seconds for pace in paces if pace.limit is ThroughputLimit.RATE)
    judged = reached >= _JUDGED_SHARE * math.fsum(pace.seconds for pace in paces)
    return ThroughputLimit.RATE if reached and judged else ThroughputLimit.UNKNOWN


def early_ends(targets: Sequence[SpecTarget], pods: _PodSpecs) -> Iterator[EarlyEnd]:
    """Yield each spec that kperf ended early (request/schedule.go)."""
    if not pods or any(len(specs) != len(targets) for specs in pods):
        return
    for index, target in enumerate(targets):
        planned, clients, rate = target.duration_seconds, target.clients, target.rate
        if planned is None or clients is None or rate is None:
            continue
        seconds = min(specs[index].duration_seconds for specs in pods)
        lost = planned - seconds
        # It ends at most so much early; what is lost beyond that has another cause.
        if lost > planned * (1 - TARGET_REACHED_SHARE) and lost <= (clients + 1) / rate:
            yield EarlyEnd(
                spec=index,
                only_spec=len(targets) == 1,
                seconds=seconds,
                planned_seconds=planned,
                clients=clients,
                rate=rate,
            )


def _first_rate_limit(
    targets: Sequence[SpecTarget], pods: _PodSpecs, held_back: Collection[int]
) -> ThroughputLimit:
    """Return PROFILE when the first spec's limiters set the pace, RATE when they did not."""
    if not held_back:
        return ThroughputLimit.RATE
    by_spec = {i: [(targets[i], specs[i]) for specs in pods] for i in held_back}
    pairs = [pair for of_spec in by_spec.values() for pair in of_spec]
    if any(figures.requests is None for _, figures in pairs):
        return ThroughputLimit.UNKNOWN
    if all(reached_share(of_spec)[1] < TARGET_REACHED_SHARE for of_spec in by_spec.values()):
        return ThroughputLimit.RATE
    seconds = math.fsum(sending_seconds(*pair)[1] for pair in pairs)
    long_enough = seconds >= MIN_SECONDS * len(pods)
    if long_enough and reached_share(pairs)[0] >= TARGET_REACHED_SHARE:
        return ThroughputLimit.PROFILE
    return ThroughputLimit.UNKNOWN


def _first_rate_pace(
    targets: Sequence[SpecTarget],
    pods: _PodSpecs,
    held_back: Collection[int],
    limit: ThroughputLimit,
) -> SpecPace:
    pairs = [(targets[i], specs[i]) for specs in pods for i in held_back]
    seconds = math.fsum(figures.duration_seconds for _, figures in pairs)
    requests = sum(figures.requests or 0 for _, figures in pairs)
    wanted = None
    if all(target.rate is not None for target, _ in pairs) and seconds:
        wanted = math.fsum((t.rate or 0.0) * f.duration_seconds for t, f in pairs) / seconds
    return SpecPace(
        specs=tuple(held_back),
        only_spec=len(targets) == 1,
        limit=limit,
        maybe_first_rate=limit is ThroughputLimit.UNKNOWN,
        requests_per_second=requests / seconds * len(pods) if seconds else 0.0,
        target_per_second=None if wanted is None else wanted * len(pods),
        clients=None,
        clients_busy=None,
        latency_seconds=None,
        seconds=seconds,
        pods=len(pods),
    )


def _spec_pace(index: int, targets: Sequence[SpecTarget], pods: _PodSpecs) -> SpecPace:
    target = targets[index]
    pairs = [(target, specs[index]) for specs in pods]
    seconds = math.fsum(figures.duration_seconds for _, figures in pairs)
    requests = sum(figures.requests or 0 for _, figures in pairs)
    busy = None
    if all(figures.busy_seconds is not None for _, figures in pairs):
        busy = math.fsum(figures.busy_seconds or 0.0 for _, figures in pairs)
    limit, missed = _limit(target, pairs)
    few_clients = (
        limit is ThroughputLimit.ANSWERS
        and target.rate is not None
        and (target.clients or 1) / target.rate < _FASTEST_ANSWER_SECONDS
    )
    clients_seconds = (target.clients or 0) * seconds
    return SpecPace(
        specs=(index,),
        only_spec=len(targets) == 1,
        limit=ThroughputLimit.PROFILE if few_clients else limit,
        missed=missed,
        few_clients=few_clients,
        requests_per_second=math.fsum(
            (figures.requests or 0) / figures.duration_seconds
            for _, figures in pairs
            if figures.duration_ns
        ),
        target_per_second=None if target.rate is None else target.rate * len(pods),
        clients=target.clients,
        clients_busy=busy / clients_seconds if busy is not None and clients_seconds else None,
        latency_seconds=busy / requests if busy is not None and requests else None,
        seconds=seconds,
        pods=len(pods),
    )


def _limit(target: SpecTarget, pairs: _Pairs) -> tuple[ThroughputLimit, bool]:
    """Return what limited a spec over its pods, and whether the rate was missed for certain."""
    paces = [judge_pace(*pair) for pair in pairs]
    long_enough = [
        (pair, pace)
        for pair, pace in zip(pairs, paces, strict=True)
        if pair[1].requests and sending_seconds(*pair)[1] >= MIN_SECONDS
    ]
    if len(long_enough) * 2 <= len(pairs):
        return ThroughputLimit.UNKNOWN, False
    if target.effective_rate is None:
        return _by_most([pace.limit for pace in paces]), False
    least, most = reached_share([pair for pair, _ in long_enough])
    if least >= TARGET_REACHED_SHARE:
        return ThroughputLimit.RATE, False
    if most >= TARGET_REACHED_SHARE:
        return ThroughputLimit.UNKNOWN, False
    return _by_lost_time(long_enough), True


def _by_most(limits: Sequence[ThroughputLimit]) -> ThroughputLimit:
    for limit in (ThroughputLimit.ANSWERS, ThroughputLimit.RUNNERS):
        if limits.count(limit) * 2 > len(limits):
            return limit
    return ThroughputLimit.UNKNOWN


def _by_lost_time(
    judged: Sequence[tuple[tuple[SpecTarget, SpecFigures], Pace]],
) -> ThroughputLimit:
    """Return the cause of more than half of all the time that the limiters waited."""
    possible = 0.0
    for (target, figures), _ in judged:
        needed = ((figures.requests or 1) - 1) / (target.effective_rate or math.inf)
        possible += max(sending_seconds(target, figures)[1] - needed, 0.0)
    for limit in (ThroughputLimit.ANSWERS, ThroughputLimit.RUNNERS):
        certain = math.fsum(pace.lost_seconds[0] for _, pace in judged if pace.limit is limit)
        if certain * 2 > possible:
            return limit
    return ThroughputLimit.UNKNOWN
