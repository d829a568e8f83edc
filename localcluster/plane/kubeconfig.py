"""Write a kubeconfig that contains its certificates.

A file that holds other clusters is never overwritten.
"""

import base64
import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

from localcluster.errors import KubeconfigError, PlaneError
from localcluster.paths import ClusterFolder

__all__ = [
    "AdminCredentials",
    "context_name",
    "is_localcluster_kubeconfig",
    "read_server",
    "write_kubeconfig",
]

PREFIX = "localcluster-"


def context_name(name: str) -> str:
    """Return the name of the context, cluster and user in a cluster's kubeconfig.

    Args:
        name: The name of the cluster.
    """
    return PREFIX + name


def is_localcluster_kubeconfig(text: str) -> bool:
    """Return whether a kubeconfig holds local clusters only, so that it may be replaced or deleted.

    Args:
        text: The content of the file.
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
            isinstance(entry, dict) and str(entry.get("name", "")).startswith(PREFIX)
            for entry in clusters
        )
    )


def read_server(folder: ClusterFolder) -> str:
    """Return the URL of the apiserver, from what kwokctl wrote.

    Args:
        folder: The cluster's folder.

    Returns:
        Such as https://127.0.0.1:28811.

    Raises:
        PlaneError: There is no kubeconfig of kwokctl.
    """
    try:
        loaded = yaml.safe_load((folder.plane / "kubeconfig.yaml").read_text())
        return str(loaded["clusters"][0]["cluster"]["server"])
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise PlaneError(f'cluster "{folder.name}" has no usable kubeconfig: {error}') from error


class AdminCredentials:
    """Paths of the administrator's certificates, which kwokctl creates."""

    def __init__(self, folder: ClusterFolder) -> None:
        pki = folder.plane / "pki"
        self.ca_certificate = pki / "ca.crt"
        self.client_certificate = pki / "admin.crt"
        self.client_key = pki / "admin.key"


def write_kubeconfig(folder: ClusterFolder, target: Path) -> None:
    """Write the administrator's kubeconfig atomically, readable by this user only.

    Args:
        folder: The cluster's folder, with a control plane.
        target: The file.

    Raises:
        KubeconfigError: The file exists and was not written by this package.
    """
    if target.is_dir() or (
        target.exists() and not is_localcluster_kubeconfig(target.read_text(errors="replace"))
    ):
        raise KubeconfigError(
            f"{target} already exists and was not written by localcluster, so it was not changed; "
            "choose another file with --kubeconfig"
        )
    credentials = AdminCredentials(folder)
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
                    "certificate-authority-data": inline(credentials.ca_certificate),
                },
            }
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": inline(credentials.client_certificate),
                    "client-key-data": inline(credentials.client_key),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp creates the file with mode 0600.
    handle, temp_path = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(handle, "w") as file:
            yaml.safe_dump(document, file, sort_keys=False)
        Path(temp_path).replace(target)
    except BaseException:
        Path(temp_path).unlink(missing_ok=True)
        raise
