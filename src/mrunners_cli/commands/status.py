"""`mrunners status`: shows how far a run is."""

from __future__ import annotations

import click

from mrunners.refs import ClusterRef
from mrunners_cli.console import Console
from mrunners_cli.flags import cluster_options, examples, namespace_argument, tracker_option

__all__ = ["status"]

_EXAMPLES = """\
mrunners status load
while mrunners status load --exit-code > /dev/null; [ $? -eq 4 ]; do sleep 10; done
"""


@click.command(
    short_help="Show a run's progress and what is holding it up.", epilog=examples(_EXAMPLES)
)
@namespace_argument
@cluster_options
@tracker_option
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="table for people, json for programs.",
)
@click.option(
    "--exit-code",
    is_flag=True,
    help="Exit with 0 when done, 4 while running, 5 when finished with failures.",
)
def status(
    namespace: str, cluster: ClusterRef, tracker: str | None, output_format: str, exit_code: bool
) -> int:
    """Show the progress of the run in NAMESPACE, and what keeps pods from starting."""
    from mrunners.connection import connect
    from mrunners.errors import ExitCode
    from mrunners.hints import step_lines
    from mrunners.render.terminal.run_status import render_status, run_status
    from mrunners.status.diagnostics import diagnosis_lines
    from mrunners_cli.output import columns

    with Console(quiet=False) as console:
        connection = connect(cluster.kubeconfig, context=cluster.context, observer=console)
        run = connection.get(namespace, tracker)
        snapshot = run.snapshot(run.existing.state)
    starting = [diagnosis for diagnosis in snapshot.diagnoses if not diagnosis.overdue]
    failures = snapshot.failures
    record = run_status(
        run.ref,
        run_id=run.plan.run_id,
        state=snapshot.state,
        collected=run.existing.collected,
        pod_options=tuple(run.plan.pods.described()),
        problems=[
            *failures,
            *snapshot.holds,
            *diagnosis_lines(snapshot.state, starting).values(),
        ],
    )
    if output_format == "json":
        click.echo(record.model_dump_json(by_alias=True, indent=2))
    else:
        click.echo(render_status(record, run.describe(), width=columns()), nl=False)
        if failures:
            for line in step_lines(snapshot.next_steps, run.ref, cluster):
                click.echo(line)
    if not exit_code:
        return ExitCode.DONE
    if snapshot.may_finish:
        return ExitCode.STILL_RUNNING
    return ExitCode.INCOMPLETE if failures else ExitCode.DONE
