"""`mrunners result`: the merged report of a run, to stdout or a file.

It must not wait.
"""

from __future__ import annotations

from pathlib import Path

import click

from mrunners_cli.console import Console
from mrunners_cli.options import (
    kubeconfig_option,
    namespace_argument,
    quiet_option,
    tracker_option,
)

__all__ = ["result"]


@click.command(short_help="Print the merged report of a run.")
@namespace_argument
@kubeconfig_option
@tracker_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "table", "html"]),
    default="json",
    show_default=True,
    help="json for programs, table for a terminal, html for a browser: one file, offline.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file, whole or not at all, instead of stdout.",
)
@click.option("--raw", is_flag=True, help="With every latency sample and error (json only).")
@click.option("--partial", is_flag=True, help="What is there, even while Jobs run.")
@quiet_option
def result(
    namespace: str,
    kubeconfig: str,
    tracker: str | None,
    form: str,
    output: Path | None,
    raw: bool,
    partial: bool,
    quiet: bool,
) -> int:
    """Print the merged report of the run in NAMESPACE.

    Ends with 0 when every planned report is merged, with 4 while Jobs run, and with 5 when
    reports are missing or a runner had no success at all; the report is printed then too, and
    says what is missing.

    \b
    Examples:
      mrunners result load > report.json
      mrunners result load --format table
      mrunners result load --format html --output report.html
      mrunners result load | jq .percentileLatencies
    """
    from mrunners.errors import ClusterError, ExitCode
    from mrunners.kube.client import KubernetesCluster
    from mrunners.run.lookup import get_run
    from mrunners.run.report_store import ReportStore, default_store_path
    from mrunners.run.result import (
        collect_run,
        mark_collected,
        merge_outcomes,
        read_full_snapshot,
        require_finished,
    )
    from mrunners.run.snapshot import failures
    from mrunners_cli.output import render, write_output

    if raw and form != "json":
        raise click.UsageError("--raw goes with --format json")
    with Console(quiet=quiet) as console:
        cluster = KubernetesCluster(kubeconfig, warn=console.warn)
        found = get_run(cluster, namespace, tracker)
        snapshot = read_full_snapshot(cluster, found)
        if not partial:
            require_finished(found, snapshot)
        outcomes = collect_run(cluster, found, snapshot, ReportStore(default_store_path()))
        report = merge_outcomes(found, outcomes, requests=cluster.requests, raw=raw)
        write_output(render(report, form, to_file=output is not None), output)
        if form != "table" or output is not None:
            console.info(report.verdict)
        try:
            mark_collected(cluster, found, outcomes)
        except ClusterError as error:
            console.warn(
                f"the run could not be marked as collected, so a later run will not replace it "
                f"by itself: {error}"
            )
        if snapshot.may_finish:
            return ExitCode.STILL_RUNNING
        problems = failures(found, snapshot)
        for line in problems:
            console.warn(line)
    return ExitCode.DONE if report.complete and not problems else ExitCode.INCOMPLETE
