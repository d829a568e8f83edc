"""An earlier run under the same tracker that was never collected: collected first, then replaced.

A run of which reports can still be fetched is never deleted. One whose pods are gone is, although
another machine may have their reports: else a night whose machine is gone would stop all others.
"""

from __future__ import annotations

from prefect import get_run_logger

from mrunners.errors import NextStep, RefusedError
from mrunners.formatting import counted
from mrunners.plan.options import IfExists, RunOptions
from mrunners.run.lookup import ExistingRun
from mrunners.run.result import CollectedRun
from mrunners_flows.collect import wait_and_collect
from mrunners_flows.policy import RunPolicy
from mrunners_tasks.report_files import ReportFiles
from mrunners_tasks.runs import delete_run, find_previous_run

__all__ = ["collect_previous_run", "collects_previous_run", "require_nothing_to_lose"]


def collects_previous_run(options: RunOptions, policy: RunPolicy) -> bool:
    """Whether an earlier run is to be collected and deleted; one that is resumed is not earlier."""
    return policy.previous_run == "collect" and options.advanced.if_exists is not IfExists.RESUME


def collect_previous_run(options: RunOptions, key: str, files: ReportFiles) -> None:
    """Collect an earlier run, so that the next step may replace it.

    Args:
        options: Their tracker is that of the earlier run.
        key: The key of the run that is about to start.
        files: Where its report is written besides the artifacts.

    Raises:
        RefusedError: Reports of the earlier run cannot be read for now.
    """
    previous = find_previous_run(options, key)
    if previous is None:
        return
    get_run_logger().info("collecting the earlier run %s", previous.plan.run_id)
    collected = wait_and_collect(options.cluster, previous, timeout=options.timeout, files=files)
    log = get_run_logger().info if collected.complete else get_run_logger().warning
    log("run %s: %s", previous.plan.run_id, collected.summary)
    if not (collected.complete and collected.collected):
        require_nothing_to_lose(previous, collected)
        # Jobs that nobody created or that cannot start would block every later run.
        delete_run(options.cluster, previous, force=True)


def require_nothing_to_lose(previous: ExistingRun, collected: CollectedRun) -> None:
    """Raise an error unless the report is saved and no more of it can be fetched.

    Raises:
        RefusedError: It says how to get the reports, and how to give them up.
    """
    if not collected.saved:
        raise RefusedError.of(
            previous.ref,
            f"the report of the earlier run of tracker {previous.ref} could not be written to its "
            "folder; fix the folder and start again",
            NextStep.RESULT,
        )
    unread = collected.unread
    if not unread:
        return
    first = unread[0]
    raise RefusedError.of(
        previous.ref,
        f"{counted(len(unread), 'report')} of the earlier run of tracker {previous.ref} could not "
        f"be read: {first.job} index {first.index}: {first.missing}: {first.detail}; start "
        "again when the logs can be read",
        NextStep.FORCE_DELETE,
    )
