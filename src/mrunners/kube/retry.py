"""Retries requests to the API server, and reports an outage when it begins and when it ends.

A request that fails for a transient reason is sent again after a pause, which grows and is spread
at random. How long that goes on depends on what is known of the server: 15 seconds until it has
answered once, because the address may be wrong, and 10 minutes after that, because a cluster under
load may take that long to recover. A caller can set a lower limit for what may never come back,
such as a log on a lost node. A caller whose own time ends earlier says so by `request_deadline`,
which holds for all requests that it sends meanwhile.

A 403 is final, except right after an outage: a restarted API server answers 403 until its caches
are warm.

Because an answer can be lost after the server did the work, any request may be carried out twice.
Only idempotent ones are sent: a create fails with 409 the second time, and a patch or delete names
the UID of its object.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from mrunners.durations import format_duration
from mrunners.errors import UnreachableError

__all__ = ["FailureKind", "RequestFailure", "RetryPolicy", "request_deadline", "seconds_left"]

T = TypeVar("T")

FIRST_CONTACT_SECONDS = 15.0
OUTAGE_SECONDS = 600.0

# After a restart an API server answers 403 to an authorized user for about 50 ms (measured).
FALSE_403_SECONDS = 3.0

# How long after the first success another thread may still get such a 403, sent beside it.
BESIDE_SECONDS = 1.0

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0

# A server under load may ask for more than our own longest pause, but not for an hour.
LONGEST_RETRY_AFTER_SECONDS = 30.0

# A busy server says 429 now and then, and a second later does what it was asked for.
THROTTLED_SECONDS = 10.0


# Until when requests may take, by which clock. Of one thread: others share the client.
_deadline: ContextVar[tuple[float, Callable[[], float]] | None] = ContextVar(
    "mrunners_request_deadline", default=None
)


@contextmanager
def request_deadline(at: float, monotonic: Callable[[], float]) -> Iterator[None]:
    """Let no request of this thread outlast the caller's own deadline while the block runs.

    Args:
        at: The time at which the caller gives up.
        monotonic: The clock of that time.
    """
    token = _deadline.set((at, monotonic))
    try:
        yield
    finally:
        _deadline.reset(token)


def seconds_left() -> float | None:
    """Return how long the caller can still wait for an answer; None without a deadline."""
    deadline = _deadline.get()
    if deadline is None:
        return None
    at, monotonic = deadline
    return max(at - monotonic(), 0.0)


class FailureKind(Enum):
    """Whether a retry can help."""

    TRANSIENT = "transient"
    """No connection, a reset, a timeout, 429, 500, 502, 503 or 504."""

    FORBIDDEN = "forbidden"
    """A 403, which is transient only right after an outage."""

    PERMANENT = "permanent"
    """Anything else: the same request would fail again."""


class NotSentError(UnreachableError):
    """The time was up before a request could be sent at all, because of others of this process."""


class RequestFailure(Exception):  # noqa: N818 - one attempt's failure; `error` is the error
    """The failure of one attempt.

    Attributes:
        kind: Whether to try again.
        error: What to raise when no attempt is left.
        retry_after_seconds: The pause that the server asked for; None when it asked for none.
        throttled: Whether the server is there, and asks for fewer requests.
    """

    def __init__(
        self,
        kind: FailureKind,
        error: Exception,
        retry_after_seconds: float | None = None,
        *,
        throttled: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.kind = kind
        self.error = error
        self.retry_after_seconds = retry_after_seconds
        self.throttled = throttled


@dataclass
class RetryPolicy:
    """Decides what to retry, for all requests of one command to one API server, of any thread.

    Attributes:
        monotonic: Returns seconds that never go back.
        sleep: Waits for that many seconds.
        warn: Shows the user one line when an outage begins and one when it ends.
        first_contact_seconds: How long to retry before the server has answered once.
        outage_seconds: How long to retry after that.
        random: The source of the jitter.
    """

    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    warn: Callable[[str], None]
    first_contact_seconds: float = FIRST_CONTACT_SECONDS
    outage_seconds: float = OUTAGE_SECONDS
    random: random.Random = field(default_factory=random.Random)
    # Whether any request has succeeded.
    _contacted: bool = False
    # Whether a request has failed for a transient reason since the last success.
    _recovering: bool = False
    # When the first request succeeded after such a failure.
    _recovered_at: float = -math.inf
    # When the outage began that the user was warned of.
    _outage_since: float | None = None
    # When the first of the 403s came that followed a transient failure.
    _forbidden_since: float | None = None
    # Held while what is known of the server is changed.
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def call(self, attempt: Callable[[], T], *, limit_seconds: float | None = None) -> T:
        """Call until it succeeds or should not be retried.

        Args:
            attempt: Sends one request; raises RequestFailure when it fails.
            limit_seconds: A lower limit than usual, for what may never come back.

        Raises:
            Exception: The `error` of the last RequestFailure.
        """
        began = self.monotonic()
        pause = FIRST_PAUSE_SECONDS
        answered: RequestFailure | None = None  # the last one that was sent
        throttled_since: float | None = None
        reported = False
        while True:
            try:
                result = attempt()
            except RequestFailure as failure:
                now = self.monotonic()
                with self._lock:
                    retry = self._should_retry(failure, now, now - began, limit_seconds)
                    if not retry and limit_seconds is not None:
                        self._outage_since = None  # this one object failed, not the API server
                if not isinstance(failure.error, NotSentError):
                    answered = failure
                if not retry:
                    last = answered or failure
                    raise last.error from last
                if failure.throttled and throttled_since is None:
                    throttled_since = now
                # Others may succeed beside one that does not: say of each only once that it fails.
                if not reported and not (
                    failure.throttled and now - (throttled_since or now) < THROTTLED_SECONDS
                ):
                    reported = self._report_outage(failure, began, limit_seconds)
                if failure.kind is FailureKind.FORBIDDEN:
                    pause = FIRST_PAUSE_SECONDS
                # Jitter keeps many commands from coming back at the same instant.
                wait = self.random.uniform(pause / 2, pause)
                if failure.retry_after_seconds is not None:
                    wait = max(wait, min(failure.retry_after_seconds, LONGEST_RETRY_AFTER_SECONDS))
                left = seconds_left()
                self.sleep(wait if left is None else min(wait, left))
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                self._record_success(self.monotonic())
                return result

    def _should_retry(
        self, failure: RequestFailure, now: float, elapsed: float, limit_seconds: float | None
    ) -> bool:
        if failure.kind is FailureKind.PERMANENT:
            return False
        if failure.kind is FailureKind.FORBIDDEN:
            if self._forbidden_since is None:
                self._forbidden_since = now
            recovering = self._recovering or now - self._recovered_at < BESIDE_SECONDS
            return recovering and now - self._forbidden_since < FALSE_403_SECONDS
        self._recovering, self._forbidden_since = True, None
        return elapsed < self._limit(limit_seconds) and seconds_left() != 0

    def _limit(self, limit_seconds: float | None) -> float:
        usual = self.outage_seconds if self._contacted else self.first_contact_seconds
        return usual if limit_seconds is None else min(usual, limit_seconds)

    def _report_outage(
        self, failure: RequestFailure, began: float, limit_seconds: float | None
    ) -> bool:
        """Say that an outage has begun, unless that was said; return whether it was said now."""
        with self._lock:
            if self._outage_since is not None or failure.kind is not FailureKind.TRANSIENT:
                return False
            self._outage_since = began
            usual = self._limit(limit_seconds)
        left = seconds_left()
        limit = format_duration(usual if left is None else min(usual, left))
        self.warn(f"{failure}; retrying for up to {limit}")
        return True

    def _record_success(self, now: float) -> None:
        with self._lock:
            if self._recovering:
                self._recovered_at = now
            self._contacted, self._recovering, self._forbidden_since = True, False, None
            began, self._outage_since = self._outage_since, None
        if began is not None:
            self.warn(f"the API server is back after {format_duration(now - began)}")
