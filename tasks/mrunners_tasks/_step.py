"""The decorator of every step: what its failures mean, what it caches, and how it is called.

A step is a Prefect task. All steps are safe to repeat: objects are created or adopted, and reports
are kept by run, Job and completion index. Only failures that may be transient are retried.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, ParamSpec, TypeVar

import httpx
from prefect import Task, runtime
from prefect.cache_policies import NO_CACHE, TASK_SOURCE, CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff
from prefect.utilities.annotations import opaque

from mrunners.errors import UnreachableError
from mrunners.status.run_state import JobState

__all__ = ["ATTEMPTS", "BY_JOB_UIDS", "ONCE_PER_FLOW_RUN", "Step", "is_transient", "step"]

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 3

# Arguments of Prefect's own, with futures in them.
_CALL_ARGUMENTS = frozenset({"return_state", "wait_for"})


class Step(Task[P, R]):
    """A task that gets its arguments as they are.

    Prefect searches every argument for futures, twice and record by record: with a hundred Jobs
    that took as long as everything else it does. Our steps are called with values only; the flow
    run's graph keeps its edges.
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override]
        """Run the step as a task of the current flow run."""
        passed: Any = super().__call__
        result: R = passed(
            *(_opaque(value) for value in args),
            **{
                name: value if name in _CALL_ARGUMENTS else _opaque(value)
                for name, value in kwargs.items()
            },
        )
        return result


def step(
    name: str,
    *,
    run_name: str | None = None,
    cache: CachePolicy = NO_CACHE,
    attempts: int = ATTEMPTS,
) -> Callable[[Callable[P, R]], Step[P, R]]:
    """Make a function a step.

    Args:
        name: The task's name.
        run_name: The name of each task run; `{argument}` is filled in.
        cache: Which earlier result it may return instead of running; never a failure.
        attempts: How often it runs at most, while its failures are transient.
    """

    def decorate(function: Callable[P, R]) -> Step[P, R]:
        return Step(
            function,
            name=name,
            task_run_name=run_name,
            cache_policy=cache,
            # One more than `is_transient` allows, which therefore ends the retries.
            retries=attempts,
            retry_delay_seconds=exponential_backoff(backoff_factor=5),
            retry_jitter_factor=0.5,
            retry_condition_fn=is_transient,
        )

    return decorate


def is_transient(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Whether to retry a failed task, as the condition of its retries.

    An API server or a Prefect server that does not answer may come back, later than the core waits
    for it; wrong input and another run's tracker stay.

    Prefect logs a traceback when retries are exhausted, but not when this condition is false.
    Therefore it counts the attempts too, and a known error ends without a traceback.
    """
    if task_run.run_count >= task.retries:
        return False
    error = state.data
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500
    return isinstance(error, UnreachableError | OSError | httpx.TransportError)


def _opaque(value: Any) -> Any:
    # Scalars hold no futures, and the names of task runs are made of them.
    return value if isinstance(value, str | bool | int | None) else opaque(value)


def _by_job_uids(context: TaskRunContext, arguments: Mapping[str, Any]) -> str | None:
    """A UID is never used twice, and the log of a pod that has ended does not change."""
    jobs: Sequence[JobState] = arguments["jobs"]
    ended = all(job.actual is not None and job.phase.finished for job in jobs)
    if not (ended and arguments["final"]):
        return None
    return _key(context, *(job.actual.uid for job in jobs if job.actual is not None))


def _once_per_flow_run(context: TaskRunContext, arguments: Mapping[str, Any]) -> str | None:
    """For what a retry must see as the attempt before saw it, about the same run."""
    if runtime.flow_run.id is None or not arguments.get("final", True):
        return None
    run = arguments.get("run")
    # A UID belongs to one run, in whatever cluster; a name only to some run in one of them.
    about = (
        (repr(arguments["cluster"]), arguments["namespace"], arguments["tracker"])
        if run is None
        else (run.tracker.uid,)
    )
    return _key(context, str(runtime.flow_run.id), *about)


def _key(context: TaskRunContext, *parts: str) -> str:
    """Return the name of a file for this very task: its source and our release are part of it."""
    source = TASK_SOURCE.compute_key(context, {}, {}) or ""
    text = "\0".join((context.task.name, source, version("mrunners"), *parts))
    return f"mrunners-{context.task.name}-{hashlib.sha256(text.encode()).hexdigest()}"


# A policy with a key also keeps the result. There are no locks: a killed holder of a file lock
# would keep it for ever, and at worst two runs read the same logs.
BY_JOB_UIDS = CachePolicy.from_cache_key_fn(_by_job_uids)
ONCE_PER_FLOW_RUN = CachePolicy.from_cache_key_fn(_once_per_flow_run)
