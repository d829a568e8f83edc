"""`mrunners wait`: waits until the Jobs of a run have finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mrunners.refs import ClusterRef
from mrunners_cli.cluster_flags import cluster_options
from mrunners_cli.console import Console
from mrunners_cli.flags import (
    DURATION,
    namespace_options,
    namespace_or_default,
    quiet_option,
    tracker_option,
)
from mrunners_cli.interruption import say_when_interrupted
from mrunners_cli.spelling import examples, variable_of

if TYPE_CHECKING:
    from mrunners.reports.merged import MergedReport
    from mrunners.run.snapshot import RunSnapshot
    from mrunners.run_handle import Run

__all__ = ["wait"]

_EXAMPLES = """\
mrunners wait load
mrunners wait load --timeout 30m && mrunners result load
"""


@click.command(epilog=examples(_EXAMPLES))
@namespace_options
@cluster_options
@tracker_option
@click.option(
    "--timeout",
    type=DURATION,
    envvar=variable_of("timeout"),
    help="Give up after this time, such as 2h (exit 6).",
)
@click.option("--interval", type=DURATION, help="Poll this often. Default: 1s, growing to 8s.")
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

    Reports are fetched as pods end, pods that did not start in time are kept from starting, and
    errors and warnings found in the reports are printed at the end. Exits with 0 when every runner
    has succeeded, with 5 when pods failed or could not start, and with 6 when the timeout has
    passed. What the reports mean is the exit code of result.
    """
    from mrunners.connection import connect_to
    from mrunners.errors import NextStep
    from mrunners.formatting import counted
    from mrunners.hints import command
    from mrunners.run.time_limit import looking_up

    with Console(quiet=quiet) as console:
        with looking_up(namespace, tracker, timeout) as used_seconds:
            connection = connect_to(cluster, console)
            run = connection.get(namespace_or_default(namespace, connection.location), tracker)
        see = command(NextStep.WAIT, run.ref, cluster)
        say_when_interrupted(lambda: f"the run continues; wait for it with: {see}")
        snapshot = run.wait(timeout, interval=interval, waited=used_seconds())
        report = _fetched(run, snapshot)
        console.findings(report)
        snapshot.require_complete()
        done = (
            f"{counted(len(run.plan.jobs), 'Job')} complete"
            if snapshot.state.complete
            else f"{counted(run.plan.pod_count, 'pod')} succeeded"
        )
        doubt = ", but the figures are in doubt" if report.in_doubt else ""
        console.info(
            f"{done}{doubt}; get the report with: {command(NextStep.RESULT, run.ref, cluster)}"
        )


def _fetched(run: Run, snapshot: RunSnapshot) -> MergedReport:
    """Merge what was fetched during the wait, without any request."""
    from mrunners.reports.budget import SampleBudget
    from mrunners.run.result import merge_outcomes
    from mrunners.run.spill_file import SpillFile

    outcomes = run.outcomes(snapshot, stored=True)
    accepted = list(SampleBudget(SpillFile()).accept_all(outcomes))
    return merge_outcomes(run.existing, accepted, traffic={})
