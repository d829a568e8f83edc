"""The command line of the local cluster."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

import click

from localcluster.agent.config import DEFAULT_LOG_LIMIT_BYTES
from localcluster.console import print_line
from localcluster.errors import LocalClusterError
from localcluster.paths import cluster_folder

__all__ = ["main"]

NAME = click.option(
    "--name", default="mrunners", show_default=True, help="Name of the cluster.", metavar="NAME"
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cluster() -> None:
    """Run a real Kubernetes cluster on this machine, without a container engine.

    It consists of etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok, and of
    nodes that run each container as a plain process (process hosts), only simulate pods (kwok
    hosts), or have a real kubelet and containerd, which needs root (kubelet hosts). Progress goes
    to stderr.
    """


@cluster.command()
@click.option("--kubelets", is_flag=True, help="Also what kubelet hosts need.")
def build(kubelets: bool) -> None:
    """Build the pinned binaries into the cache.

    This takes 7 to 20 minutes on two cores the first time. It needs Go 1.21 or newer.
    """
    from localcluster.binaries.builder import build_binaries  # noqa: PLC0415  # --help stays light

    build_binaries(os.environ, kubelets=kubelets)


@cluster.command()
def requirements() -> None:
    """Say what this machine lacks for kubelet hosts; exit with 2 if it lacks anything."""
    from localcluster.kubelets.requirements import require_kubelet_hosts  # noqa: PLC0415

    require_kubelet_hosts(os.environ)


@cluster.command()
@NAME
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the kubeconfig to this file.  [default: in the state folder]",
)
@click.option(
    "--process-hosts",
    type=click.IntRange(0, 100),
    help="Number of nodes that run containers as processes of this machine.  [default: 4; 0 with "
    "--kubelet-hosts]",
)
@click.option(
    "--kubelet-hosts",
    type=click.IntRange(0, 20),
    default=0,
    show_default=True,
    help="Number of nodes with a real kubelet and containerd; needs root.",
)
@click.option(
    "--kwok-hosts",
    type=click.IntRange(0, 10000),
    default=0,
    show_default=True,
    help="Number of nodes on which kwok only simulates pods.",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="NAME=PATH:FILE",
    help="Make one more image available on the process hosts: it contains the local FILE at PATH. "
    "Can be repeated.",
)
@click.option(
    "--log-limit",
    type=click.IntRange(1024),
    default=DEFAULT_LOG_LIMIT_BYTES,
    show_default=True,
    metavar="BYTES",
    help="Rotate a container's log at this size.",
)
def up(
    name: str,
    kubeconfig: Path | None,
    process_hosts: int | None,
    kubelet_hosts: int,
    kwok_hosts: int,
    images: tuple[str, ...],
    log_limit: int,
) -> None:
    """Start a cluster, or change a running one to these options.

    Prints the path of the kubeconfig on stdout. Builds the binaries first if they are missing.
    """
    from localcluster.lifecycle import up as lifecycle  # noqa: PLC0415

    if process_hosts is None:
        process_hosts = 0 if kubelet_hosts else 4
    options = lifecycle.ClusterOptions(
        kubeconfig, process_hosts, kwok_hosts, images, log_limit, kubelet_hosts
    )
    click.echo(lifecycle.up(cluster_folder(name, os.environ), options, os.environ))


@cluster.command()
@NAME
def down(name: str) -> None:
    """Stop a cluster and delete all its data."""
    from localcluster.lifecycle.down import down as stop_cluster  # noqa: PLC0415

    stop_cluster(cluster_folder(name, os.environ), os.environ)


@cluster.command(context_settings={"ignore_unknown_options": True})
@NAME
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[--] ARGUMENTS...")
def kubectl(name: str, arguments: tuple[str, ...]) -> None:
    """Run kubectl against a cluster, for example `kubectl -- get pods`."""
    from localcluster.binaries.builder import binary_folder  # noqa: PLC0415

    folder = cluster_folder(name, os.environ)
    program = binary_folder(os.environ) / "kubectl"
    if not folder.kubeconfig.exists() or not program.exists():
        raise LocalClusterError(
            f'cluster "{name}" does not exist; '
            f"create it with `python -m localcluster up --name {name}`"
        )
    command = [str(program), "--kubeconfig", str(folder.kubeconfig), *arguments]
    # The cache is deleted with the cluster, and a proxy must not see requests to loopback.
    own = {"KUBECACHEDIR": str(folder.path / "kubectl-cache"), "NO_PROXY": "*", "no_proxy": "*"}
    os.execve(program, command, dict(os.environ) | own)  # noqa: S606


@cluster.command(hidden=True)
@click.option("--port", type=int, required=True)
@click.option("--holder", type=int, required=True)
def relay(port: int, holder: int) -> None:
    """Relay connections to the API server of a cluster with kubelet hosts. `up` starts it."""
    from localcluster.kubelets.relay import run_relay  # noqa: PLC0415

    run_relay(port, holder)


def _exit_on_sigterm(_number: int, _frame: FrameType | None) -> None:
    # An exception, so that an unfinished command cleans up as after any other failure.
    raise SystemExit(143)


def main() -> None:
    """Run a command; a known error ends with one message and no traceback."""
    signal.signal(signal.SIGTERM, _exit_on_sigterm)
    try:
        cluster.main(prog_name="python -m localcluster", standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        print_line("interrupted")
        sys.exit(130)
    except LocalClusterError as error:
        print_line(f"error: {error}")
        sys.exit(error.exit_code)
