"""How a long operation reports what it does, whether a person or a log reads it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from mrunners.status.run_state import RunState
from mrunners.status.time_left import TimeLeft, progress_texts

__all__ = ["LoggingObserver", "RunObserver"]

_logger = logging.getLogger("mrunners")


class RunObserver(Protocol):
    """Receives what happens during a run."""

    def info(self, text: str) -> None:
        """Report something that happened, in one line."""

    def warn(self, text: str) -> None:
        """Report something that the user should act on, in one line."""

    def tracker_created(self, name: str) -> None:
        """Report that the tracker exists: from now on the run can be resumed."""

    def reports_fetched(self, pods: Sequence[str]) -> None:
        """Report the reports that were fetched since the last call.

        Args:
            pods: One text per pod: `JOB index INDEX, pod/NAME on NODE`.
        """

    def progress(self, state: RunState, reports: int, left: TimeLeft | None) -> None:
        """Report how far the run is; called often.

        Args:
            state: The state of the run.
            reports: How many reports have been fetched.
            left: How long the load still takes; None when that is not known.
        """


class LoggingObserver:
    """Logs to the logger `mrunners`; to be subclassed by callers that show a part of it.

    Warnings are level WARNING, what happened is INFO, and progress is DEBUG.
    """

    def info(self, text: str) -> None:
        """Log at level INFO."""
        _logger.info("%s", text)

    def warn(self, text: str) -> None:
        """Log at level WARNING."""
        _logger.warning("%s", text)

    def tracker_created(self, name: str) -> None:
        """Log at level INFO."""
        _logger.info("tracker %s exists", name)

    def reports_fetched(self, pods: Sequence[str]) -> None:
        """Log at level INFO."""
        _logger.info("reports fetched: %s", "; ".join(pods))

    def progress(self, state: RunState, reports: int, left: TimeLeft | None) -> None:
        """Log at level DEBUG."""
        _logger.debug("%s", progress_texts(state, reports, left)[0])
