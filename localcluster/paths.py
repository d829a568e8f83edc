"""The paths of all files, computed from the environment. Nothing here changes the disk."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import UsageError

__all__ = ["ClusterFolder", "HostFolder", "cache_root", "cluster_folder", "state_root"]

# The name is used for a folder and in a kubeconfig context.
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class HostFolder:
    """The files of one process host."""

    path: Path

    @property
    def name(self) -> str:
        """The name of the node."""
        return self.path.name

    @property
    def log(self) -> Path:
        """The log of its agent."""
        return self.path / "agent.log"

    @property
    def identity(self) -> Path:
        """The identity of its agent, which that writes itself once it serves logs."""
        return self.path / "agent.json"

    @property
    def certificate(self) -> Path:
        """The key and certificate of its log server."""
        return self.path / "agent.pem"

    @property
    def pods(self) -> Path:
        """One folder per pod, named by its UID."""
        return self.path / "pods"


@dataclass(frozen=True)
class ClusterFolder:
    """The state folder of one cluster; `down` deletes everything in it."""

    name: str
    path: Path

    @property
    def lock(self) -> Path:
        """The file that a command which changes the cluster holds with flock."""
        return self.path / "lock"

    @property
    def kwok_workdir(self) -> Path:
        """The KWOK_WORKDIR of kwokctl."""
        return self.path / "kwok"

    @property
    def plane(self) -> Path:
        """The folder in which kwokctl keeps the PKI, pid files, logs and etcd's data."""
        return self.kwok_workdir / "clusters" / self.name

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig; `up --kubeconfig` writes a second one elsewhere."""
        return self.path / "kubeconfig"

    @property
    def record(self) -> Path:
        """What `up` has started and written."""
        return self.path / "record.json"

    @property
    def agent_config(self) -> Path:
        """The configuration that all agents share: images, limits."""
        return self.path / "agent-config.json"

    def host(self, name: str) -> HostFolder:
        """Return the folder of a process host.

        Args:
            name: The name of the node.
        """
        return HostFolder(self.path / "hosts" / name)

    def hosts(self) -> list[HostFolder]:
        """Return the folders of all process hosts that exist or have existed."""
        return [HostFolder(path) for path in sorted((self.path / "hosts").glob("*"))]

    @property
    def kubelets(self) -> Path:
        """The files of kubelet hosts, in one folder per host, and those of what they share."""
        return self.path / "kubelets"


def _root(environ: Mapping[str, str], variable: str, xdg_variable: str, default: str) -> Path:
    override = environ.get(variable)
    if override:
        return Path(override).expanduser().absolute()
    # The XDG Base Directory Specification says to ignore relative paths.
    xdg = environ.get(xdg_variable, "")
    base = Path(xdg) if xdg.startswith("/") else Path(environ.get("HOME", "/")) / default
    return base / "mrunners" / "localcluster"


def cache_root(environ: Mapping[str, str]) -> Path:
    """Return the folder for built binaries, which is outside the checkout."""
    return _root(environ, "MRUNNERS_LOCALCLUSTER_CACHE", "XDG_CACHE_HOME", ".cache")


def state_root(environ: Mapping[str, str]) -> Path:
    """Return the folder that holds one folder per cluster."""
    return _root(environ, "MRUNNERS_LOCALCLUSTER_STATE", "XDG_STATE_HOME", ".local/state")


def cluster_folder(name: str, environ: Mapping[str, str]) -> ClusterFolder:
    """Return the state folder of a cluster.

    Args:
        name: Lower-case letters, digits and dashes, at most 40 characters.
        environ: The process's environment.

    Raises:
        UsageError: The name cannot be a folder's.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"--name {name!r}: use lower-case letters, digits and dashes, at most 40 characters"
        )
    return ClusterFolder(name=name, path=state_root(environ) / name)
