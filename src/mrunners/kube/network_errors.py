"""Pure functions from what urllib3 raised to an error, in words and not in Python.

A broken connection is transient. A certificate that is not trusted is final, unless this server's
was trusted before: then a balancer without a server behind it may have answered.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator

import urllib3

from mrunners.errors import UnauthorizedError, UnreachableError
from mrunners.kube.endpoint import Endpoint
from mrunners.kube.responses import RequestInfo, no_response
from mrunners.kube.retry import FailureKind, RequestFailure
from mrunners.text import printable

__all__ = ["CertificateFailure", "failure_from_exception"]

# From X509_V_ERR_* of OpenSSL's x509_vfy.h.
_HOSTNAME_MISMATCH, _IP_MISMATCH = 62, 64
_EXPIRED, _NOT_YET_VALID = 10, 9

_TUNNEL = "Tunnel connection failed: "


class CertificateFailure(RequestFailure):
    """A certificate of either side was refused; the kubeconfig may have a newer one."""


def failure_from_exception(
    info: RequestInfo, endpoint: Endpoint, error: Exception, *, contacted: bool
) -> RequestFailure:
    """Return the failure of a request that raised.

    Args:
        info: The request.
        endpoint: Where it went.
        error: What urllib3 or a module below it raised.
        contacted: Whether this server has answered before.
    """
    causes = list(_causes(error))
    through_proxy = _proxy_problem(endpoint, causes)
    if through_proxy is not None:
        return RequestFailure(
            FailureKind.TRANSIENT, UnreachableError(f"{through_proxy} ({info}); check the proxy")
        )
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            kind = FailureKind.TRANSIENT if contacted else FailureKind.PERMANENT
            return CertificateFailure(kind, UnreachableError(_untrusted(info, endpoint, cause)))
        if isinstance(cause, ssl.SSLError) and _refuses_us(cause):
            return CertificateFailure(
                FailureKind.PERMANENT,
                UnauthorizedError(
                    f"the API server {info.server} does not accept the client certificate "
                    f"({info}): {_reason(cause)}; sign in again, or check client-certificate in "
                    "the kubeconfig"
                ),
            )
    return no_response(info, _words(error, causes))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what led to it, from the outside in."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        cause = pending.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        # urllib3 and PySocks also keep what they have caught in attributes and arguments.
        pending += [cause.__cause__, cause.__context__, getattr(cause, "socket_err", None)]
        pending += [argument for argument in cause.args if isinstance(argument, BaseException)]


def _proxy_problem(endpoint: Endpoint, causes: list[BaseException]) -> str | None:
    """Return what the proxy did; None when it is not to blame."""
    proxy = endpoint.proxy
    if proxy is None:
        return None
    for cause in causes:
        if isinstance(cause, OSError) and str(cause).startswith(_TUNNEL):
            answer = printable(str(cause).removeprefix(_TUNNEL), 200)
            return f"the {proxy} does not connect to the API server {endpoint.server}: {answer}"
    if any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes):
        untrusted = [cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)]
        if untrusted:
            return f"the certificate of the {proxy} is not trusted: {_reason(untrusted[0])}"
        return f"cannot reach the {proxy}: {_words(causes[0], causes)}"
    if proxy.is_socks:
        # PySocks is imported by now: a SOCKS proxy was used.
        import socks  # noqa: PLC0415

        for cause in causes:
            if isinstance(cause, socks.ProxyConnectionError):
                return f"cannot reach the {proxy}: {_words(cause, causes)}"
            if isinstance(cause, socks.ProxyError) and cause.socket_err is None:
                # Such as "0x05: Connection refused"; the code says nothing to people.
                answer = str(cause.msg).rpartition(": ")[2].lower()
                return f"the {proxy} does not connect to the API server {endpoint.server}: {answer}"
    return None


def _untrusted(info: RequestInfo, endpoint: Endpoint, error: ssl.SSLCertVerificationError) -> str:
    reason = _reason(error)
    if error.verify_code in {_HOSTNAME_MISMATCH, _IP_MISMATCH}:
        advice = "check server in the kubeconfig, or set tls-server-name there"
    elif error.verify_code in {_EXPIRED, _NOT_YET_VALID}:
        advice = "renew it, or check the clock"
    elif endpoint.authority is not None:
        advice = f"check server, and {endpoint.authority.origin}"
    else:
        advice = "set certificate-authority-data in the kubeconfig, which names no CA"
    return (
        f"the certificate of the API server {info.server} is not trusted: {reason} ({info}); "
        f"{advice}"
    )


def _refuses_us(error: ssl.SSLError) -> bool:
    """Whether the server's alert is about our certificate."""
    reason = str(error.reason)
    return "ALERT" in reason and any(
        word in reason for word in ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "DECRYPT_ERROR")
    )


def _reason(error: ssl.SSLError) -> str:
    message = str(getattr(error, "verify_message", "") or "")
    if message:
        return message.rstrip(".")
    return str(error.reason or "unknown").lower().replace("_", " ")


def _words(error: BaseException, causes: list[BaseException]) -> str:
    """Return the cause in a few words; the libraries' own are tuples and object addresses."""
    for cause in causes:
        if isinstance(cause, http.client.RemoteDisconnected):
            return "it closed the connection without an answer"
        if isinstance(cause, http.client.IncompleteRead | urllib3.exceptions.IncompleteRead):
            return "its answer broke off"
        if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return "it closed the connection during the TLS handshake"
        if isinstance(cause, ssl.SSLError) and cause.reason:
            if cause.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
                return "it does not speak TLS"
            return f"the TLS connection failed: {_reason(cause)}"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "the connection failed"  # a subclass of the timeout, which it is not
    if any(isinstance(cause, TimeoutError | urllib3.exceptions.TimeoutError) for cause in causes):
        return "the request timed out"
    if any(isinstance(cause, http.client.HTTPException) for cause in causes):
        return "its answer is not HTTP"
    if any(
        isinstance(cause, UnicodeError | urllib3.exceptions.LocationValueError) for cause in causes
    ):
        return "its name is not a valid host name"
    if isinstance(error, urllib3.exceptions.HTTPError):
        return "its answer cannot be read"
    return "the request failed"
