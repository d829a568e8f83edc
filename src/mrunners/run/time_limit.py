"""Lets the timeout of a wait count from before the run is looked up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mrunners.durations import format_duration
from mrunners.errors import NextStep, UnreachableError, WaitTimeoutError
from mrunners.kube.retry import request_deadline
from mrunners.refs import RunRef

__all__ = ["looking_up"]


@contextmanager
def looking_up(
    namespace: str,
    tracker: str | None,
    timeout_seconds: float | None,
    *,
    waited_seconds: float = 0.0,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[], float]]:
    """Connect to a cluster and look up a run within the timeout of the wait that follows.

    Args:
        namespace: Where the run is looked up; empty stands for the context's.
        tracker: Its name; None stands for the only one of the namespace.
        timeout_seconds: The timeout of the wait; None means no limit.
        waited_seconds: How much of the timeout an earlier attempt has used up.
        monotonic: Returns seconds that never go back.

    Yields:
        A function that returns how many seconds have been used up.

    Raises:
        WaitTimeoutError: The timeout has passed while the cluster did not answer.
    """
    began = monotonic() - waited_seconds

    def used() -> float:
        return monotonic() - began

    if timeout_seconds is None:
        yield used
        return
    try:
        with request_deadline(began + timeout_seconds, monotonic):
            yield used
    except UnreachableError as error:
        if used() < timeout_seconds:
            raise
        raise _timed_out(namespace, tracker, timeout_seconds, error) from error


def _timed_out(
    namespace: str, tracker: str | None, seconds: float, error: UnreachableError
) -> WaitTimeoutError:
    after = f"timed out after {format_duration(seconds)}"
    if not tracker or not namespace:
        place = f"namespace {namespace}" if namespace else "the context's namespace"
        text = f"{after}: the trackers of {place} could not be read ({error})"
        return WaitTimeoutError(text, seconds=seconds)
    ref = RunRef(namespace, tracker)
    text = f"{after}: the run of tracker {ref} could not be read ({error})"
    return WaitTimeoutError(text, seconds=seconds).suggest(ref, NextStep.WAIT)
