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
from mrunners.run.lookup import ExistingRun, get_run, get_run_or_none
from mrunners.run.result import mark_collected
from mrunners_tasks._context import cluster_of, observer
from mrunners_tasks._step import ONCE_PER_FLOW_RUN, STEP, Step

__all__ = [
    "delete_existing_run",
    "find_previous_run",
    "find_run",
    "find_run_once",
    "mark_collected_once",
]

_SAME: Step = {**STEP, "cache_policy": ONCE_PER_FLOW_RUN}


@task(name="find-previous-run", **STEP)
def find_previous_run(options: RunOptions, run_key: str) -> ExistingRun | None:
    """An earlier run under this tracker that was not collected; not this very run."""
    found = get_run_or_none(
        cluster_of(options.kubeconfig), options.namespace, options.advanced.tracker
    )
    if found is None or found.collected or found.plan.run_id == run_id_of(run_key):
        return None
    return found


@task(name="find-run", **STEP)
def find_run(kubeconfig: str, namespace: str, tracker: str) -> ExistingRun:
    """The run under a tracker's name, as it is now; an empty name means the only one.

    Raises: RefusedError: there is none, or there are several.
    """
    return get_run(cluster_of(kubeconfig), namespace, tracker or None)


@task(name="find-same-run", **_SAME)
def find_run_once(kubeconfig: str, namespace: str, tracker: str) -> ExistingRun:
    """The same, but as this flow run first found it: for reading what it left, not for acting.

    A retry of the flow run is about the same run, even if its tracker is gone by then.

    Raises: RefusedError: there is none, or there are several.
    """
    return get_run(cluster_of(kubeconfig), namespace, tracker or None)


@task(name="mark-collected", **STEP)
def mark_collected_once(
    kubeconfig: str, found: ExistingRun, outcomes: Sequence[PodOutcome]
) -> bool:
    """Note on the tracker that its report is saved; the next run may replace it then.

    Where it cannot be noted, that is only a warning: the report is saved all the same.
    """
    try:
        return mark_collected(cluster_of(kubeconfig), found, outcomes)
    except ClusterError as error:
        observer().warn(f"a later run will not replace this one by itself: {error}")
        return False


@task(name="delete-run", **STEP)
def delete_existing_run(kubeconfig: str, found: ExistingRun, *, force: bool) -> None:
    """Delete the run and wait until none of its Jobs and pods is left.

    Raises: RefusedError: it has not finished or was not collected, and force was not given.
    """
    delete_run(cluster_of(kubeconfig), found, observer(), force=force)
