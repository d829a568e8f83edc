"""`mrunners delete`: removes a run and waits until nothing of it is left.

It must not ask; what was not seen needs --force.
"""

from __future__ import annotations

import click

from mrunners_cli.console import Console
from mrunners_cli.options import (
    kubeconfig_option,
    namespace_argument,
    quiet_option,
    tracker_option,
)

__all__ = ["delete"]


@click.command(short_help="Delete a run: tracker, Jobs and pods.")
@namespace_argument
@kubeconfig_option
@tracker_option
@click.option(
    "--force", is_flag=True, help="Also a run that has not finished, or was never collected."
)
@quiet_option
def delete(namespace: str, kubeconfig: str, tracker: str | None, force: bool, quiet: bool) -> None:
    """Delete the run in NAMESPACE: its tracker, Jobs and pods.

    Returns when all of them are gone, so that the next run starts on a quiet cluster. Reports
    that were brought home stay on this machine.

    \b
    Examples:
      mrunners delete load
      mrunners delete load --tracker nightly --force
    """
    from mrunners.errors import RefusedError
    from mrunners.kube.client import KubernetesCluster
    from mrunners.plan.metadata import DEFAULT_TRACKER
    from mrunners.run.delete import delete_run, delete_tracker, wait_for_remaining
    from mrunners.run.lookup import get_run, get_tracker

    with Console(quiet=quiet) as console:
        cluster = KubernetesCluster(kubeconfig, warn=console.warn)
        try:
            seen = get_tracker(cluster, namespace, tracker)
        except RefusedError:
            # An interrupted delete leaves pods that are still ending, and no tracker.
            if not wait_for_remaining(cluster, namespace, tracker or DEFAULT_TRACKER, console):
                raise
            console.info(f"what was left of the run in namespace {namespace} is gone")
            return
        if force:
            delete_tracker(cluster, namespace, seen, console)
        else:
            found = get_run(cluster, namespace, seen.name)
            delete_run(cluster, found, console, force=False)
        console.info(f"deleted tracker {seen.name} in namespace {namespace} with its Jobs and pods")
