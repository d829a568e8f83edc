"""TLS contexts: what kubectl accepts is accepted, and no key stays in a file.

The ssl module reads a client's certificate and key only from a file. Here that file is in memory
where the system has such files, and otherwise in a private folder that is removed at once.
"""

from __future__ import annotations

import os
import re
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrunners.errors import InvalidInputError
from mrunners.kube.endpoint import Endpoint
from mrunners.kube.entries import Material

__all__ = ["ClientCertificate", "proxy_context", "server_context"]

_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII
)

# The alert was sent before the connection was closed, so it is here or was lost.
_ALERT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What a client identifies itself with: its certificate, with intermediates, and its key."""

    certificate: Material
    key: Material


def server_context(endpoint: Endpoint, client: ClientCertificate | None) -> ssl.SSLContext:
    """Return the context of connections to an API server.

    Raises:
        InvalidInputError: A certificate or key cannot be read, or the two do not belong together.
    """
    context = _verifying(endpoint)
    if endpoint.authority is None:
        context.load_default_certs()
    if client is not None:
        _identify(context, client, _prefix(endpoint))
    return context


def proxy_context(endpoint: Endpoint) -> ssl.SSLContext:
    """Return the context of connections to an HTTPS proxy.

    kubectl trusts in a proxy the CA that it trusts in the server; most proxies have a public one.
    """
    context = _verifying(endpoint)
    context.load_default_certs()
    return context


class _Socket(ssl.SSLSocket):
    """Tells why the server has closed the connection, also when that shows only on sending.

    With TLS 1.3 the server looks at the client's certificate after the client's handshake has
    ended. Its alert then waits to be read while the first request is already being sent.
    """

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it.

        Raises:
            ssl.SSLError: With the server's alert, if it has sent one.
        """
        try:
            super().sendall(data, flags)
        except (ssl.SSLEOFError, BrokenPipeError, ConnectionResetError):
            self.settimeout(_ALERT_SECONDS)
            with suppress(ssl.SSLEOFError, TimeoutError, ConnectionError):
                self.recv(1)
            raise


def _verifying(endpoint: Endpoint) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = _Socket
    # Python 3.13 refuses CAs without key identifiers, which many clusters have and Go accepts.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    # Go trusts each certificate that it was given, also one that another has signed.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if endpoint.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif endpoint.authority is not None:
        _trust(context, endpoint.authority, _prefix(endpoint))
    return context


def _prefix(endpoint: Endpoint) -> str:
    return f"kubeconfig {endpoint.kubeconfig}: " if endpoint.kubeconfig else ""


def _trust(context: ssl.SSLContext, authority: Material, prefix: str) -> None:
    try:
        context.load_verify_locations(cadata=_certificates(authority, prefix))
    except ssl.SSLError as error:
        raise InvalidInputError(f"{prefix}{authority.origin} is a broken certificate") from error


def _certificates(material: Material, prefix: str) -> str:
    """Return the certificates of a PEM file without the comments between them."""
    found = _CERTIFICATE.findall(material.content.decode("ascii", "replace"))
    if not found:
        raise InvalidInputError(f"{prefix}{material.origin} holds no certificate in PEM form")
    return "\n".join(found)


def _identify(context: ssl.SSLContext, client: ClientCertificate, prefix: str) -> None:
    certificates, key = _certificates(client.certificate, prefix), client.key.content
    _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), client.certificate, prefix)  # can it be read?
    if b" PRIVATE KEY-----" not in key:
        raise InvalidInputError(f"{prefix}{client.key.origin} holds no private key in PEM form")
    try:
        with _readable(certificates.encode() + b"\n" + key) as path:
            # Without a password, OpenSSL would ask for one on the terminal.
            context.load_cert_chain(path, password=lambda: b"")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            text = f"{client.key.origin} does not belong to its certificate"
        elif b"ENCRYPTED" in key:
            text = f"{client.key.origin} is encrypted; give it without a password"
        else:
            text = f"{client.key.origin} is a broken private key"
        raise InvalidInputError(f"{prefix}{text}") from error
    except OSError as error:
        text = f"{client.key.origin} needs a temporary file for a moment, and there is no room"
        raise InvalidInputError(f"{prefix}{text}: {error.strerror}") from error


@contextmanager
def _readable(content: bytes) -> Iterator[str]:
    """Give the path of a file with this content, which ends with the block."""
    descriptor = _memory_file()
    if descriptor is None:
        with tempfile.TemporaryDirectory(prefix="mrunners-") as folder:
            path = Path(folder, "client.pem")
            path.touch(mode=0o600)
            path.write_bytes(content)
            yield str(path)
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{descriptor}"


def _memory_file() -> int | None:
    """Return a file in memory; None on other systems than Linux, and where /proc is missing."""
    try:
        descriptor = os.memfd_create("mrunners")
    except (AttributeError, OSError):
        return None
    if Path(f"/proc/self/fd/{descriptor}").exists():
        return descriptor
    os.close(descriptor)
    return None
