"""The whole report as files: an HTML page for people, JSON for programs."""

from __future__ import annotations

import re
import socket
import tempfile
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import Field

from mrunners.atomic_write import write_atomic
from mrunners.errors import FieldProblem, InvalidOptionsError, NextStep
from mrunners.hints import command
from mrunners.plan.option_table import OPTIONS, URL_SCHEMA
from mrunners.records import Record
from mrunners.render.markdown import SavedPage
from mrunners.reports.merged import MergedReport, to_json
from mrunners_tasks._context import observer

__all__ = ["ReportFiles", "page_of", "require_folder", "write_report"]

# What may be the target of a link as it is; no user and no query, which hold secrets.
_URL = re.compile(r"https?://[-A-Za-z0-9._~:/%]+")


class ReportFiles(Record):
    """Where the report is written as HTML and as JSON, for people who read it whole."""

    folder: Annotated[
        str,
        Field(
            title="Folder",
            json_schema_extra=dict(OPTIONS["kubeconfig"].schema),
            description="The report is written to FOLDER/NAMESPACE/TRACKER/RUN.html and .json, on "
            "the machine where the flow runs. Empty means no files.",
        ),
    ] = ""
    url: Annotated[
        str,
        Field(
            title="URL of the folder",
            json_schema_extra=dict(URL_SCHEMA),
            description="The URL at which people reach that folder, such as "
            "https://reports.example/load; the report artifact then links to the page.",
        ),
    ] = ""


def require_folder(files: ReportFiles) -> None:
    """Make sure, before a run of hours, that its report can be written.

    Raises:
        InvalidOptionsError: The folder or the URL cannot be used.
    """
    problems = []
    if files.url and not files.folder:
        problems.append(FieldProblem("files.url", "requires files.folder"))
    elif files.url and _URL.fullmatch(files.url) is None:
        text = f"{files.url!r} is not an http or https URL without user and query"
        problems.append(FieldProblem("files.url", text))
    if files.folder and (not Path(files.folder).is_absolute() or not files.folder.isprintable()):
        text = f"{files.folder!r} is not an absolute path of printable characters"
        problems.append(FieldProblem("files.folder", text))
    elif files.folder:
        try:
            Path(files.folder).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=files.folder):
                pass
        except OSError as error:
            problems.append(
                FieldProblem("files.folder", f"cannot write to {files.folder}: {error.strerror}")
            )
    if problems:
        raise InvalidOptionsError(problems)


def page_of(report: MergedReport, files: ReportFiles) -> SavedPage | None:
    """Return where the page of a report is, or will be; None when no files are requested."""
    if not files.folder:
        return None
    relative = _relative_path(report)
    url = f"{files.url.rstrip('/')}/{quote(str(relative))}.html" if files.url else None
    return SavedPage(f"{Path(files.folder) / relative}.html", socket.gethostname(), url)


def write_report(report: MergedReport, files: ReportFiles) -> bool:
    """Write the report, if files are requested; one that cannot be written is only a warning.

    Args:
        report: The merged report.
        files: Checked by `require_folder`.

    Returns:
        Whether everything that is requested was written.
    """
    if not files.folder:
        return True
    # Imports matplotlib, which takes as long as everything else together.
    from mrunners.render.html.page import render_html  # noqa: PLC0415

    path = Path(files.folder) / _relative_path(report)
    try:
        write_atomic(to_json(report).encode(), path.with_suffix(".json"))
        write_atomic(render_html(report).encode(), path.with_suffix(".html"))
    except OSError as error:
        observer().warn(
            f"the report could not be written to {path}.html: {error.strerror}; its artifacts are "
            f"saved, get the whole report with: {command(NextStep.RESULT, report.ref)}"
        )
        return False
    return True


def _relative_path(report: MergedReport) -> Path:
    return Path(report.namespace, report.tracker, report.run)
