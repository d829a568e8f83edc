"""`mrunners result`: writes the merged report of a run to stdout or a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mrunners.plan.option_table import OPTIONS
from mrunners.refs import ClusterRef
from mrunners_cli.cluster_flags import cluster_options
from mrunners_cli.console import Console
from mrunners_cli.flags import (
    namespace_options,
    namespace_or_default,
    option_from_table,
    output_option,
    quiet_option,
    refuse_typed,
    tracker_option,
)
from mrunners_cli.slo_file import read_slo_files, slo_file_option
from mrunners_cli.spelling import examples

if TYPE_CHECKING:
    from mrunners.run.result import CollectedRun

__all__ = ["result"]

_EXAMPLES = """\
mrunners result load
mrunners result load -o html --output-file report.html
mrunners result load | jq .percentileLatencies
mrunners result load --slo kubernetes --slo 'errors < 0.1%' -o junit --output-file junit.xml
mrunners result --run 646468fe
"""

# What chooses a run in a cluster, which --run does not ask.
_OF_A_CLUSTER = ("namespace", "kubeconfig", "context", "max_qps", "tracker", "partial")


@click.command(epilog=examples(_EXAMPLES))
@namespace_options
@cluster_options
@tracker_option
@output_option(
    "json",
    "yaml",
    "table",
    "html",
    "markdown",
    "junit",
    "openmetrics",
    help="table for people, json and yaml for programs, html for a browser: one file, offline; "
    "markdown and junit (XML) for the summary and the tests of a CI job, openmetrics for "
    "Prometheus. Default: table on a terminal, json in a pipe or a file.",
)
@click.option(
    "--output-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of stdout, atomically.",
)
@click.option(
    "--run",
    "run_id",
    metavar="ID",
    help="The run with this ID, or the only one that begins so, from the reports kept on this "
    "machine, without asking a cluster: also after its deletion. List them with: mrunners list "
    "--local",
)
@click.option(
    "--raw", is_flag=True, help="Keep every latency sample and error (json and yaml only)."
)
@click.option("--partial", is_flag=True, help="Report on what has finished so far.")
@option_from_table(
    OPTIONS["slo"],
    help="An objective to judge besides those that the run was started with, such as 'p99 < 1s'.",
)
@slo_file_option
@option_from_table(OPTIONS["fail_on"])
@quiet_option
def result(
    namespace: str,
    cluster: ClusterRef,
    tracker: str | None,
    output_format: str | None,
    output_file: Path | None,
    run_id: str | None,
    raw: bool,
    partial: bool,
    slo: tuple[str, ...],
    slo_file: tuple[Path, ...],
    fail_on: str,
    quiet: bool,
) -> int:
    """Print the merged report of the run in NAMESPACE.

    Exits with 0 when every planned report is merged, with 4 while Jobs are running, with 5 when
    reports are missing or all requests of a runner failed, with 8 when an objective is not met, and
    with 9 when a finding puts the figures in doubt; the report is printed then too, and says what
    is wrong. That is also printed on stderr.
    """
    from mrunners.connection import connect_to
    from mrunners.hints import step_lines
    from mrunners.reports.conclusion import Conclusion, FailOn
    from mrunners.reports.slo import validate_objectives
    from mrunners.run.kept_report import report_of_kept_run
    from mrunners.run.report_store import ReportStore, default_store_path
    from mrunners_cli.output import render, require_writable, write_output

    if output_format is None:
        to_terminal = output_file is None and sys.stdout.isatty() and not raw
        output_format = "table" if to_terminal else "json"
    if raw and output_format not in {"json", "yaml"}:
        raise click.UsageError("--raw requires -o json or -o yaml")
    require_writable(output_file)
    slo += read_slo_files(slo_file)
    validate_objectives(slo)
    with Console(quiet=quiet) as console:

        def save(run: CollectedRun) -> None:
            report, to_file = run.report, output_file is not None
            text = render(report, output_format, run.failures, FailOn(fail_on), to_file=to_file)
            write_output(text, output_file)
            if output_format != "table" or output_file is not None:
                console.info(report.verdict)
            if not (output_format == "table" and output_file is None and _on_one_terminal()):
                console.findings(report)

        if run_id is not None:
            refuse_typed("--run", *_OF_A_CLUSTER)
            store = ReportStore(default_store_path(), console.warn)
            collected = report_of_kept_run(run_id, store, raw=raw, slo=slo)
            save(collected)
        else:
            connection = connect_to(cluster, console)
            run = connection.get(namespace_or_default(namespace, connection.location), tracker)
            collected = run.collect_and_save(save, partial=partial, raw=raw, slo=slo)
        for line in collected.failures:
            console.warn(line)
        for line in step_lines(collected.next_steps, collected.ref, cluster):
            console.hint(line)
        conclusion = collected.conclusion(FailOn(fail_on))
        if conclusion is Conclusion.IN_DOUBT and not collected.report.in_doubt:
            console.hint(f"warnings are a failure because of --fail-on {fail_on}")
    return conclusion.exit_code


def _on_one_terminal() -> bool:
    """Whether a table on stdout is seen where stderr is, so that it need not say things twice."""
    return sys.stdout.isatty() and sys.stderr.isatty()
