"""Serves the logs of pods that only kwok simulates, as a kubelet does for the API server.

Every pod has the same report, in a frame of its own. The API server asks the port that a node's
status names, and does not check the certificate of a kubelet unless it is told to.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import ssl
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from localcluster.agent.certificate import write_certificate
from tests.cluster.commands import Kubectl, until
from tests.factories import begin_line, body_of, end_line, folded

__all__ = ["LogServer", "log_server"]

_ADDRESS = "127.0.0.1"
# /containerLogs/NAMESPACE/mrunners-JOB-INDEX-abcde/runner
_LOG = re.compile(r"/containerLogs/[^/]+/((mrunners-\d+)-(\d+)-[a-z0-9]+)/[^/]+")


class LogServer:
    """What the server answers.

    Attributes:
        run_id: The run whose pods have a log; to be set once it is known.
    """

    def __init__(self, report: bytes) -> None:
        self.run_id = ""
        self._report, self._body = report, body_of(report)
        self._lines = folded(self._body)

    def log(self, pod: str, job: str, index: int) -> bytes:
        """Return the log of a pod."""
        address: dict[str, object] = {"run": self.run_id, "job": job, "index": index}
        begin = begin_line(self._report, self._body, **address, pod=pod)
        return b"\n".join([b"", begin, *self._lines, end_line(self._report, **address), b""])


@contextlib.contextmanager
def log_server(folder: Path, kubectl: Kubectl, report: bytes) -> Iterator[LogServer]:
    """Serve the report as the log of every pod on the nodes of a cluster."""
    logs = LogServer(report)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = _LOG.fullmatch(urlsplit(self.path).path)
            body = logs.log(found[1], found[2], int(found[3])) if found else b""
            self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Write no access log."""

    server = ThreadingHTTPServer((_ADDRESS, 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = folder / "log-server.pem"
    write_certificate(certificate, datetime.datetime.now(datetime.UTC))
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        _point_nodes_at(kubectl, server.server_port)
        yield logs
    finally:
        server.shutdown()
        server.server_close()


def _point_nodes_at(kubectl: Kubectl, port: int) -> None:
    def ready() -> bool:
        nodes = kubectl.objects("nodes")
        return all(node["status"].get("daemonEndpoints") for node in nodes)

    until("kwok has initialized its nodes", ready)
    status = {
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "addresses": [{"type": "InternalIP", "address": _ADDRESS}],
    }
    patch = json.dumps({"status": status})
    for name in kubectl.names("nodes"):
        kubectl("patch", "node", name, "--subresource=status", "--type=merge", f"--patch={patch}")
