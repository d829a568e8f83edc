"""The steps that make the report: read the pods, collect, merge, save."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import httpx
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from mrunners.errors import NextStep, UnreachableError
from mrunners.refs import ClusterRef, RunRef
from mrunners.render.markdown import SavedPage, job_rows, render_markdown
from mrunners.reports.budget import SampleBudget
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import PodOutcome
from mrunners.run import finality
from mrunners.run.lookup import ExistingRun
from mrunners.run.snapshot import RunSnapshot
from mrunners.run.spill_file import SpillFile
from mrunners.status.run_state import JobState
from mrunners_tasks._context import connection_to, traffic_of
from mrunners_tasks._step import ATTEMPTS, BY_JOB_UIDS, ONCE_PER_FLOW_RUN, step
from mrunners_tasks.report_files import ReportFiles, page_of, write_report

__all__ = ["artifact_key", "collect_reports", "merge_reports", "read_pods", "save_report"]


@step("read-pods", cache=ONCE_PER_FLOW_RUN)
def read_pods(cluster: ClusterRef, run: ExistingRun, *, final: bool) -> RunSnapshot:
    """Read the run's pods as they ended.

    Args:
        cluster: The cluster.
        run: The run.
        final: Whether every Job must have finished; a retry of the flow run then sees the same
            pods, even if they are deleted by then.

    Raises:
        StillRunningError: Jobs can still finish.
        IncompleteError: The result must be final, and is not.
    """
    snapshot = connection_to(cluster).bind(run).snapshot(final=True)
    finality.require_finished(snapshot)
    if final:
        finality.require_all_finished(snapshot)
    return snapshot


@step("collect-reports", run_name="collect {label}", cache=BY_JOB_UIDS)
def collect_reports(
    cluster: ClusterRef,
    run: ExistingRun,
    snapshot: RunSnapshot,
    jobs: Sequence[JobState],
    label: str,
    *,
    final: bool,
) -> list[PodOutcome]:
    """Collect the outcomes of these Jobs' pods: reports, or why there is none.

    Args:
        cluster: The cluster.
        run: The run.
        snapshot: Its pods as they ended.
        jobs: Some of its Jobs.
        label: Names the task run.
        final: Whether every outcome must be final; Prefect then keeps them under the Jobs' UIDs,
            so that no log is read twice, by this worker or another that shares the result storage.

    Raises:
        UnreachableError: They must be final, and a log could not be read; a retry may read it.
        IncompleteError: They must be final, and no retry will make them so; or another machine may
            have a report that this one has not.
    """
    del label
    # These Jobs alone: what is kept under their UIDs must depend on nothing else. The flow applies
    # the budget of the whole run.
    collected = connection_to(cluster).bind(run).outcomes(snapshot, jobs)
    outcomes = list(SampleBudget(SpillFile()).accept_all(collected))
    if final:
        finality.require_final(outcomes)
        finality.require_portable(outcomes)
    return outcomes


@step("merge-reports")
def merge_reports(
    cluster: ClusterRef, run: ExistingRun, snapshot: RunSnapshot, outcomes: Sequence[PodOutcome]
) -> MergedReport:
    """Merge the outcomes of all pods into one report, which says what is missing.

    Args:
        cluster: The cluster; the report says what mrunners itself sent to it.
        run: The run.
        snapshot: Its pods as they ended.
        outcomes: One per planned pod, within a `SampleBudget`.
    """
    bound = connection_to(cluster).bind(run)
    facts = bound.facts()
    return bound.merge(snapshot, outcomes, facts=facts, traffic=traffic_of(cluster))


# After hours of load a Prefect server may take some five minutes to come back.
@step("save-report", attempts=ATTEMPTS + 4)
def save_report(report: MergedReport, files: ReportFiles) -> bool:
    """Save a table of the Jobs and the report as artifacts, and as files where requested.

    Args:
        report: The merged report.
        files: Checked by `require_folder`.

    Returns:
        Whether all of it was saved; files that cannot be written are only a warning, because the
        artifacts exist.

    Raises:
        UnreachableError: The Prefect server does not accept the artifacts.
    """
    try:
        create_table_artifact(
            table=job_rows(report),
            key=artifact_key(report.ref, "jobs"),
            description=report.verdict,
        )
        # First, though the page does not exist yet: whatever happens to it, the extract is safe.
        _create_extract(report, page_of(report, files))
        if not write_report(report, files):
            _create_extract(report, None)
            return False
    except httpx.HTTPStatusError as error:
        if error.response.status_code < 500:
            raise
        raise _not_accepted(report, error) from error
    except httpx.HTTPError as error:
        raise _not_accepted(report, error) from error
    return True


def artifact_key(run: RunRef, what: str) -> str:
    """Return the key of an artifact, one history per tracker: lowercase letters, digits, dashes.

    Names contain dashes themselves: the hash keeps tracker `b-c` of `a` apart from `c` of `a-b`.
    """
    mark = hashlib.sha256(str(run).encode()).hexdigest()[:6]
    return f"mrunners-{run.namespace}-{run.tracker}-{what}-{mark}"


def _not_accepted(report: MergedReport, error: httpx.HTTPError) -> UnreachableError:
    return UnreachableError(
        f"the Prefect server does not accept the report's artifacts: {error}; the run is not lost"
    ).suggest(report.ref, NextStep.RESULT)


def _create_extract(report: MergedReport, page: SavedPage | None) -> None:
    create_markdown_artifact(
        markdown=render_markdown(report, page),
        key=artifact_key(report.ref, "report"),
        description=f"tracker {report.ref}, run {report.run}",
    )
