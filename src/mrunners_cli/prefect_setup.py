"""What the command line asks of Prefect, where the user has said nothing.

It must not import Prefect: these are set before it is.
"""

from __future__ import annotations

import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from mrunners.errors import UnreachableError

__all__ = ["prefect_errors", "prepare_prefect", "require_answer"]

# A command's first contact with a server (docs/exit-codes.md: 7).
FIRST_CONTACT_SECONDS = 15.0

_DEFAULTS = {
    # An ephemeral server on a fresh machine needs longer than its 20 s (measured: 32 s).
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # For deploy/lost_runs.py, which takes a run that is silent for 90 s for lost.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    # The command speaks for itself; Prefect's own lines would be said twice.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    # A load test on a closed network must not look for an analytics host.
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}


def prepare_prefect() -> str | None:
    """Set the defaults in this process's environment.

    Returns: the Prefect server's URL, if the environment names one.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    return os.environ.get("PREFECT_API_URL")


def require_answer(server: str) -> None:
    """Make sure that a Prefect server is there: Prefect itself says so late, and by a traceback.

    Raises: UnreachableError: nobody answers at its URL.
    """
    try:
        with urllib.request.urlopen(f"{server}/health", timeout=FIRST_CONTACT_SECONDS):  # noqa: S310 - the user's own setting
            pass
    except urllib.error.HTTPError:
        pass  # any answer will do: a server behind a login gives one too
    except OSError as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return  # somebody is there, and Prefect has TLS settings of its own
        raise UnreachableError(
            f"the Prefect server {server} does not answer: {reason}; start it, or unset "
            "PREFECT_API_URL to run without one"
        ) from error


# Prefect has no class of its own for these: its client, its engine and its ephemeral server raise
# RuntimeError with such a text.
_WORDS = ("Failed to reach API", "ephemeral Prefect API server")


@contextmanager
def prefect_errors() -> Iterator[None]:
    """Let what Prefect raises when no server answers end as what it is.

    Raises: UnreachableError: the server that is set does not answer, or one of our own did not
        start.
    """
    import httpx

    try:
        yield
    except (httpx.HTTPError, RuntimeError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, RuntimeError) and not any(word in text for word in _WORDS):
            raise
        raise UnreachableError(
            f"the Prefect server does not answer: {text}; check PREFECT_API_URL, or unset it to "
            "run with a server of its own"
        ) from error
