"""What people read when a request fails; never a tuple, an address of an object or a class."""

from __future__ import annotations

import http.client
import re
import socket
import ssl

import pytest
import urllib3

from mrunners.errors import UnauthorizedError, UnreachableError
from mrunners.kube.endpoint import Endpoint
from mrunners.kube.network_errors import CertificateFailure, failure_from_exception
from mrunners.kube.responses import RequestInfo
from mrunners.kube.retry import FailureKind

SERVER = "https://api:6443"
INFO = RequestInfo(SERVER, "list", "pods", "load")
POOL = urllib3.HTTPSConnectionPool("api", 6443)
CONNECTION = urllib3.connection.HTTPSConnection("api", 6443)


UNKNOWN_NAME = socket.gaierror(-2, "Name or service not known")


def aborted(cause: Exception) -> Exception:
    return urllib3.exceptions.ProtocolError("Connection aborted.", cause)


def tls(kind: type[ssl.SSLError], reason: str) -> ssl.SSLError:
    error = kind(1, f"[SSL: {reason}] something (_ssl.c:1006)")
    error.reason = reason
    return error


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            aborted(http.client.RemoteDisconnected("Remote end closed connection")),
            "it closed the connection without an answer",
        ),
        (
            aborted(ConnectionResetError(104, "Connection reset by peer")),
            "connection reset by peer",
        ),
        (urllib3.exceptions.IncompleteRead(3967, 3967), "its answer broke off"),
        (
            urllib3.exceptions.ProtocolError(
                "Connection broken: ...", http.client.IncompleteRead(b"x", 9)
            ),
            "its answer broke off",
        ),
        (
            caused(
                urllib3.exceptions.NewConnectionError(CONNECTION, "Failed to establish"),
                ConnectionRefusedError(111, "Connection refused"),
            ),
            "connection refused",
        ),
        (
            caused(
                urllib3.exceptions.NameResolutionError("api", CONNECTION, UNKNOWN_NAME),
                UNKNOWN_NAME,
            ),
            "name or service not known",
        ),
        (
            urllib3.exceptions.ReadTimeoutError(POOL, "/", "Read timed out."),
            "the request timed out",
        ),
        (urllib3.exceptions.ConnectTimeoutError(CONNECTION, "x"), "the request timed out"),
        (TimeoutError(), "the request timed out"),
        (
            urllib3.exceptions.SSLError(tls(ssl.SSLEOFError, "UNEXPECTED_EOF_WHILE_READING")),
            "it closed the connection during the TLS handshake",
        ),
        (
            urllib3.exceptions.SSLError(tls(ssl.SSLError, "WRONG_VERSION_NUMBER")),
            "it does not speak TLS",
        ),
        (
            urllib3.exceptions.SSLError(tls(ssl.SSLError, "TLSV1_ALERT_INTERNAL_ERROR")),
            "the TLS connection failed: tlsv1 alert internal error",
        ),
        (aborted(http.client.BadStatusLine("nonsense")), "its answer is not HTTP"),
        (http.client.LineTooLong("header line"), "its answer is not HTTP"),
        (urllib3.exceptions.DecodeError("gzip", Exception("x")), "its answer cannot be read"),
        (urllib3.exceptions.InvalidHeader("Content-Length"), "its answer cannot be read"),
        (urllib3.exceptions.LocationParseError("a..b"), "its name is not a valid host name"),
        (ValueError("invalid literal for int()"), "the request failed"),
    ],
)
def test_a_broken_connection_is_transient_and_told_in_words(error: Exception, words: str) -> None:
    failure = failure_from_exception(INFO, Endpoint(SERVER), error, contacted=False)
    assert (failure.kind, type(failure.error), str(failure)) == (
        FailureKind.TRANSIENT,
        UnreachableError,
        f"cannot reach the API server {SERVER}: {words} (list pods in namespace load); check that "
        "it runs and that the kubeconfig names the right cluster",
    )
    assert re.search(r"[A-Za-z]Error|0x[0-9a-f]|\('", str(failure)) is None


@pytest.mark.parametrize("contacted", [True, False])
def test_a_certificate_is_final_unless_this_server_was_trusted_before(contacted: bool) -> None:
    cause = ssl.SSLCertVerificationError(1, "x")
    cause.verify_code, cause.verify_message = 20, "unable to get local issuer certificate"
    error = urllib3.exceptions.SSLError(cause)
    failure = failure_from_exception(INFO, Endpoint(SERVER), error, contacted=contacted)
    kind = FailureKind.TRANSIENT if contacted else FailureKind.PERMANENT
    assert (type(failure), failure.kind) == (CertificateFailure, kind)


@pytest.mark.parametrize(
    "reason",
    [
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV1_ALERT_ACCESS_DENIED",
    ],
)
def test_an_alert_about_our_certificate_means_that_we_are_not_let_in(reason: str) -> None:
    error = aborted(tls(ssl.SSLError, reason))
    failure = failure_from_exception(INFO, Endpoint(SERVER), error, contacted=True)
    assert (failure.kind, type(failure.error)) == (FailureKind.PERMANENT, UnauthorizedError)
    assert reason.lower().replace("_", " ") in str(failure)
