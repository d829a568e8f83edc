"""A small HTTP server on 127.0.0.1 that sends what a test prepared, and kubeconfigs for it."""

from __future__ import annotations

import json
import socket
import ssl
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import yaml

from mrunners.kube.client import KubernetesCluster
from mrunners.kube.kubeconfig import KubeconfigSource
from mrunners.reports.traffic import count_requests
from tests.fakes import FakeClock


@dataclass(frozen=True)
class Answer:
    """What the server sends.

    Attributes:
        cut: How many more bytes the Content-Length announces than are sent.
        chunked: Send the body in chunks, without a Content-Length.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    chunked: bool = False


@dataclass(frozen=True)
class Received:
    """A request that the server received."""

    method: str
    path: str
    query: dict[str, str]
    body: object
    token: str | None
    content_type: str | None


def listed(kind: str, *items: object, more: str = "") -> Answer:
    return says({"kind": f"{kind}List", "metadata": {"continue": more}, "items": list(items)})


def says(document: object, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(document).encode(), headers)


def refuses(status: int, message: str = "no", **headers: str) -> Answer:
    return says({"kind": "Status", "message": message}, status, **headers)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext | None = None
    api: ApiServer

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept a connection, unless the test wants it closed."""
        connection, address = super().get_request()
        if self.api.drops > 0:
            self.api.drops -= 1
            connection.close()
            raise OSError
        if self.context is not None:
            connection = self.context.wrap_socket(connection, server_side=True)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore it: a client that has read enough closes its connection."""


class ApiServer:
    """Sends its answers one by one, each once, and 418 when none is left.

    Attributes:
        drops: How many of the next connections are closed at once, before a TLS handshake.
        received: The requests so far.
        headers: Their headers.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: deque[Answer] = deque()
        self.drops = 0
        self.received: list[Received] = []
        self.headers: list[Message] = []

    def kubeconfig(
        self, folder: Path, cluster: Mapping[str, object] | None = None, /, **user: object
    ) -> str:
        """Write a kubeconfig for this server and return its path.

        Args:
            folder: Where it is written.
            cluster: More fields of the cluster.
            **user: The fields of the user; by default a token.
        """
        path = folder / "kubeconfig"
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            "clusters": [{"name": "here", "cluster": {"server": self.url, **(cluster or {})}}],
            "users": [{"name": "me", "user": user or {"token": "first"}}],
        }
        path.write_text(yaml.safe_dump(document))
        return str(path)


class Client(KubernetesCluster):
    """Keeps its warnings, and does not really sleep."""

    def __init__(
        self,
        kubeconfig: str | KubeconfigSource,
        context: str = "",
        *,
        max_qps: float | None = None,
    ) -> None:
        self.warnings: list[str] = []
        self.clock = FakeClock()
        super().__init__(kubeconfig, context, max_qps=max_qps, warn=self.warnings.append)
        self._retry_policy.sleep = self.clock.sleep
        self._retry_policy.monotonic = self.clock.monotonic

    @property
    def requests(self) -> int:
        """How many requests were sent, of all verbs."""
        return count_requests(self.traffic)


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[ApiServer]:
    """Run a server in a thread; with a context it speaks TLS."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            url = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = self.headers.get("Authorization")
            api.received.append(
                Received(
                    self.command,
                    url.path,
                    dict(parse_qsl(url.query)),
                    json.loads(content) if content else None,
                    token.removeprefix("Bearer ") if token else None,
                    self.headers.get("Content-Type"),
                )
            )
            api.headers.append(self.headers)
            answer = api.answers.popleft() if api.answers else Answer(418)
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name.replace("_", "-"), value)
            if answer.chunked:
                self.send_header("Transfer-Encoding", "chunked")
                body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(answer.body), answer.body)
            else:
                self.send_header("Content-Length", str(len(answer.body) + answer.cut))
                body = answer.body
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = answer.cut > 0

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - likewise
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    scheme = "http" if context is None else "https"
    api = ApiServer(f"{scheme}://127.0.0.1:{server.server_address[1]}")
    server.api, server.context = api, context
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
