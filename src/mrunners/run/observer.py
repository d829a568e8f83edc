"""How a long step tells what it does, without knowing whether a person or a log listens.

It must not print.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mrunners.status.run_state import RunState

__all__ = ["NullObserver", "RunObserver"]


class RunObserver(Protocol):
    """Hears of a run's progress."""

    def info(self, text: str) -> None:
        """One line worth keeping: something happened."""

    def warn(self, text: str) -> None:
        """One line that the user should act on."""

    def tracker(self, name: str) -> None:
        """The tracker exists from now on: the run can be resumed."""

    def reports_fetched(self, pods: Sequence[str]) -> None:
        """Reports have come home since the last call.

        Args:
            pods: whose, each as `JOB index INDEX, pod NAME on HOST`.
        """

    def progress(self, state: RunState, reports: int) -> None:
        """How far the run is; called often.

        Args:
            state: the run.
            reports: how many pods' reports have been brought home.
        """


class NullObserver:
    """Hears nothing."""

    def info(self, text: str) -> None:
        """Nothing."""

    def warn(self, text: str) -> None:
        """Nothing."""

    def tracker(self, name: str) -> None:
        """Nothing."""

    def reports_fetched(self, pods: Sequence[str]) -> None:
        """Nothing."""

    def progress(self, state: RunState, reports: int) -> None:
        """Nothing."""
