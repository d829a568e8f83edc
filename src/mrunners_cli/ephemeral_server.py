"""Starts the temporary Prefect server of a run that has no other, out of reach of Ctrl-C.

Ctrl-C at a terminal goes to all processes of a command. A server that Prefect starts by itself
would end before the flow has reported how it ended, and the flow would ask for it for one or two
minutes (measured with Prefect 3.9.1).
"""

from __future__ import annotations

import signal
import threading

from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_EPHEMERAL_ENABLED

__all__ = ["start_ephemeral_server"]

# uvicorn's exit code; Prefect then tries another port.
_PORT_WAS_TAKEN = 3

# How often Ctrl-C is noticed meanwhile.
_POLL_SECONDS = 0.2


def start_ephemeral_server() -> None:
    """Start the server that Prefect would start by itself, unless a server is configured.

    Raises:
        RuntimeError: It does not start.
    """
    if PREFECT_API_URL.value() or not PREFECT_SERVER_EPHEMERAL_ENABLED:
        return
    # Imports the whole server, which takes longer than everything else (1.2 to 1.9 s, measured).
    from prefect.server.api.server import SubprocessASGIServer

    server = SubprocessASGIServer()
    failures: list[Exception] = []

    def start() -> None:
        # The processes that a thread starts inherit the signals that it blocks. A server is ended
        # by SIGTERM.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            server.start()
        except Exception as error:  # noqa: BLE001 - raised again by the waiting thread
            failures.append(error)

    thread = threading.Thread(target=start, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_POLL_SECONDS)
        # Prefect waits to the end for a server that has ended already, as on a full disk.
        process = server.server_process
        if process is not None and process.poll() not in {None, _PORT_WAS_TAKEN}:
            raise RuntimeError(f"ephemeral Prefect API server: exit code {process.returncode}")
    if failures:
        raise RuntimeError(f"ephemeral Prefect API server: {failures[0]}") from failures[0]
