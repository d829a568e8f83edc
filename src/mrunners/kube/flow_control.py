"""Limits what is sent, how many requests at once and how many per second, and counts it.

An API server whose Priority and Fairness queues are full answers 429. Then half as many requests
are sent at once, and with every round of successes one more again, as TCP does. The requests that
were refused are sent again by `mrunners.kube.retry`, after the time that the server asked for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from mrunners.kube.retry import FailureKind, NotSentError, RequestFailure, seconds_left
from mrunners.reports.traffic import Traffic, VerbTraffic

__all__ = ["AT_ONCE", "FlowControl", "TrafficCounter", "Turn", "flow_control_of"]

# Jobs are created on several threads, and a flow collects logs on a few; each needs a connection of
# its own.
AT_ONCE = 16


@dataclass(slots=True)
class Turn:
    """One request that may be sent now.

    Attributes:
        throttled: To be set by the sender: whether the answer was 429; None while there is none.
    """

    throttled: bool | None = None


class FlowControl:
    """What the threads of one client share; each request takes a turn, retries too."""

    def __init__(
        self,
        at_once: int,
        per_second: float | None,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        """Allow so much.

        Args:
            at_once: How many requests may be in flight at most.
            per_second: How many may begin per second, evenly spaced; None sets no limit.
            monotonic: Returns seconds that never go back.
            sleep: Sleeps that many seconds.
        """
        self._most, self._limit = at_once, float(at_once)
        self._interval = None if per_second is None else 1 / per_second
        self._monotonic, self._sleep = monotonic, sleep
        self._changed = threading.Condition()
        self._active, self._reductions = 0, 0
        self._next_at = monotonic()

    @property
    def at_once(self) -> int:
        """How many requests may be in flight now."""
        return int(self._limit)

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Wait until one more request may be sent; it is in flight while the block runs.

        Raises:
            RequestFailure: The caller's time would be up before its turn, and nothing was sent.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._active < self.at_once, seconds_left()):
                raise _not_sent("other requests of this process are still not answered")
            wait, left = self._wait_seconds(), seconds_left()
            if left is not None and wait > left:
                raise _not_sent("the requests per second of this process are used up")
            self._active += 1
            self._reserve(wait)
            reductions = self._reductions
        turn = Turn()
        try:
            if wait > 0:
                self._sleep(wait)
            yield turn
        finally:
            with self._changed:
                self._active -= 1
                if turn.throttled is False:
                    self._limit = min(self._limit + 1 / self._limit, self._most)
                elif turn.throttled and reductions == self._reductions:
                    # Those that were in flight together are refused together, and count once.
                    self._limit, self._reductions = max(self._limit / 2, 1.0), reductions + 1
                self._changed.notify_all()

    def _wait_seconds(self) -> float:
        """Return how many seconds the next place in time is away."""
        return 0.0 if self._interval is None else max(self._next_at - self._monotonic(), 0.0)

    def _reserve(self, wait: float) -> None:
        """Take the place that is so far away."""
        if self._interval is not None:
            self._next_at = self._monotonic() + wait + self._interval


def _not_sent(reason: str) -> RequestFailure:
    return RequestFailure(FailureKind.TRANSIENT, NotSentError(reason))


@lru_cache(maxsize=64)
def flow_control_of(server: str, per_second: float | None) -> FlowControl:  # noqa: ARG001 - a key
    """Return the one of this process for an API server, whichever client asks.

    A command makes one client and its flow another, and a worker runs several flows at once: a
    budget must hold for all of them together that are given it.

    Args:
        server: Its URL.
        per_second: How many requests may begin per second; None sets no limit.
    """
    return FlowControl(AT_ONCE, per_second, monotonic=time.monotonic, sleep=time.sleep)


class TrafficCounter:
    """Counts what one client sends and receives, by verb, from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._received: dict[str, int] = {}

    def sending(self, verb: str, count: int) -> None:
        """Count a request with so many bytes in its body."""
        with self._lock:
            self._requests[verb] = self._requests.get(verb, 0) + 1
            self._sent[verb] = self._sent.get(verb, 0) + count

    def received(self, verb: str, count: int) -> None:
        """Count so many bytes of an answer's body."""
        with self._lock:
            self._received[verb] = self._received.get(verb, 0) + count

    @property
    def traffic(self) -> Traffic:
        """All of it so far."""
        with self._lock:
            return {
                verb: VerbTraffic(
                    requests=requests,
                    sent_bytes=self._sent[verb],
                    received_bytes=self._received.get(verb, 0),
                )
                for verb, requests in self._requests.items()
            }
