"""Credentials for an API server, from a kubeconfig's user or from the pod."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from mrunners.errors import InvalidInputError
from mrunners.kube.auth_provider import auth_provider_token
from mrunners.kube.endpoint import POD_FOLDER, Endpoint
from mrunners.kube.entries import Entry, Material, read_file
from mrunners.kube.exec_plugin import run_plugin
from mrunners.kube.tls import ClientCertificate

__all__ = ["Credentials", "credentials_of", "pod_credentials"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What identifies the user.

    Attributes:
        headers: Of every request, as pairs, because a header may come twice.
        certificate: For the TLS handshake.
        expires: When they end; None when that is not known.
        from_file: Whether the token is in a file, which is replaced before it expires.
    """

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    certificate: ClientCertificate | None = None
    expires: datetime | None = None
    from_file: bool = False


def pod_credentials() -> Credentials:
    """Return the credentials of this pod's ServiceAccount.

    Raises:
        InvalidInputError: The token cannot be read.
    """
    content = read_file(POD_FOLDER / "token", "the pod's token")
    return Credentials(_bearer(content, "the pod's token"), from_file=True)


def credentials_of(
    user: Entry, cluster: Entry, endpoint: Endpoint, warn: Callable[[str], None]
) -> Credentials:
    """Return the credentials of a kubeconfig's user, in kubectl's order of precedence.

    Args:
        user: The user; one without credentials is anonymous.
        cluster: The cluster's entry, which a plugin may want to know.
        endpoint: Where the requests go.
        warn: Shows the user what is waited for.

    Raises:
        InvalidInputError: A field, a file or a plugin is broken.
        UnauthorizedError: A plugin does not give credentials.
    """
    extra = _impersonation(user)
    certificate = _certificate(user)
    if user.text("tokenFile"):
        origin = f"kubeconfig {user.kubeconfig}: tokenFile of {user}"
        headers = _bearer(user.file("tokenFile"), origin)
        return Credentials(headers + extra, certificate, from_file=True)
    if token := user.text("token"):
        origin = f"kubeconfig {user.kubeconfig}: token of {user}"
        return Credentials(_bearer(token.encode(), origin) + extra, certificate)
    if name := user.text("username"):
        pair = base64.b64encode(f"{name}:{user.text('password')}".encode()).decode()
        return Credentials((("Authorization", f"Basic {pair}"), *extra), certificate)
    if (plugin := user.entry("exec")) is not None:
        given = run_plugin(plugin, cluster, endpoint, warn)
        origin = f"kubeconfig {user.kubeconfig}: the token of the exec plugin"
        headers = _bearer(given.token.encode(), origin) if given.token else ()
        return Credentials(headers + extra, given.certificate or certificate, given.expires)
    if (provider := user.entry("auth-provider")) is not None:
        origin = f"kubeconfig {user.kubeconfig}: the token of the auth-provider"
        headers = _bearer(auth_provider_token(provider).encode(), origin)
        return Credentials(headers + extra, certificate)
    return Credentials(extra, certificate)


def _bearer(content: bytes, origin: str) -> tuple[tuple[str, str], ...]:
    # Editors and `echo` end a file with a newline, which no header may contain.
    token = content.decode("latin-1").strip()
    if not token:
        raise InvalidInputError(f"{origin} is empty")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidInputError(f"{origin} contains characters that are not allowed in a token")
    return (("Authorization", f"Bearer {token}"),)


def _certificate(user: Entry) -> ClientCertificate | None:
    certificate = user.material("client-certificate")
    key = user.material("client-key")
    if certificate is None and key is None:
        return None
    return ClientCertificate(
        certificate or _missing(user, "client-certificate", "client-key"),
        key or _missing(user, "client-key", "client-certificate"),
    )


def _missing(user: Entry, key: str, other: str) -> Material:
    raise user.error(f"{user} has a {other} and no {key}")


def _impersonation(user: Entry) -> tuple[tuple[str, str], ...]:
    """Return the headers of `as`, `as-uid`, `as-groups` and `as-user-extra`."""
    headers = [
        (header, user.text(key))
        for key, header in (("as", "Impersonate-User"), ("as-uid", "Impersonate-Uid"))
        if user.text(key)
    ]
    headers += [("Impersonate-Group", group) for group in _texts(user, "as-groups")]
    extra = user.entry("as-user-extra")
    for key in extra.content if extra is not None else ():
        headers += [(f"Impersonate-Extra-{key}", value) for value in _texts(extra, str(key))]
    if headers and not user.text("as"):
        raise user.error(f"{user} impersonates a group or UID without a user; set `as` too")
    for name, value in headers:
        if not (name + value).isascii() or not (name + value).isprintable():
            raise user.error(f"{user} impersonates a name that no HTTP header can hold")
    return tuple(headers)


def _texts(entry: Entry | None, key: str) -> list[str]:
    value = entry.content.get(key) if entry is not None else None
    if entry is not None and value is not None and not isinstance(value, list):
        raise entry.error(f"{key} of {entry} is not a list")
    return [str(item) for item in value or []]
