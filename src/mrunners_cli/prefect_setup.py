"""What the command line needs of Prefect before it is imported, and around the flow's call.

Prefect itself is not imported here: the settings must be made before that.
"""

from __future__ import annotations

import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from mrunners.errors import UnreachableError

__all__ = ["prefect_errors", "prepare_prefect", "require_prefect_server"]

# A command's first contact with a server (docs/exit-codes.md: 7).
_FIRST_CONTACT_SECONDS = 15.0

_DEFAULTS = {
    # An ephemeral server on a fresh machine needs longer than its 20 s (measured: 32 s).
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # For deploy/lost_runs.py, which takes a run that is silent for 90 s for lost.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    # The command reports everything itself; Prefect's own lines would repeat it.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    # A load test on a closed network must not look for an analytics host.
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}

# Prefect has no class of its own for these: its client, its engine and its ephemeral server raise
# RuntimeError with such a text.
_UNREACHABLE_TEXTS = ("Failed to reach API", "ephemeral Prefect API server")


def prepare_prefect() -> str | None:
    """Set our defaults in this process's environment, where the user has set nothing.

    Returns:
        The URL of the Prefect server, if the environment names one.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    return os.environ.get("PREFECT_API_URL")


def require_prefect_server(server: str) -> None:
    """Raise an error unless a Prefect server answers; Prefect reports it late, with a traceback.

    Raises:
        UnreachableError: Nothing answers at its URL.
    """
    try:
        with urllib.request.urlopen(  # noqa: S310 - the user's own setting
            f"{server}/health", timeout=_FIRST_CONTACT_SECONDS
        ):
            pass
    except urllib.error.HTTPError:
        pass  # any answer will do: a server behind a login gives one too
    except OSError as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return  # a server answers, and Prefect has TLS settings of its own
        raise UnreachableError(
            f"the Prefect server {server} does not answer: {reason}; start it, or unset "
            "PREFECT_API_URL to run without one"
        ) from error


@contextmanager
def prefect_errors() -> Iterator[None]:
    """Translate what Prefect raises when no server answers; for the call of a flow only.

    Raises:
        UnreachableError: The configured server does not answer, or the temporary one did not
            start.
    """
    import httpx

    try:
        yield
    except (httpx.HTTPError, RuntimeError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, RuntimeError) and not any(part in text for part in _UNREACHABLE_TEXTS):
            raise
        raise UnreachableError(
            f"the Prefect server does not answer: {text}; check PREFECT_API_URL, or unset it to "
            "use a temporary server"
        ) from error
