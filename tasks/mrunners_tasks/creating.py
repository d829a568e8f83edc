"""Step 4: create the Jobs, or adopt them.

It must not decide which Jobs: the plan does.
"""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from mrunners.plan.plan import PlannedJob
from mrunners.run.create import create_jobs as _create_jobs
from mrunners.run.opening import OpenRun
from mrunners_tasks._context import cluster_of, listener
from mrunners_tasks._step import STEP

__all__ = ["create_jobs"]


@task(name="create-jobs", task_run_name="create {label}", **STEP)
def create_jobs(kubeconfig: str, run: OpenRun, jobs: Sequence[PlannedJob], label: str) -> list[str]:
    """The names of these Jobs, which stand now.

    Args:
        kubeconfig: where.
        run: the open run.
        jobs: some of its Jobs.
        label: names the task run.
    Raises: RefusedError: a Job of that name is another's, or the tracker is gone.
    """
    del label
    seen = _create_jobs(
        cluster_of(kubeconfig),
        run.found.plan,
        jobs,
        profiles=run.profiles,
        tracker_uid=run.found.tracker.uid,
        listener=listener(),
    )
    return [job.name for job in seen]
