"""Notices that the flow run was cancelled while a step waits.

It must not clean up: the flow decides what stays.
"""

from __future__ import annotations

import time
from uuid import UUID

from prefect import get_client, runtime

from mrunners.errors import RunCancelledError
from mrunners_tasks.prefect_away import PREFECT_AWAY

__all__ = ["CancellableSleep"]

# Cancelling ends the polling within 10 s, whatever the interval between polls.
CHECK_SECONDS = 4.0


class CancellableSleep:
    """Sleeps, and looks every few seconds whether this run, or the one it is part of, is cancelled.

    A worker ends a cancelled flow by a signal; a flow that runs in its own process gets none and
    would go on for ever.
    """

    def __init__(self) -> None:
        self._looked_at = time.monotonic()

    def __call__(self, seconds: float) -> None:
        """Sleep so many seconds.

        Raises: RunCancelledError: the flow run was cancelled.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, CHECK_SECONDS))
            if time.monotonic() - self._looked_at >= CHECK_SECONDS:
                self._looked_at = time.monotonic()
                if _cancelled():
                    raise RunCancelledError("the flow run was cancelled while it waited")


def _cancelled() -> bool:
    try:
        ids = {runtime.flow_run.id, runtime.flow_run.root_flow_run_id} - {None}
        with get_client(sync_client=True) as client:
            states = [client.read_flow_run(UUID(str(one))).state for one in ids]
    except PREFECT_AWAY:
        return False  # a Prefect server that is away is no reason to end a run
    return any(
        state is not None and (state.is_cancelling() or state.is_cancelled()) for state in states
    )
