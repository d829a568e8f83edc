"""The steps around a run: look up runs that exist, mark them as collected, delete them."""

from __future__ import annotations

from collections.abc import Sequence

from mrunners.durations import parse_duration
from mrunners.plan.options import RunOptions
from mrunners.plan.plan import run_id_of
from mrunners.refs import ClusterRef
from mrunners.reports.outcomes import PodOutcome
from mrunners.run import lookup
from mrunners.run.lookup import ExistingRun
from mrunners.run.time_limit import looking_up
from mrunners_tasks._context import connection_to
from mrunners_tasks._step import ONCE_PER_FLOW_RUN, step
from mrunners_tasks.jobs import seconds_since_first_attempt

__all__ = ["delete_run", "find_previous_run", "find_run", "find_run_once", "mark_collected"]


@step("find-previous-run")
def find_previous_run(options: RunOptions, run_key: str) -> ExistingRun | None:
    """Return an earlier run under this tracker that was not collected; not this very run."""
    run = lookup.get_run_or_none(connection_to(options.cluster).cluster, options.ref)
    if run is None or run.collected or run.plan.run_id == run_id_of(run_key):
        return None
    return run


@step("find-run")
def find_run(cluster: ClusterRef, namespace: str, tracker: str, timeout: str = "") -> ExistingRun:
    """Return a run as it is now; without a tracker, the only one of the namespace.

    Args:
        cluster: The cluster.
        namespace: The namespace of the run.
        tracker: Its tracker; empty for the only one.
        timeout: That of the wait that follows, such as `2h`; empty means no limit.

    Raises:
        RefusedError: There is none, or there are several.
        WaitTimeoutError: The timeout has passed.
    """
    seconds = parse_duration(timeout) if timeout else None
    waited = seconds_since_first_attempt()
    with looking_up(namespace, tracker, seconds, waited_seconds=waited):
        return connection_to(cluster).get(namespace, tracker or None).existing


@step("find-run-once", cache=ONCE_PER_FLOW_RUN)
def find_run_once(cluster: ClusterRef, namespace: str, tracker: str) -> ExistingRun:
    """Return a run as this flow run first found it: for reading what it left, not for acting.

    A retry of the flow run is about the same run, even if its tracker is deleted by then.

    Raises:
        RefusedError: There is none, or there are several.
    """
    return connection_to(cluster).get(namespace, tracker or None).existing


@step("mark-collected")
def mark_collected(cluster: ClusterRef, run: ExistingRun, outcomes: Sequence[PodOutcome]) -> bool:
    """Mark the run as collected, once its report is saved; the next run may then replace it."""
    return connection_to(cluster).bind(run).mark_collected(outcomes)


@step("delete-run")
def delete_run(cluster: ClusterRef, run: ExistingRun, *, force: bool) -> None:
    """Delete the run and wait until none of its Jobs and pods is left.

    Raises:
        RefusedError: It has not finished or was not collected, and `force` was not given.
    """
    connection_to(cluster).bind(run).delete(force=force)
