"""`mrunners wait`: until the Jobs of a run have ended.

It must not start or remove anything.
"""

from __future__ import annotations

import click

from mrunners_cli.console import Console
from mrunners_cli.options import (
    DURATION,
    kubeconfig_option,
    namespace_argument,
    quiet_option,
    tracker_option,
)

__all__ = ["wait"]


@click.command(short_help="Wait until every Job of a run has ended.")
@namespace_argument
@kubeconfig_option
@tracker_option
@click.option("--timeout", type=DURATION, help="Give up after this long, such as 2h (exit 6).")
@click.option("--interval", type=DURATION, help="Poll this often.  [default: 1s, growing to 15s]")
@quiet_option
def wait(
    namespace: str,
    kubeconfig: str,
    tracker: str | None,
    timeout: float | None,
    interval: float | None,
    quiet: bool,
) -> None:
    """Wait until every Job of the run in NAMESPACE has ended.

    Reports are brought home as pods end. Ends with 0 when every Job is Complete, with 5 when
    pods failed or could not start, with 6 when the time is up.

    \b
    Examples:
      mrunners wait load
      mrunners wait load --timeout 30m && mrunners result load
    """
    from mrunners.errors import IncompleteError
    from mrunners.kube.client import KubernetesCluster
    from mrunners.run.lookup import get_run
    from mrunners.run.report_store import ReportStore, default_store_path
    from mrunners.run.wait import wait_for_run

    with Console(quiet=quiet) as console:
        cluster = KubernetesCluster(kubeconfig, warn=console.warn)
        found = get_run(cluster, namespace, tracker)
        problems = wait_for_run(
            cluster,
            found,
            ReportStore(default_store_path()),
            console,
            timeout_seconds=timeout,
            interval_seconds=interval,
        )
        if problems:
            raise IncompleteError("\n".join(problems))
        console.info(
            f"all {len(found.plan.jobs)} Jobs are complete; see the report with: "
            f"mrunners result {namespace} --tracker {found.tracker.name}"
        )
