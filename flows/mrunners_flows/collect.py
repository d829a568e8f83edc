"""The second half of a run: wait for its Jobs, collect every pod's outcome, merge, save.

Nothing is created or deleted in the cluster here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from mrunners.errors import IncompleteError, UnreachableError
from mrunners.refs import ClusterRef
from mrunners.reports.budget import SampleBudget
from mrunners.reports.slo_results import with_slo_results
from mrunners.run.finality import readable_later
from mrunners.run.lookup import ExistingRun
from mrunners.run.result import CollectedRun
from mrunners.run.spill_file import SpillFile
from mrunners_tasks._batching import batches
from mrunners_tasks.jobs import wait_for_jobs
from mrunners_tasks.report_files import ReportFiles
from mrunners_tasks.reports import collect_reports, merge_reports, read_pods, save_report
from mrunners_tasks.runs import mark_collected

__all__ = ["collect", "wait_and_collect"]

T = TypeVar("T")


def wait_and_collect(
    cluster: ClusterRef, run: ExistingRun, *, timeout: str, files: ReportFiles | None
) -> CollectedRun:
    """Wait for a run's Jobs and collect its report.

    Args:
        cluster: The cluster.
        run: The run.
        timeout: A duration; empty means no limit.
        files: Where the report is saved besides the artifacts, after which the run counts as
            collected; None saves nothing.

    Raises:
        WaitTimeoutError: The timeout has passed.
    """
    wait_for_jobs(cluster, run, timeout)
    return collect(cluster, run, files=files)


def collect(
    cluster: ClusterRef, run: ExistingRun, *, files: ReportFiles | None, slo: Sequence[str] = ()
) -> CollectedRun:
    """Collect the report of a run that has finished.

    Args:
        cluster: The cluster.
        run: The run.
        files: Where the report is saved besides the artifacts, after which the run counts as
            collected; None saves nothing.
        slo: Objectives besides those of the plan.

    Raises:
        StillRunningError: Jobs can still finish.
    """
    snapshot = _final_if_possible(read_pods, cluster, run)
    collected = (
        outcome
        for label, jobs in batches(snapshot.state.jobs, lambda job: job.planned.name)
        for outcome in _final_if_possible(collect_reports, cluster, run, snapshot, jobs, label)
    )
    outcomes = list(SampleBudget(SpillFile()).accept_all(collected))
    report = with_slo_results(merge_reports(cluster, run, snapshot, outcomes), slo)
    saved = files is not None and save_report(report, files)
    marked = saved and mark_collected(cluster, run, outcomes)
    return CollectedRun(
        report,
        snapshot.failures,
        saved=saved,
        collected=marked,
        next_steps=snapshot.next_steps,
        unread=readable_later(outcomes),
    )


def _final_if_possible(step: Callable[..., T], *arguments: object) -> T:
    """Run a step whose result Prefect keeps when it is final; else take the result as it is now."""
    try:
        return step(*arguments, final=True)
    except (IncompleteError, UnreachableError):
        return step(*arguments, final=False)
