"""By which keys Prefect finds a step's result again, in a retry or in a later flow run.

It must not decide what is final: a task that is not sure raises instead of returning.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from prefect import runtime
from prefect.cache_policies import TASK_SOURCE, CachePolicy
from prefect.context import TaskRunContext

from mrunners.status.run_state import JobState

__all__ = ["BY_JOB_UIDS", "ONCE_PER_FLOW_RUN"]


def _by_job_uids(context: TaskRunContext, arguments: Mapping[str, Any]) -> str | None:
    """A UID is never given twice, and the log of a pod that has ended does not change."""
    jobs: Sequence[JobState] = arguments["jobs"]
    ended = all(job.seen is not None and job.phase.finished for job in jobs)
    if not (ended and arguments["final"]):
        return None
    return _key(context, *(job.seen.uid for job in jobs if job.seen is not None))


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
