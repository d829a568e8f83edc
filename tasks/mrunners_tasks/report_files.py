"""The whole report as files: a page for people, JSON for programs.

It must not fail a run whose artifacts are saved.
"""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from urllib.parse import quote, urlsplit

from pydantic import Field

from mrunners.errors import InvalidInputError
from mrunners.plan import bounds
from mrunners.records import Record
from mrunners.reports.merged import MergedReport, to_json
from mrunners.run.files import write_file
from mrunners.views.markdown import WholeReport
from mrunners_tasks.surroundings import listener

__all__ = ["ReportFiles", "demand_folder", "write_report"]


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


def write_report(report: MergedReport, files: ReportFiles) -> tuple[WholeReport | None, bool]:
    """Write the report, if that was asked for; one that cannot be written is warned of.

    Args:
        report: the merged one.
        files: checked by `demand_folder`.
    Returns: where the page is, if there is one, and whether nothing that was asked for is missing.
    """
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
