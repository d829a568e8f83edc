"""`mrunners status`: how far a run is, now.

It must not wait or bring anything home.
"""

from __future__ import annotations

import click

from mrunners_cli.console import Console
from mrunners_cli.options import kubeconfig_option, namespace_argument, tracker_option

__all__ = ["status"]


@click.command(short_help="Show how far a run is, and what keeps it.")
@namespace_argument
@kubeconfig_option
@tracker_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="table for people, json for programs.",
)
@click.option(
    "--exit-code", is_flag=True, help="End with 0 done, 4 still running, 5 ended with failures."
)
def status(namespace: str, kubeconfig: str, tracker: str | None, form: str, exit_code: bool) -> int:
    """Show how far the run in NAMESPACE is, and what keeps pods from starting.

    \b
    Examples:
      mrunners status load
      while mrunners status load --exit-code > /dev/null; [ $? -eq 4 ]; do sleep 10; done
    """
    from mrunners.errors import ExitCode
    from mrunners.kube.client import KubernetesCluster
    from mrunners.render.terminal.run_status import render_status, run_status
    from mrunners.run.lookup import describe_run, get_run
    from mrunners.run.snapshot import failures, read_snapshot
    from mrunners.status.diagnostics import diagnosis_lines

    with Console(quiet=False) as console:
        cluster = KubernetesCluster(kubeconfig, warn=console.warn)
        found = get_run(cluster, namespace, tracker)
        snapshot = read_snapshot(cluster, found, found.state)
    problems = failures(found, snapshot)
    starting = diagnosis_lines(snapshot.state, [d for d in snapshot.diagnoses if not d.overdue])
    record = run_status(
        namespace=namespace,
        tracker=found.tracker.name,
        run_id=found.plan.run_id,
        state=snapshot.state,
        collected=found.collected,
        problems=[*problems, *starting],
    )
    if form == "json":
        click.echo(record.model_dump_json(by_alias=True, indent=2))
    else:
        click.echo(render_status(record, describe_run(cluster, found)), nl=False)
    if not exit_code:
        return ExitCode.DONE
    if snapshot.may_finish:
        return ExitCode.STILL_RUNNING
    return ExitCode.INCOMPLETE if problems else ExitCode.DONE
