"""The whole report as files: a page for people, JSON for programs.

It must not fail a run whose artifacts are saved.
"""

from __future__ import annotations

import re
import socket
import tempfile
from pathlib import Path
from urllib.parse import quote

from pydantic import Field

from mrunners.atomic_write import write_atomic
from mrunners.errors import InvalidInputError
from mrunners.plan import bounds
from mrunners.records import Record
from mrunners.render.markdown import WholeReport
from mrunners.reports.merged import MergedReport, to_json
from mrunners_tasks._context import observer

__all__ = ["ReportFiles", "page_of", "require_folder", "write_report"]

# What may stand in the target of a link as it is; no user, and no query, which hold secrets.
_URL = re.compile(r"https?://[-A-Za-z0-9._~:/%]+")


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


def require_folder(files: ReportFiles) -> None:
    """Make sure, before a run of hours, that its report can be written.

    Raises: InvalidInputError: one line per mistake.
    """
    problems = []
    if files.url and (_URL.fullmatch(files.url) is None or not files.folder):
        problems.append(f"files.url {files.url!r}: give an http or https URL of files.folder")
    if files.folder and (not Path(files.folder).is_absolute() or not files.folder.isprintable()):
        problems.append(f"files.folder {files.folder!r}: give an absolute path")
    elif files.folder:
        try:
            Path(files.folder).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=files.folder):
                pass
        except OSError as error:
            problems.append(f"files.folder {files.folder}: cannot be written to: {error.strerror}")
    if problems:
        raise InvalidInputError(problems)


def page_of(report: MergedReport, files: ReportFiles) -> WholeReport | None:
    """Where the page of a report is, or will be; None when none was asked for."""
    if not files.folder:
        return None
    below = _below(report)
    url = f"{files.url.rstrip('/')}/{quote(str(below))}.html" if files.url else None
    return WholeReport(f"{Path(files.folder) / below}.html", socket.gethostname(), url)


def write_report(report: MergedReport, files: ReportFiles) -> bool:
    """Write the report, if that was asked for; one that cannot be written is warned of.

    Args:
        report: the merged one.
        files: checked by `require_folder`.
    Returns: whether nothing that was asked for is missing.
    """
    if not files.folder:
        return True
    # Brings matplotlib, which takes as long to import as all else together.
    from mrunners.render.html.page import render_html  # noqa: PLC0415

    path = Path(files.folder) / _below(report)
    try:
        write_atomic(to_json(report).encode(), path.with_suffix(".json"))
        write_atomic(render_html(report).encode(), path.with_suffix(".html"))
    except OSError as error:
        observer().warn(
            f"the report could not be written to {path}.html: {error.strerror}; its artifacts are "
            f"saved, and get it with: mrunners result {report.namespace} --tracker {report.tracker}"
        )
        return False
    return True


def _below(report: MergedReport) -> Path:
    return Path(report.namespace, report.tracker, report.run)
