"""`mrunners status`: shows how far runs are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from mrunners.errors import ExitCode
from mrunners.refs import ClusterRef
from mrunners_cli.cluster_flags import cluster_options
from mrunners_cli.console import Console
from mrunners_cli.flags import (
    namespace_options,
    namespace_or_default,
    output_option,
    tracker_option,
)
from mrunners_cli.spelling import examples

if TYPE_CHECKING:
    from mrunners.connection import Connection
    from mrunners.render.terminal.run_status import RunStatus
    from mrunners.run.lookup import ExistingRun
    from mrunners.run.run_list import SeenRun

__all__ = ["status"]

_EXAMPLES = """\
mrunners status load
mrunners status load -o wide --watch
while mrunners status load --exit-code > /dev/null; [ $? -eq 4 ]; do sleep 10; done
"""


@click.command(epilog=examples(_EXAMPLES))
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
    help="Exit with 0 when done, 3 when a run cannot be read, 4 while running, 5 when finished "
    "with failures.",
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
    from mrunners.connection import connect_to

    with Console(quiet=False) as console:
        connection = connect_to(cluster, console)
        namespace = namespace_or_default(namespace, connection.location)
        watched, runs = connection.watch(), _Runs(connection, namespace, tracker, console)
        redrawn = watch and output_format in {"table", "wide"} and sys.stdout.isatty()
        shown: list[RunStatus] | None = None
        seen = watched.look(runs.read())
        while True:
            records = [_record(connection, one) for one in seen]
            # Ages and times that are left change all the time: only who looks on sees them.
            if redrawn or records != shown:
                if redrawn:
                    click.clear()
                shown = records
                _show(connection, seen, records, output_format, cluster)
            runs.warn()
            if not watch or not any(one.snapshot.may_finish for one in seen):
                break
            connection.sleep(watched.next_interval())
            seen = watched.look(runs.read())
    return _exit_code(seen, unreadable=runs.unreadable) if exit_code else ExitCode.DONE


class _Runs:
    """The named run, or all of a namespace, read again at each look.

    Attributes:
        unreadable: Whether runs were left out at the last look, because they cannot be read.
    """

    def __init__(
        self, connection: Connection, namespace: str, tracker: str | None, console: Console
    ) -> None:
        self._connection, self._namespace, self._tracker = connection, namespace, tracker
        self._console = console
        self._problems: list[str] = []
        self._warned: set[str] = set()
        self._found = False
        self.unreadable = False

    def read(self) -> list[ExistingRun]:
        """Return those that can be read.

        Raises:
            RefusedError: There is none, at the first look.
        """
        if self._tracker is not None:
            return [self._connection.get(self._namespace, self._tracker).existing]
        listed = self._connection.list_runs(self._namespace)
        runs = [one.run for one in listed if one.run is not None]
        if not runs and not self._found:
            # Says what is wrong, and what to do.
            first = listed[0].ref.tracker if listed else None
            return [self._connection.get(self._namespace, first).existing]
        self._found = True
        self._problems = [one.problem for one in listed if one.problem]
        self.unreadable = bool(self._problems)
        return runs

    def warn(self) -> None:
        """Say once why runs are left out."""
        for problem in self._problems:
            if problem not in self._warned:
                self._warned.add(problem)
                self._console.warn(problem)


def _record(connection: Connection, seen: SeenRun) -> RunStatus:
    from mrunners.render.terminal.run_status import run_status
    from mrunners.status.diagnostics import diagnosis_lines

    run, snapshot = seen.run, seen.snapshot
    starting = [diagnosis for diagnosis in snapshot.diagnoses if not diagnosis.overdue]
    return run_status(
        run.ref,
        location=connection.location,
        run_id=run.plan.run_id,
        state=snapshot.state,
        pods=snapshot.pods,
        collected=run.collected,
        pod_options=tuple(run.plan.pods.described()),
        problems=[
            *snapshot.failures,
            *snapshot.holds,
            *diagnosis_lines(snapshot.state, starting).values(),
        ],
    )


def _show(
    connection: Connection,
    seen: list[SeenRun],
    records: list[RunStatus],
    output_format: str,
    cluster: ClusterRef,
) -> None:
    if output_format in {"json", "yaml"}:
        from mrunners_cli.output import write_record

        for record in records:
            write_record(record, output_format)
        return
    if output_format == "name":
        click.echo("".join(f"configmap/{one.run.ref.tracker}\n" for one in seen), nl=False)
        return
    from mrunners.hints import step_lines
    from mrunners.render.terminal.run_status import render_status
    from mrunners_cli.output import columns

    click.echo(f"cluster {connection.location}")
    for number, (one, record) in enumerate(zip(seen, records, strict=True)):
        if number:
            click.echo()
        wide = output_format == "wide"
        click.echo(render_status(record, one.description, width=columns(), wide=wide), nl=False)
        if one.snapshot.failures:
            for line in step_lines(one.snapshot.next_steps, one.run.ref, cluster):
                click.echo(line)


def _exit_code(seen: list[SeenRun], *, unreadable: bool) -> ExitCode:
    """Return what is true of all runs together: the one that is worst off decides."""
    if any(one.snapshot.may_finish for one in seen):
        return ExitCode.STILL_RUNNING
    if any(one.snapshot.failures for one in seen):
        return ExitCode.INCOMPLETE
    return ExitCode.REFUSED if unreadable else ExitCode.DONE
