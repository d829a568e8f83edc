"""Writes a report where the user wants it: to stdout, or whole into a file.

It must not know how reports are made.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click
import yaml

from mrunners.atomic_write import write_atomic
from mrunners.errors import InvalidInputError
from mrunners.plan.job import job_manifest
from mrunners.plan.tracker import overflow_manifests, place_profiles, tracker_manifest
from mrunners.render.terminal.report_table import render_table
from mrunners.reports.merged import MergedReport, to_json
from mrunners.run.preflight import RunAction

__all__ = ["render", "render_manifests", "write_output"]

# A file or a pipe has no width; 80 columns fit everywhere.
WIDTH = 80


def render(report: MergedReport, form: str, *, to_file: bool) -> str:
    """The report as text: `json`, `html`, or a `table` as wide as the terminal it goes to."""
    if form == "json":
        return to_json(report)
    if form == "html":
        # Brings matplotlib, which takes as long to import as all else together.
        from mrunners.render.html.page import render_html

        return render_html(report)
    on_terminal = sys.stdout.isatty() and not to_file
    width = max(WIDTH, min(shutil.get_terminal_size((WIDTH, 24)).columns, 160))
    return render_table(report, width=width if on_terminal else WIDTH, color=_color(on_terminal))


def write_output(text: str, output: Path | None) -> None:
    """Write to stdout, or to a file that appears whole or not at all.

    Raises: InvalidInputError: the file cannot be written.
    """
    if output is None:
        try:
            click.echo(text, nl=False)
            sys.stdout.flush()
        except BrokenPipeError:
            raise  # the reader has had enough, and that is no error
        except OSError as error:
            raise InvalidInputError(f"stdout cannot be written to: {error.strerror}") from error
        return
    try:
        write_atomic(text.encode(), output)
    except OSError as error:
        raise InvalidInputError(f"--output {output}: {error.strerror}") from error


def _color(on_terminal: bool) -> bool:
    """https://no-color.org."""
    return on_terminal and not os.environ.get("NO_COLOR")


# The API server gives the tracker its UID; until then nothing can refer to it.
_NO_UID = "00000000-0000-0000-0000-000000000000"


def render_manifests(action: RunAction) -> str:
    """The tracker, its overflow ConfigMaps and the Jobs, in the order of their creation.

    The owner's UID and the run ID are placeholders: both are given when the run is created.
    """
    plan, profiles = action.planned.plan, action.planned.profiles
    places = place_profiles(plan, profiles)
    manifests = [
        tracker_manifest(plan, profiles),
        *overflow_manifests(plan, profiles, _NO_UID),
        *(
            job_manifest(plan, job, profile_place=places[job.profile_digest], tracker_uid=_NO_UID)
            for job in plan.jobs
        ),
    ]
    return yaml.dump_all(manifests, Dumper=_Readable, sort_keys=False, allow_unicode=True)


class _Readable(yaml.SafeDumper):
    """As kubectl prints: texts of several lines as they are, and nothing by reference."""

    def ignore_aliases(self, data: object) -> bool:
        """Write everything out where it stands."""
        del data
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    )


_Readable.add_representer(str, _text)
