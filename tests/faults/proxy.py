"""A proxy before the real API server that lets chosen requests go wrong, and counts Jobs made.

It ends TLS on both sides: towards the API server it is the administrator, towards mrunners it has
a certificate of its own. Each run gets a proxy of its own, so many can be tried side by side.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import urllib3
import yaml

from tests.faults.fault_table import Action, Answer, Fault
from tests.faults.request_kinds import RequestKind, kind_of
from tests.faults.upstream import Upstream

__all__ = ["FaultProxy", "Halt", "proxying"]

# A reset instead of an orderly end when the socket is closed.
_RESET = struct.pack("ii", 1, 0)


# Longer than any process takes to end; a test that died must not hold requests for ever.
_HALT_SECONDS = 120.0


@dataclass
class Halt:
    """Holds one request, so that its process can be killed at just that moment.

    Attributes:
        number: Which request, from 1.
        carried_out: Whether the request is carried out afterwards, as one would be that had left
            the machine already.
        reached: Set once the request is held.
        released: To be set once the process has ended.
    """

    number: int
    carried_out: bool
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


@dataclass
class FaultProxy:
    """The way of one run to the API server.

    Attributes:
        upstream: The API server.
        kubeconfig: A kubeconfig with the proxy as its server.
        hits: How often a fault was met, by the kind of request.
        created: The Jobs that the API server said it has created, in order.
        requests: How many requests have come since the last `halt_at`.
        in_next_log: Is called once, after the first bytes of the next log.
    """

    upstream: Upstream
    kubeconfig: Path
    hits: Counter[RequestKind] = field(default_factory=Counter)
    created: list[str] = field(default_factory=list)
    requests: int = 0
    in_next_log: Callable[[], None] | None = None
    _halt: Halt | None = None
    _kind: RequestKind | None = None
    _wait: int = 0
    _actions: deque[Action | Answer] = field(default_factory=deque)
    _refused_handshakes: int = 0
    _first_answers: dict[str, bytes] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, kind: RequestKind, fault: Fault, *, number: int = 1) -> None:
        """Let the next request of a kind, or the one of that number, meet a fault."""
        with self._lock:
            self._kind, self._wait, self._actions = kind, number - 1, deque(fault.actions)

    def disarm(self) -> None:
        """Pass everything on from now on."""
        with self._lock:
            self._actions.clear()

    def halt_at(self, halt: Halt | None) -> None:
        """Count requests from here, and hold one of them."""
        with self._lock:
            self.requests, self._halt = 0, halt

    def pass_halt(self) -> bool:
        """Count a request, hold it if it is the one; return whether to carry it out."""
        with self._lock:
            self.requests += 1
            halt = self._halt if self._halt and self._halt.number == self.requests else None
        if halt is None:
            return True
        halt.reached.set()
        halt.released.wait(_HALT_SECONDS)
        return halt.carried_out

    def refuses_handshake(self) -> bool:
        """Whether a new connection is to be closed before its handshake."""
        with self._lock:
            refused = self._refused_handshakes > 0
            self._refused_handshakes -= refused
        return refused

    def next_action(self, method: str, target: str) -> Action | Answer | None:
        """Return what to do with a request; None means to pass it on."""
        kind = kind_of(method, target)
        with self._lock:
            if kind is None or kind is not self._kind or not self._actions:
                return None
            if self._wait:
                self._wait -= 1
                return None
            # No older answer yet: the fault waits for the next one.
            if self._actions[0] is Action.OLDER_LIST and target not in self._first_answers:
                return None
            action = self._actions.popleft()
            self._refused_handshakes += action is Action.REFUSE_HANDSHAKE
            self.hits[kind] += 1
            return action

    def take_in_log(self, method: str, target: str) -> Callable[[], None] | None:
        """Return what is to happen in this log."""
        if kind_of(method, target) is not RequestKind.READ_LOG:
            return None
        with self._lock:
            act, self.in_next_log = self.in_next_log, None
        return act

    def first_answer(self, target: str) -> bytes:
        """Return the first answer that this LIST got."""
        return self._first_answers[target]

    def record(self, method: str, target: str, status: int, body: bytes) -> None:
        """Record what the API server answered."""
        kind = kind_of(method, target)
        if kind is RequestKind.CREATE_JOB and status == 201:
            self.created.append(json.loads(body)["metadata"]["name"])
        if kind is not None and kind.lists and status == 200:
            self._first_answers.setdefault(target, body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore it: connections end in every way here."""


@contextmanager
def proxying(upstream: Upstream, folder: Path, namespace: str) -> Iterator[FaultProxy]:
    """Start a proxy in a thread of its own."""
    proxy = FaultProxy(upstream, folder / f"kubeconfig-{namespace}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(upstream.certificate)

    class Handler(_Handler):
        def setup(self) -> None:
            self.proxy = proxy
            self.request.settimeout(60)
            if proxy.refuses_handshake():
                raise ConnectionAbortedError
            self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

    server = _Server(("127.0.0.1", 0), Handler)
    proxy.kubeconfig.write_text(_kubeconfig(upstream, server.server_address[1]))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _kubeconfig(upstream: Upstream, port: int) -> str:
    # The token only has to be there, since a 401 makes the client read it again.
    cluster = {
        "server": f"https://127.0.0.1:{port}",
        "certificate-authority": str(upstream.certificate),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "proxy",
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
        "clusters": [{"name": "proxy", "cluster": cluster}],
        "users": [{"name": "proxy", "user": {"token": "a-token"}}],
    }
    return yaml.safe_dump(document)


class _Handler(BaseHTTPRequestHandler):
    """Passes one connection's requests on, and does to them what the proxy says."""

    protocol_version = "HTTP/1.1"
    proxy: FaultProxy

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.proxy.pass_halt():
            self._reset()
            return
        if act := self.proxy.take_in_log(self.command, self.path):
            self._stream(act)
            return
        action = self.proxy.next_action(self.command, self.path)
        if action in (Action.RESET_BEFORE, Action.REFUSE_HANDSHAKE):
            self._reset()
        elif isinstance(action, Answer) and not action.carried_out:
            self._reply(action.status, action.body, action.content_type, action.headers)
        else:
            self._pass_on(body, action)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - likewise
        pass

    def _pass_on(self, body: bytes, action: Action | Answer | None) -> None:
        headers = {
            name: value
            for name in ("Accept", "Content-Type")
            if (value := self.headers.get(name)) is not None
        }
        answer = self.proxy.upstream.send(self.command, self.path, body, headers)
        self.proxy.record(self.command, self.path, answer.status, answer.data)
        content_type = answer.headers.get("Content-Type", "application/json")
        half = answer.data[: len(answer.data) // 2]
        match action:
            case None:
                self._reply(answer.status, answer.data, content_type)
            case Answer():
                self._reply(action.status, action.body, action.content_type, action.headers)
            case Action.RESET_AFTER:
                self._reset()
            case Action.HALF:
                self._reply(answer.status, half, content_type)
            case Action.HALF_OF_LENGTH:
                self._start(answer.status, content_type, ("Content-Length", str(len(answer.data))))
                self._write_and_close(half)
            case Action.HALF_OF_CHUNKS:
                self._start(answer.status, content_type, ("Transfer-Encoding", "chunked"))
                self._write_chunk(half)
                self.close_connection = True
            case Action.OLDER_LIST:
                self._reply(200, self.proxy.first_answer(self.path), content_type)
            case Action.EMPTY_LIST:
                empty = {**json.loads(answer.data), "items": []}
                self._reply(200, json.dumps(empty).encode(), content_type)

    def _stream(self, act: Callable[[], None]) -> None:
        """Pass a log on piece by piece, and end it as the API server does."""
        answer = self.proxy.upstream.stream(self.path)
        self._start(answer.status, "text/plain", ("Transfer-Encoding", "chunked"))
        pieces = answer.stream(1 << 14)
        self._write_chunk(next(pieces))
        act()
        try:
            for piece in pieces:
                self._write_chunk(piece)
        except urllib3.exceptions.HTTPError:
            self._reset()
        else:
            self._write_chunk(b"")

    def _write_chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))

    def _reply(
        self,
        status: int,
        body: bytes,
        content_type: str,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self._start(status, content_type, ("Content-Length", str(len(body))), *headers)
        self.wfile.write(body)

    def _start(self, status: int, content_type: str, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _write_and_close(self, content: bytes) -> None:
        self.wfile.write(content)
        self.close_connection = True

    def _reset(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            # Past the TLS layer, which would say goodbye first.
            socket.socket(fileno=self.connection.detach()).close()
