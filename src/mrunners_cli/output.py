"""Renders what commands print on stdout or write to a file: reports, and a dry run's manifests."""

from __future__ import annotations

import errno
import json
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from mrunners.atomic_write import write_atomic
from mrunners.errors import InvalidInputError
from mrunners.reports.conclusion import FailOn
from mrunners_cli.yaml_text import to_yaml, to_yaml_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mrunners.records import Record
    from mrunners.reports.merged import MergedReport
    from mrunners.run.preflight import RunAction

__all__ = [
    "columns",
    "render",
    "render_for_stderr",
    "render_manifests",
    "require_writable",
    "write_output",
    "write_record",
]

# The API server gives the tracker its UID; until then nothing can refer to it.
_NO_UID = "00000000-0000-0000-0000-000000000000"
# So does the time of its creation, after which all pods may start together.
_NO_TIME = datetime.fromtimestamp(0, UTC)

# Applied for real, the Jobs belong to an owner that does not exist, and the garbage collector
# deletes them.
_DRY_RUN_NOTE = """\
# To read, and for kubectl apply --dry-run=server: the UID of the Jobs' owner is a placeholder, so
# that Jobs created from this are deleted at once, and so is MRUNNERS_START_AT. Start the run with
# mrunners run.
"""


def render(
    report: MergedReport,
    output_format: str,
    failures: Sequence[str] = (),
    fail_on: FailOn = FailOn.ERROR,
    *,
    to_file: bool,
) -> str:
    """Return the report in a format of `mrunners result`; a `table` is as wide as its terminal.

    Args:
        report: The merged report.
        output_format: Such as `json`.
        failures: What went wrong with the Jobs, for `junit`.
        fail_on: From which severity on a finding fails, for `junit`.
        to_file: Whether nobody sees a `table`.
    """
    from mrunners.reports.merged import to_json

    if output_format == "json":
        return to_json(report)
    if output_format == "yaml":
        return to_yaml(json.loads(to_json(report)))
    if output_format == "html":
        # Imports matplotlib, which takes as long as everything else together.
        from mrunners.render.html.page import render_html

        return render_html(report)
    if output_format == "markdown":
        from mrunners.render.markdown import render_markdown

        return render_markdown(report, plot=False)
    if output_format == "junit":
        from mrunners.render.junit import render_junit

        return render_junit(report, failures, fail_on)
    if output_format == "openmetrics":
        from mrunners.render.openmetrics import render_openmetrics

        return render_openmetrics(report)
    if to_file:
        from mrunners.render.terminal.report_table import render_table

        return render_table(report, width=None, color=False)
    return _table_for(sys.stdout, report)


def columns(stream: TextIO | None = None) -> int | None:
    """Return how wide a table may be: the terminal's width, or COLUMNS where it is set.

    Args:
        stream: Where the table goes; stdout by default.

    Returns:
        None for a pipe or a file, in which no line is broken, so that it can be searched.
    """
    with suppress(ValueError):
        if (given := int(os.environ.get("COLUMNS", ""))) > 0:
            return given
    # Not shutil.get_terminal_size, which asks stdout alone.
    with suppress(OSError, ValueError):
        return os.get_terminal_size((stream or sys.stdout).fileno()).columns or None
    return None


def render_for_stderr(report: MergedReport) -> str:
    """Return the report as a table that is as wide as stderr."""
    return _table_for(sys.stderr, report)


def _table_for(stream: TextIO, report: MergedReport) -> str:
    """Return the report as a table for a stream, with colors if it is a terminal that has them."""
    from mrunners.render.terminal.report_table import render_table

    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"  # https://no-color.org
    return render_table(report, width=columns(stream), color=stream.isatty() and not plain)


def require_writable(output: Path | None) -> None:
    """Refuse an --output-file that cannot be written, before anything takes long.

    Raises:
        InvalidInputError: It can be known that the file cannot be written.
    """
    if output is None:
        return
    try:
        path = Path(os.path.realpath(output))
        exists = _exists(path)
        # Folders that do not exist are created; the nearest that does must take them.
        parents = (folder for folder in path.parents if _exists(folder))
        place = path if exists and not path.is_file() else next(parents)
        problem = None
        if place is not path and not place.is_dir():
            problem = f"{place} is not a folder"
        elif not os.access(place, os.W_OK, effective_ids=True):
            problem = f"{place} cannot be written"
    except OSError as error:
        problem = error.strerror
    if problem is not None:
        raise InvalidInputError(f"--output-file {output}: {problem}")


def _exists(path: Path) -> bool:
    """Return whether a path exists; unlike Path.exists, raise an error for a loop of links."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def write_output(text: str, output: Path | None) -> None:
    """Write to stdout or, atomically, to a file.

    Raises:
        InvalidInputError: The file cannot be written.
    """
    if output is None:
        try:
            click.echo(text, nl=False)
            sys.stdout.flush()
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # the reader has read enough
            raise InvalidInputError(f"cannot write to stdout: {error.strerror}") from error
        return
    try:
        write_atomic(text.encode(), output)
    except OSError as error:
        raise InvalidInputError(f"--output-file {output}: {error.strerror}") from error


def render_manifests(action: RunAction) -> str:
    """Return the tracker, its overflow ConfigMaps and the Jobs as a YAML stream.

    They come in the order of their creation. The owner's UID and the run ID are placeholders: both
    are given when the run is created.
    """
    from mrunners.plan.job import job_manifest
    from mrunners.plan.tracker import assign_profiles, overflow_manifests, tracker_manifest

    plan, profiles = action.planned.plan, action.planned.profiles
    config_maps = assign_profiles(plan, profiles)
    manifests = [
        tracker_manifest(plan, profiles),
        *overflow_manifests(plan, profiles, _NO_UID),
        *(
            job_manifest(
                plan,
                job,
                profile_config_map=config_maps[job.profile_digest],
                tracker_uid=_NO_UID,
                start_at=plan.start_at(_NO_TIME),
            )
            for job in plan.jobs
        ),
    ]
    return _DRY_RUN_NOTE + to_yaml_stream(manifests)


def write_record(record: Record, output_format: str) -> None:
    """Print a record as `json`, or as a document of a stream of `yaml`."""
    if output_format == "json":
        write_output(record.model_dump_json(by_alias=True, indent=2) + "\n", None)
    else:
        write_output("---\n" + to_yaml(record.model_dump(mode="json", by_alias=True)), None)
