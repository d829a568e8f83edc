"""Step 6: collect the outcome of every pod.

It must not merge, nor decide which missing report is final: the core does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import httpx
from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from mrunners.errors import UnreachableError
from mrunners.render.markdown import WholeReport, job_rows, render_markdown
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import PodOutcome
from mrunners.run.lookup import ExistingRun
from mrunners.run.result import (
    collect_run,
    merge_outcomes,
    read_full_snapshot,
    require_ended,
    require_final,
    require_finished,
    require_kept,
)
from mrunners.run.snapshot import RunSnapshot
from mrunners.status.run_state import JobState
from mrunners_tasks._context import cluster_of, report_store
from mrunners_tasks._step import BY_JOB_UIDS, LAST_STEP, ONCE_PER_FLOW_RUN, STEP, Step
from mrunners_tasks.report_files import ReportFiles, page_of, write_report

__all__ = ["artifact_key", "collect_reports", "merge_reports", "read_pods", "save_report"]

_LOOK: Step = {**STEP, "cache_policy": ONCE_PER_FLOW_RUN}
_COLLECT: Step = {**STEP, "cache_policy": BY_JOB_UIDS}


@task(name="read-pods", **_LOOK)
def read_pods(kubeconfig: str, found: ExistingRun, *, final: bool) -> RunSnapshot:
    """The run's pods as they ended.

    Args:
        kubeconfig: where.
        found: the run.
        final: every Job must have ended; a retry of the flow run then sees the same pods, even
            if they are gone.
    Raises:
        StillRunningError: something can still finish.
        IncompleteError: it must be final, and is not.
    """
    snapshot = read_full_snapshot(cluster_of(kubeconfig), found)
    require_finished(found, snapshot)
    if final:
        require_ended(snapshot)
    return snapshot


@task(name="collect-reports", task_run_name="collect {label}", **_COLLECT)
def collect_reports(
    kubeconfig: str,
    found: ExistingRun,
    snapshot: RunSnapshot,
    jobs: Sequence[JobState],
    label: str,
    *,
    final: bool,
) -> list[PodOutcome]:
    """The outcomes of these Jobs' pods: reports, or why there is none.

    Args:
        kubeconfig: where.
        found: the run.
        snapshot: its pods as they ended.
        jobs: some of its Jobs.
        label: names the task run.
        final: every outcome must be final; Prefect then keeps them under the Jobs' UIDs, so that
            no log is read twice, by this worker or another that shares the result storage.
    Raises:
        UnreachableError: they must be final, and a log could not be read; another attempt may.
        IncompleteError: they must be final, and no attempt will make them so soon; or another
            machine may have what this one has not.
    """
    del label
    # These Jobs by themselves: what is kept under their UIDs must depend on nothing else. The flow
    # holds the whole run to its bounds.
    outcomes = collect_run(cluster_of(kubeconfig), found, snapshot, report_store(), jobs)
    if final:
        require_final(outcomes)
        require_kept(outcomes)
    return outcomes


@task(name="merge-reports", **STEP)
def merge_reports(
    kubeconfig: str, found: ExistingRun, outcomes: Sequence[PodOutcome]
) -> MergedReport:
    """One report for the whole run, with what is missing from it."""
    return merge_outcomes(found, outcomes, requests=cluster_of(kubeconfig).requests)


def artifact_key(namespace: str, tracker: str, what: str) -> str:
    """The key of an artifact: one history per tracker; lowercase letters, digits and dashes.

    Names have dashes themselves: the mark keeps tracker `b-c` of `a` apart from `c` of `a-b`.
    """
    mark = hashlib.sha256(f"{namespace}/{tracker}".encode()).hexdigest()[:6]
    return f"mrunners-{namespace}-{tracker}-{what}-{mark}"


@task(name="save-report", **LAST_STEP)
def save_report(report: MergedReport, files: ReportFiles) -> bool:
    """A table of the Jobs, and the report as markdown; as files too, where that was asked for.

    Args:
        report: the merged one.
        files: checked by `require_folder`.
    Returns: whether all of it was saved; files that could not be written are only warned of, as
        the artifacts are there.
    Raises: UnreachableError: the Prefect server does not take the artifacts.
    """
    try:
        create_table_artifact(
            table=job_rows(report),
            key=artifact_key(report.namespace, report.tracker, "jobs"),
            description=report.verdict,
        )
        # First, though the page is not there yet: whatever happens to it, the extract is safe.
        _create_extract(report, page_of(report, files))
        if not write_report(report, files):
            _create_extract(report, None)
            return False
    except httpx.HTTPStatusError as error:
        if error.response.status_code < 500:
            raise
        raise _not_taken(report, error) from error
    except httpx.HTTPError as error:
        raise _not_taken(report, error) from error
    return True


def _not_taken(report: MergedReport, error: httpx.HTTPError) -> UnreachableError:
    return UnreachableError(
        f"the Prefect server does not take the report's artifacts: {error}; the run is not lost: "
        f"get its report with: mrunners result {report.namespace} --tracker {report.tracker}"
    )


def _create_extract(report: MergedReport, page: WholeReport | None) -> None:
    create_markdown_artifact(
        markdown=render_markdown(report, page),
        key=artifact_key(report.namespace, report.tracker, "report"),
        description=report.verdict,
    )
