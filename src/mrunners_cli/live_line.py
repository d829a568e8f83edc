"""The live line of a terminal: one line that is redrawn by a clock until it is cleared.

It is never wider than the terminal: what matters least is left out first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mrunners.durations import format_duration
from mrunners.status.time_left import TimeLeft, progress_texts

if TYPE_CHECKING:
    from rich.console import Console

    from mrunners.status.run_state import RunState

__all__ = ["LiveLine"]

_REDRAWS_PER_SECOND: Final = 8

# Shorter bars say less than the words beside them.
_SHORTEST_BAR: Final = 8
_LONGEST_BAR: Final = 24


class LiveLine:
    """What is done now, and for how long already; nothing is shown before the first text."""

    def __init__(self, terminal: Console, monotonic: Callable[[], float]) -> None:
        """Show nothing yet; the time counts from here.

        Args:
            terminal: An interactive one.
            monotonic: Returns seconds that never go back.
        """
        self._terminal, self._monotonic = terminal, monotonic
        self._started = self._shown_at = monotonic()
        self._lost = False
        self._texts: Callable[[float], Sequence[str]] = lambda _: ("",)
        self._share: Callable[[float], float | None] = lambda _: None
        self._spinner = Spinner("line" if terminal.options.ascii_only else "dots")
        self._live = Live(
            console=terminal,
            get_renderable=self._draw,
            transient=True,
            refresh_per_second=_REDRAWS_PER_SECOND,
        )

    def show(self, text: str) -> None:
        """Show what is done now."""
        self._show(lambda _: (text,), lambda _: None)

    def show_progress(self, state: RunState, reports: int, left: TimeLeft | None) -> None:
        """Show how far a run is; what is left of its load is counted down."""

        def later(seconds: float) -> TimeLeft | None:
            return None if left is None else left.after(seconds)

        def share(seconds: float) -> float:
            now = later(seconds)
            return state.ended / state.pod_count if now is None else now.share

        self._show(lambda seconds: progress_texts(state, reports, later(seconds)), share)

    def clear(self) -> None:
        """Clear the line; the next text shows it again."""
        with self._if_it_lives():
            self._live.stop()

    @contextmanager
    def cleared(self) -> Iterator[None]:
        """Clear the line for what is printed meanwhile."""
        shown = self._live.is_started
        self.clear()
        yield
        if shown:
            self._start()

    def _show(
        self,
        texts: Callable[[float], Sequence[str]],
        share: Callable[[float], float | None],
    ) -> None:
        self._texts, self._share, self._shown_at = texts, share, self._monotonic()
        self._start()

    def _start(self) -> None:
        if not self._lost:
            with self._if_it_lives():
                self._live.start(refresh=True)

    @contextmanager
    def _if_it_lives(self) -> Iterator[None]:
        """Do without a terminal that was closed: the command goes on without its line."""
        try:
            yield
        except OSError:
            self._lost = True

    def _draw(self) -> Table:
        now = self._monotonic()
        elapsed = format_duration(int(now - self._started))
        share = self._share(now - self._shown_at)
        # A line that fills the last column is broken by some terminals.
        room = self._terminal.width - 1 - self._spinner_width - 1
        text, bar = _fitted(self._texts(now - self._shown_at), elapsed, room, bar=share is not None)
        line = Table.grid(padding=(0, 1, 0, 0))
        cells: list[Spinner | ProgressBar | Text] = [self._spinner]
        if bar:
            cells.append(ProgressBar(total=1.0, completed=share or 0.0, width=bar))
        line.add_row(*cells, Text(text, no_wrap=True, overflow="ellipsis"))
        return line

    @property
    def _spinner_width(self) -> int:
        return len(self._spinner.frames[0])


def _fitted(texts: Sequence[str], elapsed: str, room: int, *, bar: bool) -> tuple[str, int]:
    """Return the longest text that fits, with the time, and the width of the bar beside it.

    Args:
        texts: The longest first.
        elapsed: For how long it has been going on.
        room: How many columns there are.
        bar: Whether there is a bar at all; it is given up before words are.
    """
    line = ""
    for text in texts:
        line = f"{text} ({elapsed})"
        left = room - len(line)
        if left >= 0:
            width = min(left - 1, _LONGEST_BAR)
            return line, width if bar and width >= _SHORTEST_BAR else 0
    return line, 0
