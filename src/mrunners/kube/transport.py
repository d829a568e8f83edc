"""Sends one HTTPS request to the API server and names what went wrong.

What urllib3 raises ends here. Each request is sent once, except that expired credentials are read
again; all other retries are up to `mrunners.kube.retry`.
"""

from __future__ import annotations

import email.utils
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPException
from urllib.parse import urlencode

import urllib3

from mrunners.errors import MrunnersError, UnauthorizedError, UnreachableError
from mrunners.kube.exec_plugin import PluginTimeoutError
from mrunners.kube.flow_control import TrafficCounter, flow_control_of
from mrunners.kube.kubeconfig import KubeconfigSource
from mrunners.kube.network_errors import CertificateFailure, failure_from_exception
from mrunners.kube.responses import (
    RequestInfo,
    failure_from_status,
    is_status,
    unusable_answer,
)
from mrunners.kube.retry import FailureKind, RequestFailure, seconds_left
from mrunners.kube.session import Session, SessionOpener
from mrunners.text import printable

__all__ = ["Request", "Transport", "request_timeout"]

CONNECT_SECONDS = 5.0
# With etcd frozen, an API server answers after 37 s (measured).
READ_SECONDS = 45.0
# A server that accepts a connection and then stays silent must not use up the whole time for the
# first contact.
FIRST_READ_SECONDS = 10.0
# Enough for an answer of a server that is well, when the caller's own time is up.
LEAST_SECONDS = 1.0
# What follows in an error, no message shows.
ERROR_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        info: The request as errors describe it.
        body: Sent as JSON.
        content_type: The type of the body.
        absent: The statuses that are an answer here and not an error, such as 404 or 409.
        limit_bytes: How much of the response's body to read, of whatever type; None reads it whole
            and accepts only JSON.
    """

    info: RequestInfo
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    content_type: str = "application/json"
    absent: frozenset[int] = frozenset()
    limit_bytes: int | None = None


class Transport:
    """Sends requests with the credentials of a kubeconfig or of the pod.

    Attributes:
        server: The API server's URL.
        location: The same, and the context that names it.
        counter: Counts what is sent and received.
    """

    def __init__(
        self,
        kubeconfig: str | KubeconfigSource,
        context: str = "",
        *,
        max_qps: float | None = None,
        warn: Callable[[str], None],
    ) -> None:
        self._opener = SessionOpener(kubeconfig, context, os.environ, warn)
        self._session = self._opener.open()
        # Held while credentials are read, so that of many threads one runs the plugin.
        self._renewing = threading.Lock()
        # The last time that nobody signed in; those who waited meanwhile do not ask again.
        self._unanswered: PluginTimeoutError | None = None
        self._clock: tuple[datetime, float] | None = None
        self._contacted = False
        self.server = self._session.endpoint.server
        self.location = self._session.location
        self._flow = flow_control_of(self.server, max_qps)
        self.counter = TrafficCounter()

    def now(self) -> datetime:
        """Return the API server's time: the last Date header plus what has passed since."""
        if self._clock is None:
            return datetime.now(UTC)
        at, monotonic = self._clock
        return at + timedelta(seconds=time.monotonic() - monotonic)

    def send(self, request: Request) -> tuple[int, bytes]:
        """Send a request, and send it once more with fresh credentials if they are refused.

        Returns:
            The status, which is a success or one in `request.absent`, and the body.

        Raises:
            RequestFailure: There was no response, or one with another status.
        """
        session = self._current_session()
        try:
            return self._send(session, request)
        except CertificateFailure:
            if not self._contacted:  # the kubeconfig was read a moment ago
                raise
        except RequestFailure as failure:
            if not isinstance(failure.error, UnauthorizedError):
                raise
        # Tokens, certificates and CAs are replaced, and an exec plugin need not name an expiry.
        return self._send(self._renewed(session), request)

    def _current_session(self) -> Session:
        session = self._session
        if session.has_expired(datetime.now(UTC)):
            return self._renewed(session)
        if session.is_stale(time.monotonic()):
            try:
                return self._renewed(session)
            except RequestFailure:
                return session  # the token that was read before may still be valid
        return session

    def _renewed(self, old: Session) -> Session:
        """Return a session with credentials that were read later than those of `old`.

        Raises:
            RequestFailure: They cannot be read; transient if the server has answered before, for
                a plugin needs the same network, and files may be gone while they are replaced.
                Not if nobody has signed in: each attempt would ask once more.
        """
        unanswered = self._unanswered
        with self._sole_renewal():
            if self._session is not old:
                return self._session
            if self._unanswered is not unanswered:
                error = PluginTimeoutError(str(self._unanswered))
                raise RequestFailure(FailureKind.PERMANENT, error)
            try:
                self._session = self._opener.renew(old)
            except PluginTimeoutError as error:
                self._unanswered = error
                raise RequestFailure(FailureKind.PERMANENT, error) from error
            except MrunnersError as error:
                if not self._contacted:
                    raise RequestFailure(FailureKind.PERMANENT, error) from error
                # It is an outage like any other, also for what is read of one pod.
                outage = UnreachableError(str(error))
                raise RequestFailure(FailureKind.TRANSIENT, outage) from error
            return self._session

    @contextmanager
    def _sole_renewal(self) -> Iterator[None]:
        """Wait until no other thread reads credentials, but not longer than the caller can."""
        left = seconds_left()
        if not self._renewing.acquire(timeout=-1 if left is None else left):
            error = UnreachableError("the credentials are still being renewed")
            raise RequestFailure(FailureKind.TRANSIENT, error)
        try:
            yield
        finally:
            self._renewing.release()

    def _send(self, session: Session, request: Request) -> tuple[int, bytes]:
        headers = urllib3.HTTPHeaderDict(session.credentials.headers)
        headers["Accept"] = "application/json" if request.limit_bytes is None else "*/*"
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        try:
            with self._flow.turn() as turn:
                response, body = self._exchange(session, request, headers)
                turn.throttled = response.status == HTTPStatus.TOO_MANY_REQUESTS
        except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as error:
            raise failure_from_exception(
                request.info, session.endpoint, error, contacted=self._contacted
            ) from error
        if (date := _date(response.headers.get("Date"))) is not None:
            self._clock = (date, time.monotonic())
        self._contacted = True
        status = response.status
        if (problem := _problem(request, response, body)) is not None:
            raise unusable_answer(request.info, problem)
        if status in request.absent:
            return status, body
        if status >= 400:
            retry_after = response.headers.get("Retry-After")
            raise failure_from_status(request.info, status, body, retry_after)
        return status, body

    def _exchange(
        self, session: Session, request: Request, headers: urllib3.HTTPHeaderDict
    ) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        content = None if request.body is None else json.dumps(request.body).encode()
        self.counter.sending(request.info.verb, len(content or b""))
        connect_seconds, read_seconds = request_timeout(contacted=self._contacted)
        response = session.pool.request(
            request.method,
            f"{session.endpoint.server}{request.path}?{urlencode(request.query)}".rstrip("?"),
            body=content,
            headers=headers,
            timeout=urllib3.Timeout(connect=connect_seconds, read=read_seconds),
            preload_content=False,
            # Neither repeated, nor sent elsewhere with its token.
            retries=False,
            redirect=False,
        )
        limit = request.limit_bytes if response.status < 300 else ERROR_BYTES
        body = _read(response, limit)
        self.counter.received(request.info.verb, len(body))
        return response, body


def request_timeout(*, contacted: bool) -> tuple[float, float]:
    """Return for how many seconds a request may connect, and then wait for each part of the answer.

    Args:
        contacted: Whether the server has answered before.
    """
    read = READ_SECONDS if contacted else FIRST_READ_SECONDS
    left = seconds_left()
    if left is None:
        return CONNECT_SECONDS, read
    left = max(left, LEAST_SECONDS)
    return min(CONNECT_SECONDS, left), min(read, left)


def _problem(request: Request, response: urllib3.BaseHTTPResponse, body: bytes) -> str | None:
    """Return why an answer is not that of an API server; None when it may be."""
    status = response.status
    if status in {400, 404, 409, 410} and not is_status(body):
        # A balancer's 404 must not be taken for an object that does not exist, nor its 400 for a
        # container without a log.
        # An API server says itself that it got plain HTTP, and not in a Status.
        line = body.decode("utf-8", "replace").strip().partition("\n")[0] if status == 400 else ""
        said = f": {printable(line, 200)}" if line else ""
        return f"it answered {status}, and not as an API server does{said}"
    if status < 200 or 300 <= status < 400:
        # Without its query, in which a sign-in page gets its state.
        target = str(response.headers.get("Location") or "another address").partition("?")[0]
        return f"it answered {status} and sends to {printable(target, 200)}"
    if (
        status < 300
        and request.limit_bytes is not None
        and "html" in response.headers.get("Content-Type", "")
    ):
        return f"it answered {status} with an HTML page"
    return None


def _read(response: urllib3.BaseHTTPResponse, limit_bytes: int | None) -> bytes:
    """Return the body, at most `limit_bytes` of it, and release the connection to its pool."""
    try:
        if limit_bytes is None:
            return response.read()
        content = bytearray()
        for chunk in response.stream(64 * 1024):
            content += chunk
            if len(content) >= limit_bytes:
                break
        return bytes(content[:limit_bytes])
    finally:
        response.release_conn()


def _date(header: str | None) -> datetime | None:
    """Return the Date header's time; None when a proxy wrote it in another form."""
    try:
        date = email.utils.parsedate_to_datetime(header or "")
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
