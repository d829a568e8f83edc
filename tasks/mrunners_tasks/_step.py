"""Which failures a task tries again: those that may pass, and no others.

It must not wait: Prefect does, by the delays given here.
"""

from __future__ import annotations

from typing import Any, TypedDict

import httpx
from prefect import Task
from prefect.cache_policies import NO_CACHE, CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from mrunners.errors import UnreachableError

__all__ = ["ATTEMPTS", "LAST_STEP", "STEP", "Step", "may_pass"]

ATTEMPTS = 3


def may_pass(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Whether to run a failed task again, for the condition of its retries.

    An API server or a Prefect server that does not answer may come back, beyond the patience
    that the core has with it; what a user gave wrong, or another run in the way, stays.

    Prefect logs a traceback when retries are exhausted, but not when this condition says no: so
    it also counts the attempts, and a known error ends without one.
    """
    if task_run.run_count >= task.retries:
        return False
    error = state.data
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500
    return isinstance(error, UnreachableError | OSError | httpx.TransportError)


class Step(TypedDict):
    """What all steps are decorated with."""

    retries: int
    retry_delay_seconds: Any
    retry_jitter_factor: float
    retry_condition_fn: Any
    cache_policy: CachePolicy


# Every step is safe to repeat: objects are created or adopted, reports are kept by Job UID.
STEP = Step(
    retries=ATTEMPTS,
    retry_delay_seconds=exponential_backoff(backoff_factor=5),
    retry_jitter_factor=0.5,
    retry_condition_fn=may_pass,
    cache_policy=NO_CACHE,
)

# After hours of load a Prefect server may take its time to come back: some five minutes.
LAST_STEP: Step = {**STEP, "retries": ATTEMPTS + 4}
