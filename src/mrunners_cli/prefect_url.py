"""Finds out in time whether a Prefect server answers; Prefect says so late, with a traceback."""

from __future__ import annotations

import http.client
import ipaddress
import re
import ssl
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from mrunners.errors import InvalidInputError, UnreachableError

__all__ = ["check_prefect_url", "require_prefect_server", "without_user"]

# A command's first contact with a server (docs/exit-codes.md: 7).
_FIRST_CONTACT_SECONDS = 15.0

# What Prefect's health check answers, and what is read of anything else.
_HEALTHY = b"true"
_ANSWER_BYTES = 100


# Host and port: urlsplit ignores what comes between a bracket and the colon.
_PLACE = re.compile(
    r"(?:\[(?P<ipv6>[^\]]+)\]|(?P<ipv4>[0-9]+(?:\.[0-9]+){3})|[^\[\]:]+)(?::[0-9]*)?"
)


def check_prefect_url(server: str) -> None:
    """Raise an error unless a Prefect server can have this URL; nothing is sent.

    Every other function here, and Prefect's client, needs such a URL.

    Raises:
        InvalidInputError: It is malformed. The message does not repeat it: it may have a password.
    """
    if not _is_http_url(server):
        raise InvalidInputError(
            "PREFECT_API_URL must be a URL such as http://127.0.0.1:4200/api; set it so, or unset "
            "it to run without a server"
        )


def require_prefect_server(server: str) -> None:
    """Raise an error unless a Prefect server answers.

    Args:
        server: A URL that `check_prefect_url` accepts.

    Raises:
        InvalidInputError: The URL is not one of a Prefect API.
        UnreachableError: Nothing answers there.
    """
    # Prefect has credentials of its own, and urllib takes those in a URL for a port.
    base = without_user(server).rstrip("/")
    try:
        healthy = _is_healthy(base)
        if not healthy and not base.endswith("/api") and _is_healthy(f"{base}/api"):
            raise InvalidInputError(f"PREFECT_API_URL lacks the /api at its end: {base}/api")
    except (OSError, http.client.HTTPException, ValueError) as error:
        # ValueError: the server redirects to a malformed URL.
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return  # a server answers, and Prefect has TLS settings of its own
        raise UnreachableError(
            f"the Prefect server {base} does not answer: {reason or type(reason).__name__}; start "
            "it, or unset PREFECT_API_URL to run without one"
        ) from error


def _is_http_url(text: str) -> bool:
    if re.fullmatch(r"[!-~]+", text) is None:
        return False
    try:
        parts = urlsplit(text)
        place = _PLACE.fullmatch(parts.netloc.rpartition("@")[2])
        if place is None or parts.scheme not in {"http", "https"} or parts.port == 0:
            return False
        if place["ipv6"]:
            ipaddress.IPv6Address(place["ipv6"])
        elif place["ipv4"]:
            ipaddress.IPv4Address(place["ipv4"])
        else:
            # As a resolver does: no empty part, and none of more than 63 characters.
            str(parts.hostname).encode("idna")
    except ValueError:  # brackets, a port, an address or a name that is none
        return False
    return True


def _is_healthy(base: str) -> bool:
    """Whether a Prefect API is known to be there; a server behind a login answers too."""
    try:
        with urllib.request.urlopen(  # noqa: S310 - the user's own setting, http or https
            f"{base}/health", timeout=_FIRST_CONTACT_SECONDS
        ) as answer:
            return bool(answer.read(_ANSWER_BYTES) == _HEALTHY)
    except urllib.error.HTTPError:
        return False


def without_user(server: str) -> str:
    """Return a URL without the password that it may contain."""
    parts = urlsplit(server)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
