"""`mrunners result`: writes the merged report of a run to stdout or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mrunners.refs import ClusterRef
from mrunners_cli.console import Console
from mrunners_cli.flags import (
    cluster_options,
    examples,
    namespace_argument,
    quiet_option,
    tracker_option,
)

if TYPE_CHECKING:
    from mrunners.reports.merged import MergedReport

__all__ = ["result"]

_EXAMPLES = """\
mrunners result load > report.json
mrunners result load --format table
mrunners result load --format html --output report.html
mrunners result load | jq .percentileLatencies
"""


@click.command(short_help="Print the merged report of a run.", epilog=examples(_EXAMPLES))
@namespace_argument
@cluster_options
@tracker_option
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["json", "table", "html"]),
    default="json",
    show_default=True,
    help="json for programs, table for a terminal, html for a browser: one file, offline.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of stdout, atomically.",
)
@click.option("--raw", is_flag=True, help="Keep every latency sample and error (json only).")
@click.option("--partial", is_flag=True, help="Report on what has finished so far.")
@quiet_option
def result(
    namespace: str,
    cluster: ClusterRef,
    tracker: str | None,
    output_format: str,
    output: Path | None,
    raw: bool,
    partial: bool,
    quiet: bool,
) -> int:
    """Print the merged report of the run in NAMESPACE.

    Exits with 0 when every planned report is merged, with 4 while Jobs are running, and with 5 when
    reports are missing or all requests of a runner failed; the report is printed then too, and says
    what is missing.
    """
    from mrunners.connection import connect
    from mrunners.errors import ExitCode
    from mrunners.hints import step_lines
    from mrunners_cli.output import render, require_writable, write_output

    if raw and output_format != "json":
        raise click.UsageError("--raw requires --format json")
    require_writable(output)
    with Console(quiet=quiet) as console:
        connection = connect(cluster.kubeconfig, context=cluster.context, observer=console)

        def save(report: MergedReport) -> None:
            write_output(render(report, output_format, to_file=output is not None), output)
            if output_format != "table" or output is not None:
                console.info(report.verdict)

        run = connection.get(namespace, tracker)
        collected = run.collect_and_save(save, partial=partial, raw=raw)
        for line in (*collected.failures, *step_lines(collected.next_steps, run.ref, cluster)):
            console.warn(line)
    if not collected.finished:
        return ExitCode.STILL_RUNNING
    return ExitCode.DONE if collected.complete else ExitCode.INCOMPLETE
