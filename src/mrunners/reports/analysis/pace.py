"""Judge what set the pace of one spec of a load profile in one pod, where its figures can tell.

kperf is a closed loop with a rate limiter (request/schedule.go): each of a pod's `client`
goroutines takes a request, waits for the limiter, sends, and waits for the answer before it takes
the next one. The limiter has one token, so requests that were not sent in time are never made up
for.

A report has the duration D until the last *answer*, and all latencies, but not when the last
request was *sent*. That was at most the longest latency before the end, at least the shortest one,
and not before the limiter let it pass: n requests at r per second take (n - 1) / r. The rate is
judged by this window, and only where its whole width gives one result. So a load whose last answers
take long is not called slow.

Where the rate was missed, the limiter waited for the clients for a *lost time*: the window less
(n - 1) / r. Each client was waiting for an answer then, or busy with itself, because its pod or
node was slow. All answers together took B client-seconds (by Little's law, Operations Research 9,
1961, B / D is the mean number of requests in flight), and `client` * D - B were spent otherwise.

- Even if all of B had been in the lost time, at least half of that is left: the runners.
- Even if all the rest had been in the lost time, it is at most half of that: the answers.
- Otherwise both could be the cause, as when a server stalls for a while, and it is not guessed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import Field

from mrunners.records import Record
from mrunners.reports.samples import SpecFigures

__all__ = [
    "MIN_SECONDS",
    "TARGET_REACHED_SHARE",
    "Pace",
    "SpecTarget",
    "ThroughputLimit",
    "judge_pace",
    "reached_share",
    "sending_seconds",
]

# kperf's limiter lets the first request pass at once, and a runner's start takes a moment.
TARGET_REACHED_SHARE: Final = 0.95
# kperf opens its connections and fills its caches first; within 5 s that is below 5%.
MIN_SECONDS: Final = 5.0
# At least this share of the lost time needs a cause before it is named.
_DECISIVE_SHARE: Final = 0.5
# Without a rate all time is lost time, and a client also chooses, builds and decodes.
_CLIENTS_BUSY_SHARE: Final = 0.8


class ThroughputLimit(StrEnum):
    """What limited the rate of a Job's pods."""

    RATE = "rate"
    """The target was reached: the load profile was the limit, as it should be."""
    PROFILE = "profile"
    """kperf itself held the requests back, as the load profile made it: known before the start."""
    ANSWERS = "answers"
    """The clients were waiting for answers: the server, or too few clients."""
    RUNNERS = "runners"
    """The clients were not waiting and the target was not reached: the runners or their nodes."""
    START_SKEW = "start-skew"
    """Each pod reached its rate, but the pods did not run at the same time."""
    UNKNOWN = "unknown"
    """The figures are not there, the load was too short, or they allow several causes."""


class SpecTarget(Record):
    """What one spec of the load profile sets for each pod.

    Attributes:
        rate: Requests per second; None without a limit.
        clients: Maximum number of requests in flight; None when it is unknown.
        duration_seconds: How long it sends; None when a total decides.
        ceiling: The most requests per second that the first spec's limiters let through; None when
            they do not hold this spec back.
    """

    rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    clients: int | None = Field(default=None, ge=1)
    duration_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    ceiling: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @property
    def effective_rate(self) -> float | None:
        """The rate that kperf can reach if the server answers at once; None without a limit."""
        return self.rate if self.ceiling is None else self.ceiling


@dataclass(frozen=True, slots=True)
class Pace:
    """What set the pace of one spec in one pod.

    Attributes:
        limit: RATE, ANSWERS, RUNNERS, or UNKNOWN.
        missed: Whether the target rate was missed for certain.
        lost_seconds: The least and the most time that the limiter may have waited for the clients.
    """

    limit: ThroughputLimit
    missed: bool = False
    lost_seconds: tuple[float, float] = (0.0, 0.0)


_UNKNOWN = Pace(ThroughputLimit.UNKNOWN)


def sending_seconds(target: SpecTarget, figures: SpecFigures) -> tuple[float, float]:
    """Return the least and the most time from a spec's start until its last request was sent."""
    duration = figures.duration_seconds
    most = duration - (figures.shortest_seconds or 0.0)
    if target.duration_seconds is not None:
        most = min(most, target.duration_seconds)
    least = 0.0
    if figures.longest_seconds is not None:
        least = duration - figures.longest_seconds
    if figures.requests and target.rate:
        least = max(least, (figures.requests - 1) / target.rate)
    # Clocks and the two ways of measuring differ by microseconds.
    return max(min(least, most), 0.0), max(most, 0.0)


def judge_pace(target: SpecTarget, figures: SpecFigures) -> Pace:
    """Judge one spec of one pod, without the first spec's limiters: `target.ceiling` is its rate.

    Nothing is concluded from a load of less than 5 s, nor about the cause of a miss from fewer
    requests than clients: no client had to wait for an answer before it could send.
    """
    least, most = sending_seconds(target, figures)
    requests, rate = figures.requests, target.effective_rate
    if not requests or most < MIN_SECONDS:
        return _UNKNOWN
    if rate is None:
        return _without_rate(target, figures, least)
    needed = (requests - 1) / rate
    if needed >= most * TARGET_REACHED_SHARE:
        return Pace(ThroughputLimit.RATE)
    if needed >= least * TARGET_REACHED_SHARE:
        return _UNKNOWN
    lost = (least - needed, most - needed)
    return Pace(_cause(target, figures, lost[0]), missed=True, lost_seconds=lost)


def _cause(target: SpecTarget, figures: SpecFigures, lost_seconds: float) -> ThroughputLimit:
    clients, busy = target.clients, figures.busy_seconds
    if clients is None or busy is None or (figures.requests or 0) < clients:
        return ThroughputLimit.UNKNOWN
    lost = clients * lost_seconds
    if busy <= lost * (1 - _DECISIVE_SHARE):
        return ThroughputLimit.RUNNERS
    if clients * figures.duration_seconds - busy <= lost * _DECISIVE_SHARE:
        return ThroughputLimit.ANSWERS
    return ThroughputLimit.UNKNOWN


def _without_rate(target: SpecTarget, figures: SpecFigures, least: float) -> Pace:
    clients, busy = target.clients, figures.busy_seconds
    if clients is None or busy is None or (figures.requests or 0) < clients or least <= 0:
        return _UNKNOWN
    # After the last request was sent, clients have nothing to do: that time is not the runners'.
    idle = clients * figures.duration_seconds - busy
    if 1 - idle / (clients * least) >= _CLIENTS_BUSY_SHARE:
        return Pace(ThroughputLimit.ANSWERS)
    if busy <= clients * least * (1 - _DECISIVE_SHARE):
        return Pace(ThroughputLimit.RUNNERS)
    return _UNKNOWN


def reached_share(pairs: Sequence[tuple[SpecTarget, SpecFigures]]) -> tuple[float, float]:
    """Return the least and the most share of their rates that several specs reached together."""
    sent = math.fsum((figures.requests or 1) - 1 for _, figures in pairs)
    slowest = fastest = 0.0
    for target, figures in pairs:
        least, most = sending_seconds(target, figures)
        slowest += (target.effective_rate or 0.0) * most
        fastest += (target.effective_rate or 0.0) * least
    return sent / slowest if slowest else 0.0, sent / fastest if fastest else math.inf
