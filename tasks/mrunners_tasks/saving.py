"""Step 8: save the report as artifacts, where the people who read it look, and as files.

It must not compute anything that the report does not say.
"""

from __future__ import annotations

import hashlib

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from mrunners.reports.merged import MergedReport
from mrunners.views.markdown import job_rows, render_markdown
from mrunners_tasks.report_files import ReportFiles, write_report
from mrunners_tasks.retrying import STEP

__all__ = ["artifact_key", "save_report"]


def artifact_key(namespace: str, tracker: str, what: str) -> str:
    """The key of an artifact: one history per tracker; lowercase letters, digits and dashes.

    Names have dashes themselves: the mark keeps tracker `b-c` of `a` apart from `c` of `a-b`.
    """
    mark = hashlib.sha256(f"{namespace}/{tracker}".encode()).hexdigest()[:6]
    return f"mrunners-{namespace}-{tracker}-{what}-{mark}"


@task(name="save-report", **STEP)
def save_report(report: MergedReport, files: ReportFiles) -> bool:
    """A table of the Jobs, and the report as markdown; as files too, where that was asked for.

    Args:
        report: the merged one.
        files: checked by `demand_folder`.
    Returns: whether all of it was saved; files that could not be written are only warned of, as
        the artifacts are there.
    """
    page, written = write_report(report, files)
    create_table_artifact(
        table=job_rows(report),
        key=artifact_key(report.namespace, report.tracker, "jobs"),
        description=report.verdict,
    )
    create_markdown_artifact(
        markdown=render_markdown(report, page),
        key=artifact_key(report.namespace, report.tracker, "report"),
        description=report.verdict,
    )
    return written
