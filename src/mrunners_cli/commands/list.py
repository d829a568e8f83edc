"""`mrunners list`: the runs in a cluster, and those whose reports are kept on this machine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mrunners.errors import ForbiddenError
from mrunners.refs import ClusterRef
from mrunners_cli.cluster_flags import cluster_options
from mrunners_cli.console import Console
from mrunners_cli.flags import (
    namespace_options,
    namespace_or_default,
    output_option,
    refuse_typed,
    typed_parameters,
)
from mrunners_cli.spelling import examples

if TYPE_CHECKING:
    from mrunners.connection import Connection
    from mrunners.render.terminal.run_tables import KeptRunRow, RunRow
    from mrunners.run.run_list import ListedRun

__all__ = ["list_"]

_EXAMPLES = """\
mrunners list
mrunners list --all-namespaces -o wide
mrunners list --local
"""


@click.command(name="list", epilog=examples(_EXAMPLES))
@namespace_options
@click.option("--all-namespaces", "-A", is_flag=True, help="The runs of all namespaces.")
@click.option(
    "--local",
    is_flag=True,
    help="The runs whose reports are kept on this machine, of every cluster, without asking one. "
    "See one with: mrunners result --run ID",
)
@cluster_options
@output_option(
    "table",
    "wide",
    "json",
    "yaml",
    "name",
    default="table",
    show_default=True,
    help="table for people, wide with run IDs and images, json and yaml for programs, name for "
    "kubectl, or with --local for --run of result.",
)
def list_(
    namespace: str, all_namespaces: bool, local: bool, cluster: ClusterRef, output_format: str
) -> None:
    """List the runs in NAMESPACE: how far they are, and whether their reports were collected."""
    from mrunners.connection import connect_to
    from mrunners.render.terminal.run_tables import kept_run_table, run_table

    if local:
        refuse_typed("--local", "namespace", "all_namespaces", "kubeconfig", "context", "max_qps")
    # A variable that sets the namespace is a default, which --all-namespaces replaces.
    if all_namespaces and "namespace" in typed_parameters():
        raise click.UsageError("--all-namespaces and a namespace are mutually exclusive")
    wide = output_format == "wide"
    with Console(quiet=False) as console:
        if local:
            kept = _kept_runs(console)
            _print(kept, kept_run_table(kept, datetime.now(UTC), wide=wide), output_format)
            if not kept:
                console.info("no reports of runs are kept on this machine")
            return
        connection = connect_to(cluster, console)
        where = "" if all_namespaces else namespace_or_default(namespace, connection.location)
        runs = [_row(listed) for listed in _listed(connection, where)]
        now = connection.cluster.now()
        table = run_table(runs, now, with_namespace=all_namespaces, wide=wide)
        _print(runs, table, output_format)
        if not runs:
            place = f"namespace {where}" if where else "any namespace"
            console.info(f"no runs found in {place} of {connection.location}")
        for run in runs:
            if run.problem:
                console.warn(run.problem)


def _listed(connection: Connection, namespace: str) -> list[ListedRun]:
    try:
        return connection.list_runs(namespace)
    except ForbiddenError as error:
        if namespace:
            raise
        raise ForbiddenError(
            f"{error}\nlist those of one namespace with -n NAME, or bind a ClusterRole that grants "
            "it in all of them",
            verb=error.verb,
            resource=error.resource,
            namespace="",
        ) from error


def _print(runs: list[RunRow] | list[KeptRunRow], table: str, output_format: str) -> None:
    from mrunners.render.terminal.run_tables import RunList

    if output_format in {"json", "yaml"}:
        from mrunners_cli.output import write_record

        write_record(RunList(runs=tuple(runs)), output_format)
    elif output_format == "name":
        click.echo("".join(f"{run.name}\n" for run in runs), nl=False)
    elif runs:
        click.echo(table, nl=False)


def _row(listed: ListedRun) -> RunRow:
    from mrunners.render.terminal.run_tables import RunRow

    run = listed.run
    known = {}
    if run is not None:
        state = run.state
        known = {"pods": state.pod_count, "ended": state.ended, "image": run.plan.image}
    return RunRow(
        namespace=listed.ref.namespace,
        tracker=listed.ref.tracker,
        run=listed.tracker.run_id or "",
        state="unreadable" if run is None else run.state.headline,
        created=listed.tracker.created,
        collected=run is not None and run.collected,
        problem=listed.problem,
        **known,
    )


def _kept_runs(console: Console) -> list[KeptRunRow]:
    from mrunners.render.terminal.run_tables import KeptRunRow
    from mrunners.run.kept_runs import name_of_kept_run
    from mrunners.run.report_store import ReportStore, default_store_path

    kept = ReportStore(default_store_path(), console.warn).kept_runs()
    runs = kept.all()
    return [
        KeptRunRow(
            name=name_of_kept_run(run, runs),
            run=run.plan.run_id,
            namespace=run.plan.namespace,
            tracker=run.plan.tracker,
            server=run.server,
            created=run.created,
            pods=run.plan.pod_count,
            reports=kept.count_reports(run),
            image=run.plan.image,
        )
        for run in runs
    ]
