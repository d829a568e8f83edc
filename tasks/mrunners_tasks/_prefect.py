"""What a flow run's steps need of the Prefect server, none of which may fail a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from uuid import UUID

import httpx
from prefect import get_client, get_run_logger, runtime
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.exceptions import PrefectException

from mrunners.errors import RunCancelledError
from mrunners.status.run_state import RunState
from mrunners.status.time_left import TimeLeft, progress_texts

__all__ = ["PREFECT_UNAVAILABLE", "CancellableSleep", "RunLog"]

# What a call to the Prefect server raises when the server is away or cannot answer now. Not to be
# caught around a step's own work: there, a RuntimeError is a bug.
PREFECT_UNAVAILABLE: tuple[type[Exception], ...] = (
    httpx.HTTPError,
    OSError,
    PrefectException,
    RuntimeError,  # "Failed to reach API at …", from the client when it opens
    ValueError,  # a response that the client cannot read
)

# People read the artifact; more writes than this only cost the server.
ARTIFACT_SECONDS = 5.0

# A thousand pods that end together must not become a thousand lines.
PODS_NAMED = 10

# Cancelling ends the polling within 10 s, whatever the interval between polls.
CHECK_SECONDS = 4.0


class RunLog:
    """The `RunObserver` of a run that nobody watches: the run's log and a progress artifact."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._logged = self._written = ""
        self._artifact: UUID | None = None
        self._written_at = float("-inf")

    def info(self, text: str) -> None:
        """Log an INFO line."""
        get_run_logger().info(text)

    def warn(self, text: str) -> None:
        """Log a WARNING line."""
        get_run_logger().warning(text)

    def tracker_created(self, name: str) -> None:
        """Log an INFO line."""
        get_run_logger().info("tracker %s exists", name)

    def reports_fetched(self, pods: Sequence[str]) -> None:
        """Log an INFO line that names the pods, or the first of many."""
        more = f"; and {len(pods) - PODS_NAMED} more" if len(pods) > PODS_NAMED else ""
        get_run_logger().info("reports fetched: %s%s", "; ".join(pods[:PODS_NAMED]), more)

    def progress(self, state: RunState, reports: int, left: TimeLeft | None) -> None:
        """Log an INFO line whenever something changed, and update the artifact now and then.

        What is left changes all the time, and is worth no line of its own in the log.
        """
        facts = progress_texts(state, reports, None)[0]
        line = progress_texts(state, reports, left)[0]
        if facts != self._logged:
            self._logged = facts
            get_run_logger().info(line)
        # Called again and again: what is too early now is written by a later call.
        early = self._monotonic() - self._written_at < ARTIFACT_SECONDS
        last = state.finished or state.ended == state.pod_count
        if line == self._written or (early and not last):
            return
        self._written, self._written_at = line, self._monotonic()
        percent = 100.0 * max(state.ended, reports) / state.pod_count
        try:
            self._write(percent, line)
        except PREFECT_UNAVAILABLE as error:
            get_run_logger().warning("the progress artifact could not be written: %s", error)

    def _write(self, percent: float, line: str) -> None:
        if self._artifact is None:
            created = create_progress_artifact(percent, description=line)
            assert isinstance(created, UUID)  # a coroutine only where the caller is async
            self._artifact = created
        else:
            update_progress_artifact(self._artifact, percent, description=line)


class CancellableSleep:
    """Sleeps, and checks every few seconds whether the flow run or its parent was cancelled.

    A worker ends a cancelled flow by a signal; a flow that runs in its own process gets none and
    would continue for ever. What stays is for the flow to decide, not for the step that sleeps.
    """

    def __init__(self) -> None:
        self._checked_at = time.monotonic()

    def __call__(self, seconds: float) -> None:
        """Sleep so many seconds.

        Raises:
            RunCancelledError: The flow run was cancelled.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, CHECK_SECONDS))
            if time.monotonic() - self._checked_at >= CHECK_SECONDS:
                self._checked_at = time.monotonic()
                if _is_cancelled():
                    raise RunCancelledError("the flow run was cancelled while it waited")


def _is_cancelled() -> bool:
    try:
        ids = {runtime.flow_run.id, runtime.flow_run.root_flow_run_id} - {None}
        with get_client(sync_client=True) as client:
            states = [client.read_flow_run(UUID(str(flow_run))).state for flow_run in ids]
    except PREFECT_UNAVAILABLE:
        return False  # a Prefect server that is away is no reason to end a run
    return any(
        state is not None and (state.is_cancelling() or state.is_cancelled()) for state in states
    )
