"""`mrunners result`: writes the merged report of a run to stdout or a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mrunners.plan.option_table import OPTIONS
from mrunners.refs import ClusterRef
from mrunners_cli.console import Console
from mrunners_cli.flags import (
    cluster_options,
    examples,
    namespace_argument,
    option_from_table,
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
@option_from_table(OPTIONS["fail_on"])
@quiet_option
def result(
    namespace: str,
    cluster: ClusterRef,
    tracker: str | None,
    output_format: str,
    output: Path | None,
    raw: bool,
    partial: bool,
    fail_on: str,
    quiet: bool,
) -> int:
    """Print the merged report of the run in NAMESPACE.

    Exits with 0 when every planned report is merged, with 4 while Jobs are running, with 5 when
    reports are missing or all requests of a runner failed, and with 9 when a finding puts the
    figures in doubt; the report is printed then too, and says what is wrong. Errors and warnings
    found are also printed on stderr.
    """
    from mrunners.connection import connect
    from mrunners.hints import step_lines
    from mrunners.reports.conclusion import Conclusion, FailOn
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
            if not (output_format == "table" and output is None and _on_one_terminal()):
                console.findings(report.findings)

        run = connection.get(namespace, tracker)
        collected = run.collect_and_save(save, partial=partial, raw=raw)
        for line in collected.failures:
            console.warn(line)
        for line in step_lines(collected.next_steps, run.ref, cluster):
            console.hint(line)
        conclusion = collected.conclusion(FailOn(fail_on))
        if conclusion is Conclusion.IN_DOUBT and not collected.report.in_doubt:
            console.hint(f"warnings are a failure because of --fail-on {fail_on}")
    return conclusion.exit_code


def _on_one_terminal() -> bool:
    """Whether a table on stdout is seen where stderr is, so that it need not say things twice."""
    return sys.stdout.isatty() and sys.stderr.isatty()
