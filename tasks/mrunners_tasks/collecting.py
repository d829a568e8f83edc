"""Step 6: collect the outcome of every pod."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from mrunners.progress.run_state import JobState
from mrunners.reports.outcomes import PodOutcome
from mrunners.run.collecting import collect_job
from mrunners.run.finding import FoundRun
from mrunners.run.looking import Look
from mrunners.run.resulting import closer_look, demand_finished
from mrunners_tasks.retrying import STEP
from mrunners_tasks.surroundings import cluster_of, report_store

__all__ = ["collect_results", "look_at_pods"]


@task(name="look-at-pods", **STEP)
def look_at_pods(kubeconfig: str, found: FoundRun) -> Look:
    """The run's pods as they ended.

    Raises: StillRunningError: something can still finish.
    """
    view = closer_look(cluster_of(kubeconfig), found)
    demand_finished(found, view)
    return view


@task(name="collect-results", task_run_name="collect {label}", **STEP)
def collect_results(
    kubeconfig: str, found: FoundRun, view: Look, jobs: Sequence[JobState], label: str
) -> list[PodOutcome]:
    """The outcomes of these Jobs' pods: reports, or why there is none.

    Reports are kept by the Job's UID, so a retry or a later result reads no log twice.

    Args:
        kubeconfig: where.
        found: the run.
        view: its pods as they ended.
        jobs: some of its Jobs.
        label: names the task run.
    """
    del label
    cluster, store = cluster_of(kubeconfig), report_store()
    return [
        outcome
        for job in jobs
        for outcome in collect_job(
            cluster, found.plan, job, pods=view.pods, unstarted=view.unstarted, store=store
        )
    ]
