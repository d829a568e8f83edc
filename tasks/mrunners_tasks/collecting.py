"""Step 6: collect the outcome of every pod, Job by Job."""

from __future__ import annotations

from prefect import task

from mrunners.progress.run_state import JobState
from mrunners.reports.outcomes import PodOutcome
from mrunners.run.collecting import collect_job
from mrunners.run.finding import FoundRun
from mrunners.run.looking import Look
from mrunners.run.resulting import closer_look, demand_finished
from mrunners_tasks.retrying import STEP
from mrunners_tasks.surroundings import cluster_of, report_store

__all__ = ["collect_result", "look_at_pods"]


@task(name="look-at-pods", **STEP)
def look_at_pods(kubeconfig: str, found: FoundRun) -> Look:
    """The run's pods as they ended.

    Raises: StillRunningError: something can still finish.
    """
    view = closer_look(cluster_of(kubeconfig), found)
    demand_finished(found, view)
    return view


@task(name="collect-result", task_run_name="collect {job.planned.name}", **STEP)
def collect_result(kubeconfig: str, found: FoundRun, view: Look, job: JobState) -> list[PodOutcome]:
    """The outcomes of one Job's pods: reports, or why there is none.

    Reports are kept by the Job's UID, so a retry or a later result reads no log twice.
    """
    return collect_job(
        cluster_of(kubeconfig),
        found.plan,
        job,
        pods=view.pods,
        unstarted=view.unstarted,
        store=report_store(),
    )
