"""`mrunners delete`: deletes a run and waits until nothing of it is left."""

from __future__ import annotations

import click

from mrunners.refs import ClusterRef
from mrunners_cli.cluster_flags import cluster_options
from mrunners_cli.console import Console
from mrunners_cli.flags import (
    namespace_options,
    namespace_or_default,
    quiet_option,
    tracker_option,
)
from mrunners_cli.interruption import say_when_interrupted
from mrunners_cli.spelling import examples

__all__ = ["delete"]

_EXAMPLES = """\
mrunners delete load
mrunners delete load --tracker nightly --force
"""


@click.command(epilog=examples(_EXAMPLES))
@namespace_options
@cluster_options
@tracker_option
@click.option(
    "--force", is_flag=True, help="Also a run that has not finished, or was never collected."
)
@quiet_option
def delete(
    namespace: str, cluster: ClusterRef, tracker: str | None, force: bool, quiet: bool
) -> None:
    """Delete the run in NAMESPACE: its tracker, Jobs and pods.

    Returns when all of them are gone, so that the next run starts on a quiet cluster. Reports that
    were fetched stay on this machine.
    """
    from mrunners.connection import connect_to

    with Console(quiet=quiet) as console:
        connection = connect_to(cluster, console)
        namespace = namespace_or_default(namespace, connection.location)
        say_when_interrupted(
            lambda: "a deletion that has begun continues; wait for its end with the same command"
        )
        run = connection.delete(namespace, tracker, force=force)
        console.info(f"deleted tracker {run} with its Jobs and pods")
