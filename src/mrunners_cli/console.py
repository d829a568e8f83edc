"""Shows people on stderr how far a run is: a live line on a terminal, a line a minute otherwise."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import TracebackType
from typing import TYPE_CHECKING

import click

from mrunners.durations import format_duration
from mrunners.text import printable
from mrunners_cli.interruption import raise_if_terminated

if TYPE_CHECKING:
    from mrunners.reports.merged import MergedReport
    from mrunners.status.run_state import RunState
    from mrunners.status.time_left import TimeLeft
    from mrunners_cli.live_line import LiveLine

__all__ = ["LINE_SECONDS", "Console", "print_error", "print_line"]

# A line of ours has a URL and a message of the API server at most.
LONGEST_LINE = 4000

# Where there is no live line, a log shows at least this often that the command is alive.
LINE_SECONDS = 60.0

# Lines that say themselves what they are, or are indented already.
_COMPLETE_LINES = ("error: ", "warning: ", "  ")


class Console:
    """The command line's `RunObserver`; a context manager, so that the live line is always cleared.

    Nothing goes to stdout but the tracker's name.

    Attributes:
        has_tracker: Whether the run's tracker is known to exist.
    """

    def __init__(
        self,
        *,
        quiet: bool,
        print_tracker: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Print nothing yet.

        Args:
            quiet: Whether to print no progress and no information; warnings are always printed.
            print_tracker: Whether to print the tracker's name to stdout as soon as it exists.
            monotonic: Returns seconds that never go back.
        """
        self._quiet = quiet
        self._print_tracker = print_tracker
        self._monotonic = monotonic
        self._started = monotonic()
        self._last_facts, self._last_line_at = "", float("-inf")
        self._live: LiveLine | None = None
        self.has_tracker = False

    def __enter__(self) -> Console:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console

            terminal = Console(stderr=True, highlight=False)
            if terminal.is_interactive:  # not a dumb one, nor one that its user says is none
                from mrunners_cli.live_line import LiveLine

                self._live = LiveLine(terminal, self._monotonic)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.clear()

    def info(self, text: str) -> None:
        """Print a line, unless quiet."""
        if not self._quiet:
            self._print(text)

    def warn(self, text: str) -> None:
        """Print a warning, even when quiet."""
        self._print(f"warning: {text}")

    def hint(self, text: str) -> None:
        """Print what to do about the warnings above, even when quiet."""
        self._print(f"  {text}")

    @contextmanager
    def announcing(self, text: str, after_seconds: float = 2.0) -> Iterator[threading.Event]:
        """Print a line, unless quiet, if what is done meanwhile takes longer than a moment.

        Yields:
            Set once the line is printed.
        """
        announced = threading.Event()

        def announce() -> None:
            self.info(text)
            announced.set()

        timer = threading.Timer(after_seconds, announce)
        timer.daemon = True
        timer.start()
        try:
            yield announced
        finally:
            timer.cancel()

    def findings(self, report: MergedReport) -> None:
        """Print what a report fails for, even when quiet: objectives that are not met, findings."""
        for line in report.problems:
            self._print(line)

    def summary(self, report: MergedReport) -> bool:
        """Print the report as a table, unless quiet; return whether it was printed."""
        if self._quiet:
            return False
        from mrunners_cli.output import render_for_stderr

        text = render_for_stderr(report)
        with self._cleared(), suppress(OSError):
            click.echo(text, err=True, nl=False, color=True)
        return True

    def tracker_created(self, name: str) -> None:
        """Print the tracker's name to stdout, at once and only once.

        A closed stdout does not end a run that exists.
        """
        self.has_tracker = True
        if self._print_tracker:
            self._print_tracker = False
            try:
                with self._cleared():
                    click.echo(name)
            except OSError as error:
                self.warn(f"cannot write to stdout: {error.strerror}; the tracker is {name}")

    def reports_fetched(self, pods: Sequence[str]) -> None:
        """Do nothing: the progress counts them, and `result` names those that are missing."""

    def progress(self, state: RunState, reports: int, left: TimeLeft | None) -> None:
        """Show how far the run is; called by every loop that waits.

        Without a live line, a line is printed when something changed, and once a minute.
        """
        raise_if_terminated()
        if self._quiet:
            return
        if self._live is not None:
            self._live.show_progress(state, reports, left)
            return
        from mrunners.status.time_left import progress_texts

        facts, now = progress_texts(state, reports, None)[0], self._monotonic()
        if facts != self._last_facts or now - self._last_line_at >= LINE_SECONDS:
            self._last_facts, self._last_line_at = facts, now
            elapsed = format_duration(now - self._started)
            self._print(f"{progress_texts(state, reports, left)[0]} ({elapsed})")

    def working(self, text: str) -> None:
        """Show on a terminal what is done now, until the next line."""
        if self._live is not None:
            self._live.show(text)

    def _print(self, text: str) -> None:
        with self._cleared():
            print_line(text)

    def _cleared(self) -> AbstractContextManager[None]:
        return nullcontext() if self._live is None else self._live.cleared()


def print_line(text: str) -> None:
    """Print a text of one or several lines to stderr, without anything that a terminal obeys.

    A stderr that nobody reads any more, or on a full disk, costs the text and nothing else.
    """
    with suppress(OSError):
        click.echo("\n".join(printable(line, LONGEST_LINE) for line in text.split("\n")), err=True)


def print_error(text: str) -> None:
    """Print an error; what else its text says follows indented, findings as they are."""
    first, *rest = text.split("\n")
    print_line(f"error: {first}")
    for line in rest:
        print_line(line if line.startswith(_COMPLETE_LINES) else f"  {line}")
