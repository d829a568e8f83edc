"""Step 8: save the report as artifacts, where the people who read it look, and as files.

It must not compute anything that the report does not say.
"""

from __future__ import annotations

import hashlib

import httpx
from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from mrunners.errors import UnreachableError
from mrunners.render.markdown import WholeReport, job_rows, render_markdown
from mrunners.reports.merged import MergedReport
from mrunners_tasks._step import LAST_STEP
from mrunners_tasks.report_files import ReportFiles, page_of, write_report

__all__ = ["artifact_key", "save_report"]


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
        files: checked by `demand_folder`.
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
