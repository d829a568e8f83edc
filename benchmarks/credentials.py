"""A plain connection to the API server, for loops that measure what it allows."""

from __future__ import annotations

import base64
import http.client
import ssl
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import yaml

__all__ = ["connection"]


def connection(kubeconfig: Path) -> http.client.HTTPSConnection:
    """Return a connection with the client certificate of a local cluster's kubeconfig."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = _file(cluster, "certificate-authority")
    context = ssl.create_default_context(cafile=authority)
    context.load_cert_chain(_file(user, "client-certificate"), _file(user, "client-key"))
    address = urlsplit(cluster["server"])
    return http.client.HTTPSConnection(address.hostname or "", address.port, context=context)


def _file(entry: dict[str, str], key: str) -> str:
    """Return the path of a file that the kubeconfig names or contains."""
    if key in entry:
        return entry[key]
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(base64.b64decode(entry[f"{key}-data"]))
    return file.name
