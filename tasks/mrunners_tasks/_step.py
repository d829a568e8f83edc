"""Which failures a task tries again: those that may pass, and no others.

It must not wait: Prefect does, by the delays given here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, TypedDict, TypeVar, cast

import httpx
from prefect import Task, runtime
from prefect.cache_policies import NO_CACHE, TASK_SOURCE, CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff
from prefect.utilities.annotations import opaque

from mrunners.errors import UnreachableError
from mrunners.status.run_state import JobState

__all__ = [
    "ATTEMPTS",
    "BY_JOB_UIDS",
    "LAST_STEP",
    "ONCE_PER_FLOW_RUN",
    "STEP",
    "Step",
    "as_one",
    "may_pass",
]

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


T = TypeVar("T")


def as_one(value: T) -> T:
    """An argument that a task gets as it is, a future of it too.

    Prefect looks for futures inside every argument, twice, record by record: with a hundred Jobs
    that took as long as all else that it does. The flow run's graph keeps its edges.
    """
    return cast("T", opaque(value))


def _by_job_uids(context: TaskRunContext, arguments: Mapping[str, Any]) -> str | None:
    """A UID is never given twice, and the log of a pod that has ended does not change."""
    jobs: Sequence[JobState] = arguments["jobs"]
    ended = all(job.actual is not None and job.phase.finished for job in jobs)
    if not (ended and arguments["final"]):
        return None
    return _key(context, *(job.actual.uid for job in jobs if job.actual is not None))


def _once_per_flow_run(context: TaskRunContext, arguments: Mapping[str, Any]) -> str | None:
    """For what a retry must see as the attempt before saw it; which run it is about comes along."""
    if runtime.flow_run.id is None or not arguments.get("final", True):
        return None
    found = arguments.get("found")
    # A UID is one run's, in whatever cluster; a name is only some run's in one of them.
    about = (
        (arguments["kubeconfig"], arguments["namespace"], arguments["tracker"])
        if found is None
        else (found.tracker.uid,)
    )
    return _key(context, str(runtime.flow_run.id), *about)


def _key(context: TaskRunContext, *parts: str) -> str:
    """A name for a file, of this very task: its source and our release are part of it."""
    source = TASK_SOURCE.compute_key(context, {}, {}) or ""
    text = "\0".join((context.task.name, source, version("mrunners"), *parts))
    return f"mrunners-{context.task.name}-{hashlib.sha256(text.encode()).hexdigest()}"


# A policy with a key also keeps the result. There are no locks: a killed holder of a file lock
# would keep it for ever, and at worst two runs read the same logs.
BY_JOB_UIDS = CachePolicy.from_cache_key_fn(_by_job_uids)
ONCE_PER_FLOW_RUN = CachePolicy.from_cache_key_fn(_once_per_flow_run)
