"""A kubeconfig that stands for itself, certificates inside; it must not overwrite others' files."""

import base64
import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

from localcluster.errors import KubeconfigError, PlaneError
from localcluster.paths import ClusterFolder

__all__ = ["Credentials", "context_name", "is_ours", "read_server", "write_kubeconfig"]

PREFIX = "localcluster-"


def context_name(name: str) -> str:
    """The context, cluster and user in the kubeconfig of a cluster.

    Args:
        name: of the cluster.
    """
    return PREFIX + name


def is_ours(text: str) -> bool:
    """Whether a kubeconfig holds local clusters only, so that it may be replaced or removed.

    Args:
        text: the file's content.
    """
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError:
        return False
    clusters = loaded.get("clusters") if isinstance(loaded, dict) else None
    return (
        isinstance(clusters, list)
        and bool(clusters)
        and all(
            isinstance(one, dict) and str(one.get("name", "")).startswith(PREFIX)
            for one in clusters
        )
    )


def read_server(folder: ClusterFolder) -> str:
    """The apiserver's address, from what kwokctl wrote.

    Args:
        folder: of the cluster.
    Returns: such as https://127.0.0.1:28811.
    Raises: PlaneError: kwokctl wrote none.
    """
    try:
        loaded = yaml.safe_load((folder.plane / "kubeconfig.yaml").read_text())
        return str(loaded["clusters"][0]["cluster"]["server"])
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise PlaneError(f"cluster {folder.name} has no kubeconfig: {error}") from error


class Credentials:
    """Paths of the administrator's certificates, made by kwokctl."""

    def __init__(self, folder: ClusterFolder) -> None:
        pki = folder.plane / "pki"
        self.authority = pki / "ca.crt"
        self.certificate = pki / "admin.crt"
        self.key = pki / "admin.key"


def write_kubeconfig(folder: ClusterFolder, target: Path) -> None:
    """Write the administrator's kubeconfig, readable by this user only, all at once.

    Args:
        folder: of the cluster, whose control plane exists.
        target: the file.
    Raises: KubeconfigError: a file of somebody else stands there.
    """
    if target.is_dir() or (target.exists() and not is_ours(target.read_text(errors="replace"))):
        raise KubeconfigError(
            f"{target} is there and was not written by localcluster; it stays as it is: "
            "give another place with --kubeconfig"
        )
    own = Credentials(folder)
    name = context_name(folder.name)

    def inline(path: Path) -> str:
        return base64.b64encode(path.read_bytes()).decode()

    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": read_server(folder),
                    "certificate-authority-data": inline(own.authority),
                },
            }
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": inline(own.certificate),
                    "client-key-data": inline(own.key),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes the file with mode 0600.
    handle, scratch = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(handle, "w") as file:
            yaml.safe_dump(document, file, sort_keys=False)
        Path(scratch).replace(target)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
