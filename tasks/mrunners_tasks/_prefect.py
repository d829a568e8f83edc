"""The listener of a run that nobody watches from a terminal: its log and a progress artifact.

It must not fail a run because an artifact could not be written.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

import httpx
from prefect import get_client, get_run_logger, runtime
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.exceptions import PrefectException

from mrunners.errors import RunCancelledError
from mrunners.status.run_state import RunState

__all__ = ["PREFECT_UNAVAILABLE", "CancellableSleep", "RunLog"]

# The artifact is for people; one write in a while is enough for them and cheap for the server.
ARTIFACT_SECONDS = 5.0

# A thousand pods that end together must not become a thousand lines.
NAMED = 10


class RunLog:
    """Hears of one step's progress."""

    def __init__(self) -> None:
        self._said: tuple[int, int, int] | None = None
        self._artifact: UUID | None = None
        self._shown: tuple[float, float] = (-1.0, float("-inf"))

    def info(self, text: str) -> None:
        """An INFO line."""
        get_run_logger().info(text)

    def warn(self, text: str) -> None:
        """A WARNING line."""
        get_run_logger().warning(text)

    def tracker(self, name: str) -> None:
        """An INFO line."""
        get_run_logger().info("tracker %s stands", name)

    def reports_fetched(self, pods: Sequence[str]) -> None:
        """An INFO line that names them, or the first of many."""
        more = f"; and {len(pods) - NAMED} more" if len(pods) > NAMED else ""
        get_run_logger().info("reports brought home: %s%s", "; ".join(pods[:NAMED]), more)

    def progress(self, state: RunState, reports: int) -> None:
        """An INFO line whenever something changed, and the artifact now and then."""
        now = (state.ended, state.running, reports)
        if now == self._said:
            return
        self._said = now
        line = (
            f"{state.ended} of {state.pods} pods ended, {state.running} running, {reports} reports"
        )
        get_run_logger().info(line)
        percent = 100.0 * state.ended / state.pods
        shown, at = self._shown
        if percent == shown or (percent < 100 and time.monotonic() - at < ARTIFACT_SECONDS):
            return
        self._shown = (percent, time.monotonic())
        try:
            self._show(percent, line)
        except PREFECT_UNAVAILABLE as error:
            get_run_logger().warning("the progress artifact could not be written: %s", error)

    def _show(self, percent: float, line: str) -> None:
        if self._artifact is None:
            created = create_progress_artifact(percent, description=line)
            assert isinstance(created, UUID)  # a coroutine only where the caller is async
            self._artifact = created
        else:
            update_progress_artifact(self._artifact, percent, description=line)


PREFECT_UNAVAILABLE: tuple[type[Exception], ...] = (
    httpx.HTTPError,
    OSError,
    PrefectException,
    RuntimeError,  # "Failed to reach API at …", as the client says it when it opens
    ValueError,  # an answer that is not what the client reads
)


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
    except PREFECT_UNAVAILABLE:
        return False  # a Prefect server that is away is no reason to end a run
    return any(
        state is not None and (state.is_cancelling() or state.is_cancelled()) for state in states
    )
