"""An earlier run under the same tracker that nobody collected: harvested, then out of the way.

It must not remove a run of which reports can still be had.
"""

from __future__ import annotations

from prefect import get_run_logger

from mrunners.errors import RefusedError
from mrunners.plan.options import IfExists, RunOptions
from mrunners.reports.outcomes import MissingReason
from mrunners.run.lookup import ExistingRun
from mrunners_flows.collect import CollectedRun, wait_and_collect
from mrunners_flows.policy import PreviousRun, RunPolicy
from mrunners_tasks._step import as_one
from mrunners_tasks.report_files import ReportFiles
from mrunners_tasks.runs import delete_existing_run, find_previous_run

__all__ = ["collect_previous_run", "collects_previous_run", "require_nothing_to_lose"]

# These reports are there, and another attempt may read them.
_READABLE_LATER = frozenset({MissingReason.LOG_UNAVAILABLE, MissingReason.LOG_FORBIDDEN})


def collects_previous_run(options: RunOptions, policy: RunPolicy) -> bool:
    """Whether an earlier run is to be collected and removed; one that is resumed is not earlier."""
    return (
        policy.previous_run is PreviousRun.COLLECT
        and options.advanced.if_exists is not IfExists.RESUME
    )


def collect_previous_run(options: RunOptions, key: str, files: ReportFiles) -> None:
    """Harvest what an earlier run left, so that the step after may replace it.

    Args:
        options: its tracker is the leftover's.
        key: of the run that is about to start.
        files: where its report is written besides the artifacts.
    Raises: RefusedError: reports of the earlier run could not be read for now.
    """
    previous_run = find_previous_run(options, key)
    if previous_run is None:
        return
    get_run_logger().info("collecting run %s that an earlier run left", previous_run.plan.run_id)
    home = wait_and_collect(options.kubeconfig, previous_run, timeout=options.timeout, saving=files)
    get_run_logger().info("run %s: %s", previous_run.plan.run_id, home.summary)
    if not (home.complete and home.collected):
        require_nothing_to_lose(previous_run, home)
        # Jobs that nobody created or that cannot start would stand in the way for ever.
        delete_existing_run(options.kubeconfig, as_one(previous_run), force=True)


def require_nothing_to_lose(previous_run: ExistingRun, home: CollectedRun) -> None:
    """Refuse to remove a run whose report is not saved, or of which more could still be read.

    Raises: RefusedError: it says how to get the reports, and how to give them up.
    """
    namespace, tracker = previous_run.plan.namespace, previous_run.plan.tracker
    if not home.saved:
        raise RefusedError(
            f"the report of the earlier run under tracker {tracker} in namespace {namespace} "
            "could not be written to its folder; mend the folder and start again, or get it with: "
            f"mrunners result {namespace} --tracker {tracker}",
            namespace=namespace,
            tracker=tracker,
        )
    unread = [pod for pod in home.report.coverage.missing if pod.reason in _READABLE_LATER]
    if not unread:
        return
    first = unread[0]
    raise RefusedError(
        f"{len(unread)} reports of the earlier run under tracker {tracker} in namespace "
        f"{namespace} could not be read: {first.job} index {first.index}: {first.reason.value}: "
        f"{first.detail}; start again when its logs can be read, or give them up with: "
        f"mrunners delete {namespace} --tracker {tracker} --force",
        namespace=namespace,
        tracker=tracker,
    )
