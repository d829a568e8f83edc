"""Starts the Prefect server of a run that has no other, where a Ctrl-C does not reach it.

It must not start one where a server is set.
"""

from __future__ import annotations

import signal
import threading

from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_EPHEMERAL_ENABLED

__all__ = ["start_ephemeral_server"]

# How often Ctrl-C is looked for meanwhile.
LOOK_SECONDS = 0.2


def start_ephemeral_server() -> None:
    """Start the server that Prefect would start by itself, unless there is one.

    Ctrl-C at a terminal goes to all processes of a command. The server would end before the flow
    has told it how it ended, and the flow would ask for it for a minute (measured with 3.8.8).

    Raises: RuntimeError: it does not start.
    """
    if PREFECT_API_URL.value() or not PREFECT_SERVER_EPHEMERAL_ENABLED:
        return
    failed: list[BaseException] = []

    def start() -> None:
        # What a thread blocks, the processes that it starts block too, whatever they do about it.
        # A server is ended by SIGTERM.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            SubprocessASGIServer().start()
        except Exception as error:  # noqa: BLE001 - raised again by whoever waits
            failed.append(error)

    thread = threading.Thread(target=start, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(LOOK_SECONDS)
    if failed:
        raise failed[0]
