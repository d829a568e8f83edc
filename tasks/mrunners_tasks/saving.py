"""Step 8: save the report where the people who read it look: as artifacts, and as files.

It must not compute anything that the report does not say.
"""

from __future__ import annotations

import hashlib
import socket
import tempfile
from pathlib import Path
from urllib.parse import quote, urlsplit

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from pydantic import Field

from mrunners.errors import InvalidInputError
from mrunners.plan import bounds
from mrunners.records import Record
from mrunners.reports.merged import MergedReport, to_json
from mrunners.run.files import write_file
from mrunners.views.markdown import WholeReport, job_rows, render_markdown
from mrunners_tasks.retrying import STEP
from mrunners_tasks.surroundings import listener

__all__ = ["ReportFiles", "artifact_key", "demand_folder", "save_report"]


class ReportFiles(Record):
    """Where the report is written as HTML and as JSON, for people who read it whole."""

    folder: str = Field(
        "",
        title="Folder",
        json_schema_extra=bounds.PATH,
        description="The report is written to FOLDER/NAMESPACE/TRACKER/RUN.html and .json, on the "
        "machine where the flow runs. Leave it empty to write none.",
    )
    url: str = Field(
        "",
        title="URL of the folder",
        json_schema_extra=bounds.URL,
        description="Under which people reach that folder, such as https://reports.example/load; "
        "the report artifact then has a link to the page.",
    )


def demand_folder(files: ReportFiles) -> None:
    """Make sure, before a run of hours, that its report can be written.

    Raises: InvalidInputError: one line per mistake.
    """
    problems = []
    if files.url and (urlsplit(files.url).scheme not in {"http", "https"} or not files.folder):
        problems.append(f"files.url {files.url}: give an http or https URL of files.folder")
    if files.folder and not Path(files.folder).is_absolute():
        problems.append(f"files.folder {files.folder}: give an absolute path")
    elif files.folder:
        try:
            Path(files.folder).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=files.folder):
                pass
        except OSError as error:
            problems.append(f"files.folder {files.folder}: cannot be written to: {error.strerror}")
    if problems:
        raise InvalidInputError(problems)


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
    page, written = _written(report, files)
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


def _written(report: MergedReport, files: ReportFiles) -> tuple[WholeReport | None, bool]:
    """Where the page is, if one was asked for, and whether nothing is missing."""
    if not files.folder:
        return None, True
    # Brings matplotlib, which takes as long to import as all else together.
    from mrunners.views.html.page import render_html  # noqa: PLC0415

    below = Path(report.namespace, report.tracker, report.run)
    path = Path(files.folder) / below
    try:
        write_file(to_json(report), path.with_suffix(".json"))
        write_file(render_html(report), path.with_suffix(".html"))
    except OSError as error:
        listener().warn(
            f"the report could not be written to {path}.html: {error.strerror}; its artifacts are "
            f"saved, and get it with: mrunners result {report.namespace} --tracker {report.tracker}"
        )
        return None, False
    url = f"{files.url.rstrip('/')}/{quote(str(below))}.html" if files.url else None
    return WholeReport(f"{path}.html", socket.gethostname(), url), True
