"""The command line of the local cluster; it must not contain what the commands do."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

import click

from localcluster.agent.config import DEFAULT_LOG_LIMIT
from localcluster.console import say
from localcluster.errors import LocalClusterError
from localcluster.paths import ClusterFolder, cluster_folder

__all__ = ["main"]

NAME = click.option("--name", default="mrunners", show_default=True, help="Of the cluster.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cluster() -> None:
    """A real Kubernetes for this machine: etcd, apiserver, controllers, scheduler and hosts."""


@cluster.command()
def build() -> None:
    """Build the pinned binaries into the cache, once."""
    from localcluster.binaries.builder import build_binaries  # noqa: PLC0415  # --help stays light

    build_binaries(os.environ)


@cluster.command()
@NAME
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it; by default into the state folder.",
)
@click.option("--process-hosts", type=click.IntRange(0, 100), default=4, show_default=True)
@click.option("--kwok-hosts", type=click.IntRange(0, 10000), default=0, show_default=True)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="NAME=PATH:FILE",
    help="Let the process hosts know one more image: FILE is what stands at PATH in it.",
)
@click.option(
    "--log-limit",
    type=click.IntRange(1024),
    default=DEFAULT_LOG_LIMIT,
    show_default=True,
    help="Bytes of log per container before it is rotated.",
)
def up(
    name: str,
    kubeconfig: Path | None,
    process_hosts: int,
    kwok_hosts: int,
    images: tuple[str, ...],
    log_limit: int,
) -> None:
    """Start a cluster, or bring one to what is asked; prints the kubeconfig's path."""
    from localcluster.lifecycle import up as lifecycle  # noqa: PLC0415

    wanted = lifecycle.Wanted(kubeconfig, process_hosts, kwok_hosts, images, log_limit)
    click.echo(lifecycle.up(cluster_folder(name, os.environ), wanted, os.environ))


@cluster.command()
@NAME
def down(name: str) -> None:
    """Stop a cluster and remove all of it."""
    from localcluster.lifecycle.down import down as take_down  # noqa: PLC0415

    take_down(cluster_folder(name, os.environ), os.environ)


@cluster.command(context_settings={"ignore_unknown_options": True})
@NAME
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def kubectl(name: str, words: tuple[str, ...]) -> None:
    """Run the built kubectl against a cluster: `kubectl -- get pods`."""
    from localcluster.binaries.builder import binary_folder  # noqa: PLC0415

    folder = cluster_folder(name, os.environ)
    program = binary_folder(os.environ) / "kubectl"
    if not folder.kubeconfig.exists() or not program.exists():
        raise LocalClusterError(
            f"cluster {name} is not there; start it with `python -m localcluster up --name {name}`"
        )
    command = [str(program), "--kubeconfig", str(folder.kubeconfig), *words]
    # Its cache goes with the cluster, and proxies are for the way out of this machine.
    own = {"KUBECACHEDIR": str(folder.path / "kubectl-cache"), "NO_PROXY": "*", "no_proxy": "*"}
    os.execve(program, command, dict(os.environ) | own)  # noqa: S606


@cluster.command(hidden=True)
@click.option("--folder", type=click.Path(path_type=Path, exists=True), required=True)
def agent(folder: Path) -> None:
    """Be the agent of a cluster's process hosts (`up` starts it)."""
    from localcluster.agent.daemon import run_agent  # noqa: PLC0415

    run_agent(ClusterFolder(name=folder.name, path=folder))


def _stop(_number: int, _frame: FrameType | None) -> None:
    # As an exception it takes the way of every other failure, so that what was begun is undone.
    raise SystemExit(143)


def main() -> None:
    """Run a command; known errors end with one message and no traceback."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        cluster.main(prog_name="python -m localcluster", standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        sys.exit(130)
    except LocalClusterError as error:
        say(f"error: {error}")
        sys.exit(error.exit_code)
