"""Finds out in time whether a Prefect server answers; Prefect says so late, with a traceback."""

from __future__ import annotations

import http.client
import re
import ssl
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from mrunners.errors import InvalidInputError, UnreachableError

__all__ = ["require_prefect_server", "without_user"]

# A command's first contact with a server (docs/exit-codes.md: 7).
_FIRST_CONTACT_SECONDS = 15.0

# What Prefect's health check answers, and what is read of anything else.
_HEALTHY = b"true"
_ANSWER_BYTES = 100


def require_prefect_server(server: str) -> None:
    """Raise an error unless a Prefect server answers.

    Raises:
        InvalidInputError: The URL is not one of a Prefect API.
        UnreachableError: Nothing answers there.
    """
    if not _is_http_url(server):
        raise InvalidInputError(
            "PREFECT_API_URL must be a URL such as http://127.0.0.1:4200/api; set it so, or unset "
            "it to run without a server"
        )
    # Prefect has credentials of its own, and urllib takes those in a URL for a port.
    base = without_user(server).rstrip("/")
    try:
        healthy = _is_healthy(base)
        if not healthy and not base.endswith("/api") and _is_healthy(f"{base}/api"):
            raise InvalidInputError(f"PREFECT_API_URL lacks the /api at its end: {base}/api")
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return  # a server answers, and Prefect has TLS settings of its own
        raise UnreachableError(
            f"the Prefect server {base} does not answer: {reason or type(reason).__name__}; start "
            "it, or unset PREFECT_API_URL to run without one"
        ) from error


def _is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname)
        return known and parts.port != 0 and re.fullmatch(r"[!-~]+", text) is not None
    except ValueError:  # brackets or a port that are none
        return False


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
