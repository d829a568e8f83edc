"""`mrunners rbac`: prints the smallest roles for runners and for who runs mrunners."""

from __future__ import annotations

import click

from mrunners.plan.option_table import OPTIONS
from mrunners.refs import ClusterRef
from mrunners_cli.cluster_flags import cluster_options
from mrunners_cli.console import Console
from mrunners_cli.flags import namespace_options, namespace_or_default, option_from_table
from mrunners_cli.spelling import examples

__all__ = ["rbac"]

_EXAMPLES = """\
mrunners rbac -n load --runners file:///etc/load.yaml
mrunners rbac -n load --runners file:///etc/load.yaml | kubectl apply --filename -
"""

# Not `default`, which every pod of the namespace has that names no other.
_ACCOUNT = "kperf-runner"


@click.command(epilog=examples(_EXAMPLES))
@namespace_options
@cluster_options
@option_from_table(
    OPTIONS["runners"], help="A runner URI as for `run`; its load profile is read. Repeatable."
)
@option_from_table(
    OPTIONS["service_account"],
    default=_ACCOUNT,
    show_default=True,
    help="The ServiceAccount of the runners' pods, where a runner group names no other.",
)
def rbac(
    namespace: str, cluster: ClusterRef, runners: tuple[str, ...], service_account: str
) -> None:
    """Print ServiceAccounts, roles and bindings as YAML; create nothing.

    The ServiceAccount of the runners may send the requests of their load profiles, and nothing
    else; the ServiceAccount mrunners may run them.
    """
    from mrunners.connection import connect_to
    from mrunners.run.roles import roles_of_run
    from mrunners_cli.output import write_output
    from mrunners_cli.yaml_text import to_yaml_stream

    with Console(quiet=False) as console:
        connection = connect_to(cluster, console)
        namespace = namespace_or_default(namespace, connection.location)
        roles = roles_of_run(connection.cluster, namespace, runners, service_account)
        write_output(to_yaml_stream(roles), None)
