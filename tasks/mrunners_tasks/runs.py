"""Around a run: finds runs that are there, notes that they are collected, and deletes them.

It must not decide when: the flows do.
"""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from mrunners.errors import ClusterError
from mrunners.plan.options import RunOptions
from mrunners.plan.plan import run_id_of
from mrunners.reports.outcomes import PodOutcome
from mrunners.run.delete import delete_run
from mrunners.run.lookup import FoundRun, existing_run, find_run
from mrunners.run.result import mark_collected
from mrunners_tasks._context import cluster_of, listener
from mrunners_tasks._step import ONCE_PER_FLOW_RUN, STEP, Step

__all__ = [
    "delete_found_run",
    "find_found_run",
    "find_leftover",
    "find_same_run",
    "note_collected",
]

_SAME: Step = {**STEP, "cache_policy": ONCE_PER_FLOW_RUN}


@task(name="find-leftover", **STEP)
def find_leftover(options: RunOptions, run_key: str) -> FoundRun | None:
    """An earlier run under this tracker that was not collected; not this very run."""
    found = existing_run(
        cluster_of(options.kubeconfig), options.namespace, options.advanced.tracker
    )
    if found is None or found.collected or found.plan.run_id == run_id_of(run_key):
        return None
    return found


@task(name="find-run", **STEP)
def find_found_run(kubeconfig: str, namespace: str, tracker: str) -> FoundRun:
    """The run under a tracker's name, as it is now; an empty name means the only one.

    Raises: RefusedError: there is none, or there are several.
    """
    return find_run(cluster_of(kubeconfig), namespace, tracker or None)


@task(name="find-same-run", **_SAME)
def find_same_run(kubeconfig: str, namespace: str, tracker: str) -> FoundRun:
    """The same, but as this flow run first found it: for reading what it left, not for acting.

    A retry of the flow run is about the same run, even if its tracker is gone by then.

    Raises: RefusedError: there is none, or there are several.
    """
    return find_run(cluster_of(kubeconfig), namespace, tracker or None)


@task(name="note-collected", **STEP)
def note_collected(kubeconfig: str, found: FoundRun, outcomes: Sequence[PodOutcome]) -> bool:
    """Note on the tracker that its report is saved; the next run may replace it then.

    Where it cannot be noted, that is only a warning: the report is saved all the same.
    """
    try:
        return mark_collected(cluster_of(kubeconfig), found, outcomes)
    except ClusterError as error:
        listener().warn(f"a later run will not replace this one by itself: {error}")
        return False


@task(name="delete-run", **STEP)
def delete_found_run(kubeconfig: str, found: FoundRun, *, force: bool) -> None:
    """Delete the run and wait until none of its Jobs and pods is left.

    Raises: RefusedError: it has not finished or was not collected, and force was not given.
    """
    delete_run(cluster_of(kubeconfig), found, listener(), force=force)
