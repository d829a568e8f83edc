"""Reports of the real kperf against a real API server, one that never answers, and none."""

from __future__ import annotations

import socket
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from tests.peer.group_server import PeerCluster

__all__ = ["ABSENT", "LIST", "real_report", "silent_server", "spec"]

LIST = {"shares": 50, "staleList": {"version": "v1", "resource": "namespaces"}}
GET = {
    "shares": 50,
    "quorumGet": {"version": "v1", "resource": "namespaces", "name": "kube-system"},
}
ABSENT = {"shares": 50, "staleGet": {"version": "v1", "resource": "namespaces", "name": "absent"}}


def spec(*requests: dict[str, Any], total: int = 200) -> dict[str, Any]:
    """Return a spec without a rate limit."""
    load = {"rate": 0, "total": total, "conns": 2, "client": 4, "contentType": "json"}
    return {**load, "requests": list(requests or (LIST, GET))}


def real_report(
    cluster: PeerCluster, folder: Path, *specs: dict[str, Any], server: str | None = None
) -> bytes:
    """Run kperf as one runner does, and return its report.

    Args:
        cluster: The cluster whose API server gets the load.
        folder: Where kperf's files are written; it must not exist.
        specs: The specs of the load profile.
        server: The URL of another API server than the cluster's.
    """
    folder.mkdir()
    profile = {"version": 1, "description": "peer", "specs": list(specs)}
    (folder / "profile.yaml").write_text(yaml.safe_dump(profile))
    kubeconfig = yaml.safe_load(cluster.kubeconfig.read_text())
    if server is not None:
        for entry in kubeconfig["clusters"]:
            entry["cluster"]["server"] = server
    (folder / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    files = [f"--kubeconfig={folder}/kubeconfig", f"--result={folder}/report.json"]
    arguments = ["-v=0", "runner", "run", f"--config={folder}/profile.yaml", "--raw-data", *files]
    subprocess.run([cluster.kperf, *arguments], check=True, capture_output=True, timeout=120)
    return (folder / "report.json").read_bytes()


def silent_server() -> closing[socket.socket]:
    """Listen on a port and never answer, so that kperf's TLS handshake times out."""
    return closing(socket.create_server(("127.0.0.1", 0)))
