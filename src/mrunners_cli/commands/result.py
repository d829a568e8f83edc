"""`mrunners result`: the merged report of a run, to stdout or a file.

It must not wait.
"""

from __future__ import annotations

from pathlib import Path

import click

from mrunners_cli.console import Speaker
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
    from mrunners.run.lookup import find_run
    from mrunners.run.report_store import ReportStore, default_store_path
    from mrunners.run.result import (
        closer_look,
        collect_run,
        demand_finished,
        mark_collected,
        merge_outcomes,
    )
    from mrunners.run.snapshot import failures
    from mrunners_cli.output import deliver, render

    if raw and form != "json":
        raise click.UsageError("--raw goes with --format json")
    with Speaker(quiet=quiet) as speaker:
        cluster = KubernetesCluster(kubeconfig, warn=speaker.warn)
        found = find_run(cluster, namespace, tracker)
        view = closer_look(cluster, found)
        if not partial:
            demand_finished(found, view)
        outcomes = collect_run(cluster, found, view, ReportStore(default_store_path()))
        report = merge_outcomes(found, outcomes, requests=cluster.requests, raw=raw)
        deliver(render(report, form, to_file=output is not None), output)
        if form != "table" or output is not None:
            speaker.note(report.verdict)
        try:
            mark_collected(cluster, found, outcomes)
        except ClusterError as error:
            speaker.warn(
                f"the run could not be marked as collected, so a later run will not replace it "
                f"by itself: {error}"
            )
        if view.may_finish:
            return ExitCode.STILL_RUNNING
        problems = failures(found, view)
        for line in problems:
            speaker.warn(line)
    return ExitCode.DONE if report.complete and not problems else ExitCode.INCOMPLETE
