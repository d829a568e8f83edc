"""Where things lie, decided from the environment; it must not create or read anything."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import UsageError

__all__ = ["ClusterFolder", "cache_root", "cluster_folder", "state_root"]

# The name becomes a folder and part of a kubeconfig context.
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class ClusterFolder:
    """The state folder of one cluster; everything in it goes with `down`."""

    name: str
    path: Path

    @property
    def lock(self) -> Path:
        """Held with flock by whoever changes the cluster."""
        return self.path / "lock"

    @property
    def kwok_workdir(self) -> Path:
        """KWOK_WORKDIR of kwokctl."""
        return self.path / "kwok"

    @property
    def plane(self) -> Path:
        """What kwokctl keeps of this cluster: PKI, pid files, logs, etcd's data."""
        return self.kwok_workdir / "clusters" / self.name

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig when no other place was asked for."""
        return self.path / "kubeconfig"

    @property
    def record(self) -> Path:
        """What `up` has started and written."""
        return self.path / "record.json"

    @property
    def agent_orders(self) -> Path:
        """What the agent shall do: hosts, images, limits."""
        return self.path / "agent-orders.json"

    @property
    def agent_log(self) -> Path:
        """What the agent says."""
        return self.path / "agent.log"

    @property
    def pods(self) -> Path:
        """One folder per pod that runs here, named by its UID."""
        return self.path / "pods"


def _base(environ: Mapping[str, str], own: str, xdg: str, default: str) -> Path:
    chosen = environ.get(own)
    if chosen:
        return Path(chosen).expanduser().absolute()
    # The XDG base directory specification: relative paths there are to be ignored.
    shared = environ.get(xdg, "")
    base = Path(shared) if shared.startswith("/") else Path(environ.get("HOME", "/")) / default
    return base / "mrunners" / "localcluster"


def cache_root(environ: Mapping[str, str]) -> Path:
    """The folder of built binaries, outside the checkout.

    Args:
        environ: the process's environment.
    """
    return _base(environ, "MRUNNERS_LOCALCLUSTER_CACHE", "XDG_CACHE_HOME", ".cache")


def state_root(environ: Mapping[str, str]) -> Path:
    """The folder that holds one folder per cluster.

    Args:
        environ: the process's environment.
    """
    return _base(environ, "MRUNNERS_LOCALCLUSTER_STATE", "XDG_STATE_HOME", ".local/state")


def cluster_folder(name: str, environ: Mapping[str, str]) -> ClusterFolder:
    """The folder of one cluster.

    Args:
        name: lower-case letters, digits and dashes, at most 40.
        environ: the process's environment.
    Raises: UsageError: the name cannot be a folder's.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"--name {name!r}: use lower-case letters, digits and dashes, at most 40 characters"
        )
    return ClusterFolder(name=name, path=state_root(environ) / name)
