"""`mrunners status`: shows how far runs are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from mrunners.refs import ClusterRef, RunRef
from mrunners_cli.console import Console
from mrunners_cli.flags import (
    cluster_options,
    examples,
    namespace_options,
    namespace_or_default,
    output_option,
    tracker_option,
)

if TYPE_CHECKING:
    from mrunners.connection import Connection
    from mrunners.errors import ExitCode
    from mrunners.render.terminal.run_status import RunStatus
    from mrunners.run.snapshot import RunSnapshot
    from mrunners.run_handle import Run

__all__ = ["status"]

_EXAMPLES = """\
mrunners status load
mrunners status load -o wide --watch
while mrunners status load --exit-code > /dev/null; [ $? -eq 4 ]; do sleep 10; done
"""

_WATCH_SECONDS = 2.0


@click.command(
    short_help="Show a run's progress and what is holding it up.", epilog=examples(_EXAMPLES)
)
@namespace_options
@cluster_options
@tracker_option
@output_option(
    "table",
    "wide",
    "json",
    "yaml",
    "name",
    default="table",
    show_default=True,
    help="table for people, wide with pods and nodes, json and yaml for programs (a document for "
    "each run), name for kubectl.",
)
@click.option(
    "--watch",
    "-w",
    is_flag=True,
    help="Show it again whenever it changes, until nothing can finish any more.",
)
@click.option(
    "--exit-code",
    is_flag=True,
    help="Exit with 0 when done, 4 while running, 5 when finished with failures.",
)
def status(
    namespace: str,
    cluster: ClusterRef,
    tracker: str | None,
    output_format: str,
    watch: bool,
    exit_code: bool,
) -> int:
    """Show the progress of the runs in NAMESPACE, and what keeps pods from starting."""
    from mrunners.connection import connect
    from mrunners.errors import ExitCode

    with Console(quiet=False) as console:
        connection = connect(cluster.kubeconfig, context=cluster.context, observer=console)
        namespace = namespace_or_default(namespace, connection.location)
        shown: list[RunStatus] = []
        while True:
            refs = _named(connection, namespace, tracker)
            runs = [connection.get(ref.namespace, ref.tracker) for ref in refs]
            snapshots = [run.snapshot(run.existing.state) for run in runs]
            records = [
                _record(connection, run, seen) for run, seen in zip(runs, snapshots, strict=True)
            ]
            if records != shown:
                shown = records
                _show(connection, runs, snapshots, records, output_format, cluster, watch=watch)
            if not watch or not any(snapshot.may_finish for snapshot in snapshots):
                break
            connection.sleep(_WATCH_SECONDS)
    return _exit_code(snapshots) if exit_code else ExitCode.DONE


def _named(connection: Connection, namespace: str, tracker: str | None) -> list[RunRef]:
    """Return the named run, or all of a namespace."""
    if tracker is not None:
        return [RunRef(namespace, tracker)]
    return connection.trackers(namespace) or [connection.resolve(namespace)]


def _record(connection: Connection, run: Run, snapshot: RunSnapshot) -> RunStatus:
    from mrunners.render.terminal.run_status import run_status
    from mrunners.status.diagnostics import diagnosis_lines

    starting = [diagnosis for diagnosis in snapshot.diagnoses if not diagnosis.overdue]
    return run_status(
        run.ref,
        location=connection.location,
        run_id=run.plan.run_id,
        state=snapshot.state,
        pods=snapshot.pods,
        collected=run.existing.collected,
        pod_options=tuple(run.plan.pods.described()),
        problems=[
            *snapshot.failures,
            *snapshot.holds,
            *diagnosis_lines(snapshot.state, starting).values(),
        ],
    )


def _show(
    connection: Connection,
    runs: list[Run],
    snapshots: list[RunSnapshot],
    records: list[RunStatus],
    output_format: str,
    cluster: ClusterRef,
    *,
    watch: bool,
) -> None:
    if output_format in {"json", "yaml"}:
        from mrunners_cli.output import write_record

        for record in records:
            write_record(record, output_format)
        return
    if output_format == "name":
        click.echo("".join(f"configmap/{run.ref.tracker}\n" for run in runs), nl=False)
        return
    from mrunners.hints import step_lines
    from mrunners.render.terminal.run_status import render_status
    from mrunners.render.terminal.run_tables import pod_table
    from mrunners_cli.output import columns

    if watch and sys.stdout.isatty():
        click.clear()
    click.echo(f"cluster {connection.location}")
    for run, snapshot, record in zip(runs, snapshots, records, strict=True):
        click.echo(render_status(record, run.describe(), width=columns()), nl=False)
        if output_format == "wide" and record.pods:
            click.echo(f"\n{pod_table(record.pods)}")
        if snapshot.failures:
            for line in step_lines(snapshot.next_steps, run.ref, cluster):
                click.echo(line)


def _exit_code(snapshots: list[RunSnapshot]) -> ExitCode:
    """Return what is true of all runs together: the one that is worst off decides."""
    from mrunners.errors import ExitCode

    if any(snapshot.may_finish for snapshot in snapshots):
        return ExitCode.STILL_RUNNING
    failed = any(snapshot.failures for snapshot in snapshots)
    return ExitCode.INCOMPLETE if failed else ExitCode.DONE
