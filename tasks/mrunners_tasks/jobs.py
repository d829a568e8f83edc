"""The steps that deploy a run and wait for it: tracker, Jobs, polling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from prefect.context import TaskRunContext

from mrunners.durations import parse_duration
from mrunners.plan.options import RunOptions
from mrunners.plan.plan import PlannedJob
from mrunners.plan.planning import plan_run
from mrunners.profiles.loading import LoadedRunner
from mrunners.refs import ClusterRef
from mrunners.run.create import StartedRun
from mrunners.run.lookup import ExistingRun
from mrunners.run.preflight import load_pod_template, resolve_existing_run
from mrunners.run.snapshot import RunSnapshot
from mrunners.run.time_limit import looking_up
from mrunners_tasks._context import connection_to
from mrunners_tasks._prefect import CancellableSleep
from mrunners_tasks._step import step

__all__ = ["create_jobs", "create_tracker", "seconds_since_first_attempt", "wait_for_jobs"]


@step("create-tracker")
def create_tracker(
    options: RunOptions, runners: Sequence[LoadedRunner], run_key: str
) -> StartedRun:
    """Plan the run and create its tracker with the whole plan in it, or adopt it.

    No Job is created here: a tracker without Jobs can be resumed, Jobs without a tracker cannot.

    Raises:
        InvalidInputError: The pod template or an option is wrong.
        RefusedError: The tracker belongs to another run.
        ClusterError: The API server does not accept the Jobs or their pods.
    """
    connection = connection_to(options.cluster)
    planned = None
    if runners:
        template = load_pod_template(options)
        planned = plan_run(options, runners, run_key=run_key, pod_template=template)
    return connection.create_tracker(resolve_existing_run(connection.cluster, options, planned))


@step("create-jobs", run_name="create {label}")
def create_jobs(
    cluster: ClusterRef, run: StartedRun, jobs: Sequence[PlannedJob], label: str
) -> list[str]:
    """Create these Jobs of the run, or adopt them, and return their names.

    Args:
        cluster: The cluster.
        run: The run.
        jobs: Some of its Jobs.
        label: Names the task run.

    Raises:
        RefusedError: A Job of that name belongs to another run, or the tracker was deleted.
    """
    del label
    return connection_to(cluster).create_jobs(run, jobs)


@step("wait-for-jobs")
def wait_for_jobs(
    cluster: ClusterRef, run: ExistingRun, timeout: str = "", since: datetime | None = None
) -> RunSnapshot:
    """Wait until every Job has finished or cannot, and fetch reports meanwhile.

    Failed pods do not fail the step: their reports are still to be collected.

    Args:
        cluster: The cluster.
        run: The run.
        timeout: A duration such as `2h`; empty means no limit.
        since: When the timeout began to count; None means with this step.

    Raises:
        WaitTimeoutError: The timeout has passed.
        RunCancelledError: The flow run was cancelled.
    """
    seconds = parse_duration(timeout) if timeout else None
    waited = seconds_since_first_attempt()
    if since is not None:
        waited = max(waited, (datetime.now(UTC) - since).total_seconds())
    ref = run.ref
    with looking_up(ref.namespace, ref.tracker, seconds, waited_seconds=waited) as used_seconds:
        bound = connection_to(cluster).bind(run)
    return bound.wait(seconds, waited=used_seconds(), sleep=CancellableSleep())


def seconds_since_first_attempt() -> float:
    """Return for how long this task run has been running, retries included."""
    context = TaskRunContext.get()
    started = None if context is None else context.task_run.start_time
    return 0.0 if started is None else max((datetime.now(UTC) - started).total_seconds(), 0.0)
