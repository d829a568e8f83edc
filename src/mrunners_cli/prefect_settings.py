"""What the command line asks of Prefect, where the user has said nothing.

It must not import Prefect: these are set before it is.
"""

from __future__ import annotations

import os

__all__ = ["prepare_prefect"]

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
