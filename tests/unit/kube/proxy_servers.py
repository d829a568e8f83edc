"""Small proxies on 127.0.0.1: HTTP with CONNECT, and SOCKS5 with host names."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import BaseRequestHandler, StreamRequestHandler, ThreadingTCPServer


@dataclass
class Proxied:
    """What a proxy was asked for.

    Attributes:
        port: The proxy's.
        refusal: The status or code that it answers instead of connecting; 0 connects.
        targets: `host:port` of each connection.
        credentials: The Proxy-Authorization of each.
    """

    port: int = 0
    refusal: int = 0
    targets: list[str] = field(default_factory=list)
    credentials: list[str | None] = field(default_factory=list)


def _relay(one: socket.socket, other: socket.socket) -> None:
    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                target.sendall(chunk)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=copy, args=(other, one))
    back.start()
    copy(one, other)
    back.join()
    other.close()


@contextmanager
def http_proxy(context: ssl.SSLContext | None = None) -> Iterator[Proxied]:
    """Run an HTTP proxy; with a context, an HTTPS proxy."""
    asked = Proxied()

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.targets.append(self.path)
            asked.credentials.append(self.headers.get("Proxy-Authorization"))
            if asked.refusal:
                self.send_error(asked.refusal)
                return
            host, port = self.path.rsplit(":", 1)
            target = socket.create_connection((host, int(port)))
            self.send_response_only(200)
            self.end_headers()
            _relay(self.connection, target)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
            pass

    with _running(Handler, asked, context):
        yield asked


@contextmanager
def socks_proxy() -> Iterator[Proxied]:
    """Run a SOCKS5 proxy that knows one host, api.internal, which is this machine."""
    asked = Proxied()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            _, methods = self.rfile.read(2)
            self.rfile.read(methods)
            self.wfile.write(b"\x05\x00")
            kind = self.rfile.read(4)[3]
            if kind == 1:
                host = socket.inet_ntoa(self.rfile.read(4))
            else:
                host = self.rfile.read(self.rfile.read(1)[0]).decode()
            (port,) = struct.unpack(">H", self.rfile.read(2))
            asked.targets.append(f"{host}:{port}")
            self.wfile.write(b"\x05%c\x00\x01\x7f\x00\x00\x01\x00\x00" % asked.refusal)
            if not asked.refusal:
                at = "127.0.0.1" if host == "api.internal" else host
                _relay(self.connection, socket.create_connection((at, port)))

    with _running(Handler, asked, None):
        yield asked


@contextmanager
def _running(
    handler: type[BaseRequestHandler], asked: Proxied, context: ssl.SSLContext | None
) -> Iterator[None]:
    class Server(ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def get_request(self) -> tuple[socket.socket, object]:
            connection, address = super().get_request()
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
            return connection, address

        def handle_error(self, request: object, client_address: object) -> None:
            """Ignore it: a client that got its answer closes its connection."""

    with Server(("127.0.0.1", 0), handler) as server:
        asked.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        server.shutdown()
        thread.join()
