"""kperf's client as a small discrete-event simulation: what a pod with a profile would report.

It follows kperf's sources (request/schedule.go, commands/runner/runner.go, client-go's limiter)
and not the code under test. A client takes a request, prepares it on the pod's one CPU, waits for
the spec's limiter, sends, waits for its connection's limiter, and then for the server. The time
from sending to the answer is the latency. A spec with a duration ends for good when a client would
have to wait for the limiter past its end.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.factories.reports import Json, flat, multi

__all__ = ["Answer", "SimulatedSpec", "SpecRun", "report_of", "simulate"]

# When a request reaches the server, and its number -> how long the server takes for it.
Answer = Callable[[float, int], float]

_CONNECTION_BURST = 10
_URL = "GET https://api/api/v1/namespaces/load/configmaps/x"


@dataclass(frozen=True)
class SimulatedSpec:
    """A spec of a load profile, with kperf's names; 0 is no rate, no total or no duration."""

    rate: float = 0
    total: int = 0
    duration: float = 0
    client: int = 1


@dataclass
class SpecRun:
    """What one spec did.

    Attributes:
        latencies: In the order of the answers.
        sent: When each request was sent, from the spec's start.
        duration: From the start to the last answer.
        own_wait: How much of all latencies was the connections' limiters.
    """

    latencies: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    duration: float = 0
    own_wait: float = 0


class _Limiter:
    """golang.org/x/time/rate: a request may pass when its token is there; `burst` are saved up."""

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._saved = (burst - 1) * self._interval
        self._next = -math.inf

    def when(self, now: float) -> float:
        """Return when a request that asks now may pass."""
        return max(now, self._next - self._saved)

    def take(self, now: float) -> float:
        """Take the token, and return when its request may pass."""
        passes = self.when(now)
        self._next = max(self._next, now) + self._interval
        return passes


def simulate(
    specs: Sequence[SimulatedSpec], answer: Answer, *, conns: int = 1, prepare_seconds: float = 0.0
) -> list[SpecRun]:
    """Run the specs one after the other, as one pod does.

    Args:
        specs: In order; the first one's rate limits each connection in all of them.
        answer: The server.
        conns: The first spec's `conns`.
        prepare_seconds: The CPU time that the pod needs before it can send a request.
    """
    connections = [_Limiter(specs[0].rate, _CONNECTION_BURST) for _ in range(conns)]
    runs: list[SpecRun] = []
    start = 0.0
    for spec in specs:
        run = _simulate_spec(spec, answer, connections, prepare_seconds, start)
        start += run.duration
        runs.append(run)
    return runs


def _simulate_spec(
    spec: SimulatedSpec,
    answer: Answer,
    connections: Sequence[_Limiter],
    prepare_seconds: float,
    start: float,
) -> SpecRun:
    run, limiter = SpecRun(), _Limiter(spec.rate, 1)
    end = start + spec.duration if spec.duration else math.inf
    # (time, order, client, whether it sends now): a client is idle, or waits for the limiter.
    events = [(start, client, client, False) for client in range(spec.client)]
    heapq.heapify(events)
    order, taken, cpu_free, last = spec.client, 0, start, start
    while events:
        now, _, client, sends = heapq.heappop(events)
        if now >= end:
            break
        if not sends:
            if spec.total and taken == spec.total:
                continue
            prepared = max(now, cpu_free) + prepare_seconds
            cpu_free = prepared
            if limiter.when(prepared) > end:
                # The limiter refuses the wait, and kperf cancels those of all other clients.
                end = min(end, prepared)
                continue
            taken += 1
            order += 1
            heapq.heappush(events, (limiter.take(prepared), order, client, True))
            continue
        passes = connections[client % len(connections)].take(now)
        answered = passes + answer(passes, len(run.sent))
        run.sent.append(now - start)
        run.latencies.append(answered - now)
        run.own_wait += passes - now
        last = max(last, answered)
        order += 1
        heapq.heappush(events, (answered, order, client, False))
    run.duration = last - start
    return run


def report_of(specs: Sequence[SimulatedSpec], runs: Sequence[SpecRun]) -> Json:
    """Return what kperf would print."""
    documents = [
        _flat(run.latencies, spec.total, round(run.duration * 1e9))
        for spec, run in zip(specs, runs, strict=True)
    ]
    latencies = [latency for run in runs for latency in run.latencies]
    nanoseconds = sum(round(run.duration * 1e9) for run in runs)
    total = sum(spec.total for spec in specs)
    return multi(*documents, aggregated=_flat(latencies, total, nanoseconds))


def _flat(latencies: list[float], total: int, nanoseconds: int) -> Json:
    by_url = {_URL: latencies} if latencies else {}
    return flat(by_url, total=total, duration=f"{nanoseconds}ns", received=0)
