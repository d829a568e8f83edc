"""Tells people on stderr how far a run is: a live line on a terminal, plain lines otherwise.

It must not write to stdout, but for the tracker's name.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

import click

from mrunners.durations import format_duration

if TYPE_CHECKING:
    from rich.status import Status

    from mrunners.status.run_state import RunState

__all__ = ["Console", "print_line"]


class Console:
    """The command line's `RunObserver`; a context manager, so that the live line is always cleared.

    Args:
        quiet: no progress and no notes; warnings stay.
        print_tracker: print the tracker's name to stdout as soon as it stands.
    """

    def __init__(self, *, quiet: bool, print_tracker: bool = False) -> None:
        self._quiet = quiet
        self._print_tracker = print_tracker
        self._began = time.monotonic()
        self._last = ""
        self._status: Status | None = None

    def __enter__(self) -> Console:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console

            self._status = Console(stderr=True, highlight=False).status("", spinner="dots")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def info(self, text: str) -> None:
        """A line for people."""
        if not self._quiet:
            self._say(text)

    def warn(self, text: str) -> None:
        """A line that is shown even when quiet."""
        self._say(f"warning: {text}")

    def tracker(self, name: str) -> None:
        """The tracker stands: its name goes to stdout, at once, once."""
        if self._print_tracker:
            self._print_tracker = False
            if self._status is not None:
                self._status.stop()
            click.echo(name)

    def reports_fetched(self, pods: Sequence[str]) -> None:
        """Nothing: the progress counts them, and `result` names those that are missing."""

    def progress(self, state: RunState, reports: int) -> None:
        """How far the run is."""
        if self._quiet:
            return
        words = [f"{state.ended} of {state.pods} pods ended"]
        if state.running:
            words.append(f"{state.running} running")
        if state.unstarted:
            words.append(f"{state.unstarted} starting")
        if state.missing:
            words.append(f"{len(state.missing)} Jobs not created")
        words.append(f"{reports} reports")
        line = ", ".join(words)
        elapsed = format_duration(time.monotonic() - self._began)
        if self._status is not None:
            self._status.update(f"{line}  ({elapsed})")
            self._status.start()
        elif line != self._last:
            self._say(f"{line} ({elapsed})")
        self._last = line

    def _say(self, text: str) -> None:
        if self._status is not None:
            self._status.stop()
        print_line(text)


# A line of ours has a URL and a message of the API server at most.
LONGEST_LINE = 4000


def print_line(text: str) -> None:
    """Print a text of one line or several."""
    # Not at the top: `--help` needs none of it.
    from mrunners.text import printable

    click.echo("\n".join(printable(line, LONGEST_LINE) for line in text.split("\n")), err=True)
