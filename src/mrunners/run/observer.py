"""How a long operation reports what it does, whether a person or a log reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mrunners.status.run_state import RunState

__all__ = ["NullObserver", "RunObserver"]


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
            pods: One text per pod: `JOB index INDEX, pod NAME on NODE`.
        """

    def progress(self, state: RunState, reports: int) -> None:
        """Report how far the run is; called often.

        Args:
            state: The state of the run.
            reports: How many reports have been fetched.
        """


class NullObserver:
    """Ignores everything."""

    def info(self, text: str) -> None:
        """Do nothing."""

    def warn(self, text: str) -> None:
        """Do nothing."""

    def tracker_created(self, name: str) -> None:
        """Do nothing."""

    def reports_fetched(self, pods: Sequence[str]) -> None:
        """Do nothing."""

    def progress(self, state: RunState, reports: int) -> None:
        """Do nothing."""
