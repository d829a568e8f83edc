"""Tells how far a run is and how long it still takes, in the words of every log and terminal.

How long the load takes is known from the profiles, and when it began from the pods.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from mrunners.durations import format_duration
from mrunners.formatting import counted
from mrunners.status.run_state import JobPhase, JobState, RunState

__all__ = ["TimeLeft", "progress_texts", "time_left"]

# Pods take seconds to end, and the last answers are waited for.
_GRACE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """How long the load of a run still takes, if the API server keeps up with it.

    Attributes:
        seconds: Negative when the load takes longer than its profile says.
        expected_seconds: How long the load takes from its pods' start on.
        waiting: Whether pods have not started, so that the time does not run yet.
    """

    seconds: float
    expected_seconds: float
    waiting: bool = False

    @property
    def share(self) -> float:
        """How much of the load is done, from 0 to 1."""
        if self.waiting or not self.expected_seconds:
            return 0.0
        return min(max(1 - self.seconds / self.expected_seconds, 0.0), 1.0)

    def after(self, seconds: float) -> TimeLeft:
        """Return what is left so many seconds later."""
        return self if self.waiting else replace(self, seconds=self.seconds - seconds)

    def __str__(self) -> str:
        if self.waiting:
            return f"{_about(self.seconds)} once all pods run"
        if self.seconds > 0:
            return f"{_about(self.seconds)} left"
        if self.seconds > -_GRACE_SECONDS:
            return "finishing"
        return f"{_about(-self.seconds)} longer than the profile says"


def time_left(state: RunState, now: datetime, start_at: datetime | None = None) -> TimeLeft | None:
    """Return how long the load of a run still takes.

    Args:
        state: The run, with what its pods showed when they were last read.
        now: The time by the API server's clock.
        start_at: When all pods begin their load together; None when each begins at once.

    Returns:
        That of the pod that loads the longest; None when nothing is left to load, when a profile
        does not say how long it takes, or when a Job is suspended.
    """
    left = [_of_job(job, now, start_at) for job in state.unfinished if _loads(job)]
    known = [time for time in left if time is not None]
    if not known or len(known) < len(left):
        return None
    return max(known, key=lambda time: time.seconds)


def progress_texts(state: RunState, reports: int, left: TimeLeft | None) -> tuple[str, str, str]:
    """Return how far a run is, in one line: in full, shorter, and as short as possible.

    Args:
        state: The run.
        reports: How many reports have been fetched.
        left: How long the load still takes; None when it is not known.
    """
    # A report proves that its pod has ended; its Job's status says so a little later.
    count = max(state.ended, reports)
    ended, planned = f"{count:,}", f"{state.pod_count:,}"
    end = [_end(state, reports, left)] if _end(state, reports, left) else []
    given_up = sum(len(job.given_up) for job in state.jobs)
    facts = [
        f"{ended} of {planned} pods ended",
        *_some(min(state.running, state.pod_count - count), "running"),
        *_some(state.unstarted, "starting"),
        *_some(given_up, "given up"),
        *([f"{counted(len(state.missing), 'Job')} not created"] if state.missing else []),
        counted(reports, "report"),
    ]
    return (
        ", ".join((*facts, *end)),
        ", ".join((facts[0], *end)),
        ", ".join((f"{ended}/{planned} pods", *end)),
    )


def _end(state: RunState, reports: int, left: TimeLeft | None) -> str:
    if not (state.running or state.unstarted or state.missing):
        return "" if reports >= state.pod_count else "collecting reports"
    return "" if left is None else str(left)


def _some(count: int, word: str) -> Iterable[str]:
    return [f"{count:,} {word}"] if count else []


def _loads(job: JobState) -> bool:
    """Whether a pod of an unfinished Job has load to send."""
    return job.phase is JobPhase.MISSING or bool(job.running or job.unstarted)


def _of_job(job: JobState, now: datetime, start_at: datetime | None) -> TimeLeft | None:
    expected = job.planned.expected_seconds
    if expected is None or job.phase is JobPhase.SUSPENDED:
        return None
    if job.phase is JobPhase.MISSING or job.unstarted:
        return TimeLeft(expected, expected, waiting=True)
    # Pods whose start was not read yet have just started.
    started = job.pods.last_start or now
    if start_at is not None:
        started = max(started, start_at)
    return TimeLeft((started + timedelta(seconds=expected) - now).total_seconds(), expected)


def _about(seconds: float) -> str:
    """Return `about 4m10s`, rounded up so that it stays true for a moment."""
    step = 1 if seconds <= 10 else 5 if seconds <= 60 else 10 if seconds <= 600 else 60
    return f"about {format_duration(math.ceil(seconds / step) * step)}"
