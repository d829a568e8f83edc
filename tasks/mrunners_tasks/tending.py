"""Around a run: finds runs that are there, notes that they are collected, and deletes them.

It must not decide when: the flows do.
"""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from mrunners.plan.options import RunOptions
from mrunners.plan.plan import run_id_of
from mrunners.reports.outcomes import PodOutcome
from mrunners.run.deleting import delete_run
from mrunners.run.finding import FoundRun, existing_run, find_run
from mrunners.run.resulting import mark_collected
from mrunners_tasks.retrying import STEP
from mrunners_tasks.surroundings import cluster_of, listener

__all__ = ["delete_found_run", "find_found_run", "find_leftover", "note_collected"]


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
    """The run under a tracker's name; an empty name means the only one.

    Raises: RefusedError: there is none, or there are several.
    """
    return find_run(cluster_of(kubeconfig), namespace, tracker or None)


@task(name="note-collected", **STEP)
def note_collected(kubeconfig: str, found: FoundRun, outcomes: Sequence[PodOutcome]) -> bool:
    """Note on the tracker that its report is saved; the next run may replace it then."""
    return mark_collected(cluster_of(kubeconfig), found, outcomes)


@task(name="delete-run", **STEP)
def delete_found_run(kubeconfig: str, found: FoundRun, *, force: bool) -> None:
    """Delete the run and wait until none of its Jobs and pods is left.

    Raises: RefusedError: it has not finished or was not collected, and force was not given.
    """
    delete_run(cluster_of(kubeconfig), found, listener(), force=force)
