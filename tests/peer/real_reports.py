"""Reports that the real kperf printed, against a real API server, a deaf one and none.

It must not look into them.
"""

from __future__ import annotations

import socket
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from tests.peer.group_server import PeerCluster

__all__ = ["ABSENT", "LIST", "deaf_address", "real_report", "spec"]

LIST = {"shares": 50, "staleList": {"version": "v1", "resource": "namespaces"}}
GET = {
    "shares": 50,
    "quorumGet": {"version": "v1", "resource": "namespaces", "name": "kube-system"},
}
ABSENT = {"shares": 50, "staleGet": {"version": "v1", "resource": "namespaces", "name": "absent"}}


def spec(*requests: dict[str, Any], total: int = 200) -> dict[str, Any]:
    """A load as fast as it goes."""
    load = {"rate": 0, "total": total, "conns": 2, "client": 4, "contentType": "json"}
    return {**load, "requests": list(requests or (LIST, GET))}


def real_report(
    cluster: PeerCluster, folder: Path, *specs: dict[str, Any], server: str | None = None
) -> bytes:
    """What one runner's kperf writes with --raw-data.

    Args:
        folder: an empty one for its files.
        specs: its load.
        server: another API server than the cluster's.
    """
    folder.mkdir()
    profile = {"version": 1, "description": "peer", "specs": list(specs)}
    (folder / "profile.yaml").write_text(yaml.safe_dump(profile))
    access = yaml.safe_load(cluster.kubeconfig.read_text())
    if server is not None:
        for known in access["clusters"]:
            known["cluster"]["server"] = server
    (folder / "kubeconfig").write_text(yaml.safe_dump(access))
    where = [f"--kubeconfig={folder}/kubeconfig", f"--result={folder}/report.json"]
    words = ["-v=0", "runner", "run", f"--config={folder}/profile.yaml", "--raw-data", *where]
    subprocess.run([cluster.kperf, *words], check=True, capture_output=True, timeout=120)
    return (folder / "report.json").read_bytes()


def deaf_address() -> closing[socket.socket]:
    """A port that takes connections and never says a word: kperf's TLS handshake times out."""
    return closing(socket.create_server(("127.0.0.1", 0)))
