"""The real API server behind all proxies, to which they send requests as the administrator."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import urllib3
import yaml

from localcluster.agent.certificate import write_certificate

__all__ = ["Upstream"]


class Upstream:
    """The real API server, to which this sends requests as the administrator."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        """Read the administrator's credentials, and make the certificate of all proxies."""
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.certificate = folder / "proxy.pem"
        write_certificate(self.certificate, datetime.now(UTC))
        self.server = str(cluster["server"])
        files = {
            name: _file(folder / name, entry, name)
            for name, entry in (
                ("certificate-authority", cluster),
                ("client-certificate", user),
                ("client-key", user),
            )
        }
        self._pool = urllib3.PoolManager(
            maxsize=64,
            retries=False,
            ca_certs=files["certificate-authority"],
            cert_file=files["client-certificate"],
            key_file=files["client-key"],
        )

    def send(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        """Send a request and read the whole answer."""
        return self._pool.request(
            method, self.server + target, body=body or None, headers=dict(headers or {})
        )

    def stream(self, target: str) -> urllib3.BaseHTTPResponse:
        """Send a GET and return as soon as the answer begins."""
        return self._pool.request("GET", self.server + target, preload_content=False)

    def items(self, target: str) -> list[Any]:
        """Return the items of a LIST."""
        items: list[Any] = json.loads(self.send("GET", target).data)["items"]
        return items


def _file(path: Path, entry: Mapping[str, str], name: str) -> str:
    """Return the path of a kubeconfig's file, which may be written into the kubeconfig itself."""
    if name in entry:
        return entry[name]
    path.touch(mode=0o600)
    path.write_bytes(base64.b64decode(entry[f"{name}-data"]))
    return str(path)
