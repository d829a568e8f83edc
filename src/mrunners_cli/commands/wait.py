"""`mrunners wait`: waits until the Jobs of a run have finished."""

from __future__ import annotations

import click

from mrunners.refs import ClusterRef
from mrunners_cli.console import Console
from mrunners_cli.flags import (
    DURATION,
    cluster_options,
    examples,
    namespace_argument,
    quiet_option,
    tracker_option,
)

__all__ = ["wait"]

_EXAMPLES = """\
mrunners wait load
mrunners wait load --timeout 30m && mrunners result load
"""


@click.command(short_help="Wait until every Job of a run has finished.", epilog=examples(_EXAMPLES))
@namespace_argument
@cluster_options
@tracker_option
@click.option("--timeout", type=DURATION, help="Give up after this time, such as 2h (exit 6).")
@click.option("--interval", type=DURATION, help="Poll this often. Default: 1s, growing to 15s.")
@quiet_option
def wait(
    namespace: str,
    cluster: ClusterRef,
    tracker: str | None,
    timeout: float | None,
    interval: float | None,
    quiet: bool,
) -> None:
    """Wait until every Job of the run in NAMESPACE has finished.

    Reports are fetched as pods end, and pods that did not start in time are kept from starting.
    Exits with 0 when every runner has succeeded, with 5 when pods failed or could not start, and
    with 6 when the timeout has passed.
    """
    from mrunners.connection import connect
    from mrunners.errors import NextStep
    from mrunners.formatting import counted
    from mrunners.hints import command

    with Console(quiet=quiet) as console:
        connection = connect(cluster.kubeconfig, context=cluster.context, observer=console)
        run = connection.get(namespace, tracker)
        snapshot = run.wait(timeout, interval=interval)
        snapshot.require_complete()
        done = (
            f"{counted(len(run.plan.jobs), 'Job')} complete"
            if snapshot.state.complete
            else f"{counted(run.plan.pod_count, 'pod')} succeeded"
        )
        console.info(f"{done}; get the report with: {command(NextStep.RESULT, run.ref, cluster)}")
