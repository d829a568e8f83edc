"""How long a command bears an API server that does not answer well, and what it says meanwhile.

It must not know HTTP libraries: what went wrong comes as a `RequestFailure`, and time is passed in.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from mrunners.durations import format_duration

__all__ = ["FailureKind", "RequestFailure", "RetryPolicy"]

T = TypeVar("T")

# A wrong address should be told soon; a cluster under our own load deserves more.
FIRST_CONTACT_SECONDS = 15.0
OUTAGE_SECONDS = 600.0

# After a restart an API server answers 403 to an authorised user for about 50 ms, until its
# caches are warm (measured); a 403 that stays longer is meant.
FALSE_403_SECONDS = 3.0

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0


class FailureKind(Enum):
    """Whether failure may pass by itself."""

    TRANSIENT = "passing"
    """No connection, a reset, a timeout, 429, 500, 502, 503, 504."""

    FORBIDDEN = "forbidden"
    """A 403, which passes only right after an outage."""

    PERMANENT = "lasting"
    """Anything else: repeating cannot mend it."""


class RequestFailure(Exception):  # noqa: N818 - it is not an error yet; `error` is what it becomes
    """One failed attempt.

    Attributes:
        kind: whether to try again.
        error: what to raise when patience ends.
        retry_after_seconds: what the server info for; None when it did not.
    """

    def __init__(
        self, kind: FailureKind, error: Exception, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(str(error))
        self.kind = kind
        self.error = error
        self.retry_after_seconds = retry_after_seconds


@dataclass
class RetryPolicy:
    """Retries attempts of one command against one API server.

    Attributes:
        monotonic: seconds that never go back.
        sleep: waits that many seconds.
        warn: tells the user when an outage begins and when it ends.
        first_contact_seconds: until the first success.
        outage_seconds: after it.
    """

    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    warn: Callable[[str], None]
    first_contact_seconds: float = FIRST_CONTACT_SECONDS
    outage_seconds: float = OUTAGE_SECONDS
    random: random.Random = field(default_factory=random.Random)
    _ever_answered: bool = False
    _outage_since: float | None = None
    _after_outage: bool = False
    _forbidden_since: float | None = None

    def call(self, attempt: Callable[[], T], *, limit_seconds: float | None = None) -> T:
        """Call until it succeeds or patience ends.

        Args:
            attempt: one request; raises RequestFailure when it fails.
            limit_seconds: less patience than usual, for what may be missing for good.
        Raises: the `error` of the last RequestFailure.
        """
        began = self.monotonic()
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                result = attempt()
            except RequestFailure as failure:
                now = self.monotonic()
                if not self._may_pass(failure, now, now - began, limit_seconds):
                    if limit_seconds is not None:
                        self._outage_since = None  # what stays away is not the API server
                    raise failure.error from failure
                self._tell_outage(failure, began, limit_seconds)
                # Jitter, so that many commands do not come back at the same instant.
                if failure.kind is FailureKind.FORBIDDEN:
                    pause = FIRST_PAUSE_SECONDS
                wait = self.random.uniform(pause / 2, pause)
                if failure.retry_after_seconds is not None:
                    wait = max(wait, min(failure.retry_after_seconds, LONGEST_PAUSE_SECONDS * 3))
                self.sleep(wait)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                self._succeeded(self.monotonic())
                return result

    def _may_pass(
        self, failure: RequestFailure, now: float, elapsed: float, limit_seconds: float | None
    ) -> bool:
        if failure.kind is FailureKind.PERMANENT:
            return False
        if failure.kind is FailureKind.FORBIDDEN:
            if self._forbidden_since is None:
                self._forbidden_since = now
            return self._after_outage and now - self._forbidden_since < FALSE_403_SECONDS
        self._after_outage, self._forbidden_since = True, None
        return elapsed < self._limit(limit_seconds)

    def _limit(self, limit_seconds: float | None) -> float:
        usual = self.outage_seconds if self._ever_answered else self.first_contact_seconds
        return usual if limit_seconds is None else min(usual, limit_seconds)

    def _tell_outage(
        self, failure: RequestFailure, began: float, limit_seconds: float | None
    ) -> None:
        if self._outage_since is None and failure.kind is FailureKind.TRANSIENT:
            self._outage_since = began
            limit = format_duration(self._limit(limit_seconds))
            self.warn(f"{failure}; trying again for up to {limit}")

    def _succeeded(self, now: float) -> None:
        self._ever_answered, self._after_outage, self._forbidden_since = True, False, None
        if self._outage_since is not None:
            elapsed, self._outage_since = now - self._outage_since, None
            self.warn(f"the API server answers again after {format_duration(elapsed)}")
