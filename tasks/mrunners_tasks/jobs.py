"""Step 3: plan the run and create its tracker, or adopt it.

It must not create Jobs: a tracker without Jobs can be resumed, Jobs without one cannot.
"""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from mrunners.durations import parse_duration
from mrunners.plan.options import RunOptions
from mrunners.plan.plan import PlannedJob
from mrunners.plan.planning import plan_run
from mrunners.profiles.loading import LoadedRunner
from mrunners.run.create import StartedRun, start_run
from mrunners.run.create import create_jobs as _create_jobs
from mrunners.run.lookup import ExistingRun
from mrunners.run.preflight import resolve_existing_run
from mrunners.run.wait import wait_for_run
from mrunners_tasks._context import cluster_of, observer, report_store
from mrunners_tasks._prefect import CancellableSleep
from mrunners_tasks._step import STEP

__all__ = ["create_jobs", "create_tracker", "wait_for_jobs"]


@task(name="create-tracker", **STEP)
def create_tracker(
    options: RunOptions, runners: Sequence[LoadedRunner], run_key: str
) -> StartedRun:
    """The run, open: its tracker stands, with the whole plan in it.

    Raises: RefusedError: another run is in the way.
    """
    cluster = cluster_of(options.kubeconfig)
    wanted = plan_run(options, runners, run_key=run_key) if runners else None
    return start_run(cluster, resolve_existing_run(cluster, options, wanted), observer())


@task(name="create-jobs", task_run_name="create {label}", **STEP)
def create_jobs(
    kubeconfig: str, run: StartedRun, jobs: Sequence[PlannedJob], label: str
) -> list[str]:
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
        observer=observer(),
    )
    return [job.name for job in seen]


@task(name="wait-for-jobs", **STEP)
def wait_for_jobs(kubeconfig: str, found: ExistingRun, timeout: str = "") -> tuple[str, ...]:
    """What went wrong, one line per Job and cause; reports come home meanwhile.

    Args:
        kubeconfig: where.
        found: the run.
        timeout: a duration such as `2h`; empty means as long as it takes.
    Raises:
        WaitTimeoutError: time is up.
        RunCancelledError: the flow run was cancelled.
    """
    return wait_for_run(
        cluster_of(kubeconfig),
        found,
        report_store(),
        observer(),
        timeout_seconds=parse_duration(timeout) if timeout else None,
        sleep=CancellableSleep(),
    )
