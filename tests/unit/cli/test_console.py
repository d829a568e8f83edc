"""A terminal has one live line that fits and is redrawn by a clock; a log has a line a minute."""

import errno
import io
import re
import sys
import time
from collections.abc import Callable

import pytest
from rich.console import Console as Terminal

from mrunners.status.run_state import RunState
from mrunners.status.time_left import TimeLeft
from mrunners_cli.console import Console
from mrunners_cli.live_line import LiveLine
from tests.fakes import FakeClock, FakeCluster
from tests.unit.env import deploy, find, planned

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def running_pods(*pod_counts: int) -> RunState:
    run, cluster = planned(*pod_counts), FakeCluster()
    deploy(cluster, run)
    for job in run.plan.jobs:
        for index in range(job.pod_count):
            cluster.start_pod(job.name, index)
    return find(cluster, run.plan).state


THREE_PODS = running_pods(2, 1)
FIVE_MINUTES = TimeLeft(250, 300)


class Screen:
    """A terminal in memory, and the live line on it."""

    def __init__(self, width: int = 100, encoding: str = "utf-8", **environment: str) -> None:
        self.bytes = io.BytesIO()
        file = io.TextIOWrapper(self.bytes, encoding, write_through=True)
        self.encoding, self.clock = encoding, FakeClock()
        self.terminal = Terminal(
            file=file,
            width=width,
            force_terminal=True,
            legacy_windows=False,
            _environ={"TERM": "xterm-256color", **environment},
        )
        self.live = LiveLine(self.terminal, self.clock.monotonic)

    @property
    def written(self) -> str:
        return self.bytes.getvalue().decode(self.encoding)

    @property
    def line(self) -> str:
        """The line as it was last drawn, without the spinner."""
        drawn = _CONTROL.sub("", self.written).replace("\r", "\n").split("\n")
        return next(line for line in reversed(drawn) if line.strip())[2:].strip()

    def until(self, condition: Callable[[str], bool]) -> str:
        """Return the first line that is drawn by the clock and meets a condition."""
        deadline = time.monotonic() + 60
        while not condition(line := self.line):
            assert time.monotonic() < deadline, line
            time.sleep(0.01)
        return line


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.mark.parametrize(
    ("width", "bar", "words"),
    [
        (100, 24, " 1 of 3 pods ended, 2 running, 1 report, about 4m10s left (0s)"),
        (80, 15, " 1 of 3 pods ended, 2 running, 1 report, about 4m10s left (0s)"),
        (66, 0, "1 of 3 pods ended, 2 running, 1 report, about 4m10s left (0s)"),
        (60, 16, " 1 of 3 pods ended, about 4m10s left (0s)"),
        (40, 0, "1/3 pods, about 4m10s left (0s)"),
        (24, 0, "1/3 pods, about 4m10s…"),
    ],
)
def test_the_live_line_fits_the_terminal(width: int, bar: int, words: str) -> None:
    screen = Screen(width)
    screen.live.show_progress(THREE_PODS, 1, FIVE_MINUTES)
    screen.live.clear()
    drawn = screen.line.lstrip("━╸╺")
    assert (len(screen.line) - len(drawn), drawn) == (bar, words)
    assert len("⠋ " + screen.line) <= width


def test_the_live_line_is_counted_down_by_a_clock_between_two_polls() -> None:
    screen = Screen()
    screen.clock.seconds = 5
    screen.live.show_progress(THREE_PODS, 0, FIVE_MINUTES)
    try:
        screen.clock.seconds = 65
        assert screen.until(lambda line: "(1m05s)" in line).endswith(
            "3 running, 0 reports, about 3m10s left (1m05s)"
        )
    finally:
        screen.live.clear()


def test_what_is_done_before_the_run_exists_has_a_clock_too() -> None:
    screen = Screen()
    screen.live.show("starting a temporary Prefect server")
    try:
        screen.clock.seconds = 12
        assert screen.until(lambda line: "12s" in line) == (
            "starting a temporary Prefect server (12s)"
        )
    finally:
        screen.live.clear()


def test_the_live_line_comes_back_after_what_is_printed_above_it() -> None:
    screen = Screen()
    screen.live.show("waiting")
    try:
        with screen.live.cleared():
            screen.terminal.file.write("warning: look\n")
        assert _CONTROL.sub("", screen.written.partition("warning: look\n")[2]).strip() != ""
    finally:
        screen.live.clear()


def test_nothing_is_drawn_for_what_is_printed_before_the_first_text() -> None:
    screen = Screen()
    with screen.live.cleared():
        screen.terminal.file.write("warning: look\n")
    screen.live.clear()
    assert screen.written == "warning: look\n"


def test_no_color_leaves_out_the_colors_and_nothing_else() -> None:
    plain, colored = Screen(NO_COLOR="1"), Screen()
    for screen in (plain, colored):
        screen.live.show_progress(THREE_PODS, 0, FIVE_MINUTES)
        screen.live.clear()
    assert [bool(re.search(r"\x1b\[[0-9;]*m", screen.written)) for screen in (plain, colored)] == [
        False,
        True,
    ]
    assert plain.line.endswith("0 of 3 pods ended, 3 running, 0 reports, about 4m10s left (0s)")


def test_a_terminal_without_unicode_gets_ascii() -> None:
    screen = Screen(encoding="ascii")
    screen.live.show_progress(THREE_PODS, 0, FIVE_MINUTES)
    screen.live.clear()
    assert screen.line.endswith("0 of 3 pods ended, 3 running, 0 reports, about 4m10s left (0s)")
    assert "?" not in _CONTROL.sub("", screen.written)


class TerminalStderr(io.StringIO):
    """A stderr that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TTY_INTERACTIVE": "0"}])
def test_a_terminal_that_cannot_redraw_gets_lines(
    variables: dict[str, str], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = TerminalStderr()
    monkeypatch.setattr(sys, "stderr", stderr)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with Console(quiet=False, monotonic=clock.monotonic) as console:
        console.working("starting a temporary Prefect server")
        console.progress(THREE_PODS, 0, None)
    assert stderr.getvalue() == "0 of 3 pods ended, 3 running, 0 reports (0s)\n"


def test_a_terminal_gets_a_live_line_and_no_other(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = TerminalStderr()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm-256color")
    with Console(quiet=False, monotonic=clock.monotonic) as console:
        console.progress(THREE_PODS, 0, FIVE_MINUTES)
        console.warn("look")
    lines = re.split(r"[\r\n]+", _CONTROL.sub("", stderr.getvalue()))
    assert "warning: look" in lines
    assert any("about 4m10s left (0s)" in line for line in lines)


def test_a_log_gets_a_line_when_something_changes_and_else_once_a_minute(
    clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Console(quiet=False, monotonic=clock.monotonic) as console:
        for seconds in range(0, 195, 15):
            clock.seconds = seconds
            reports = 1 if seconds >= 105 else 0
            console.progress(THREE_PODS, reports, TimeLeft(300 - seconds, 300))
    assert capsys.readouterr().err == (
        "0 of 3 pods ended, 3 running, 0 reports, about 5m left (0s)\n"
        "0 of 3 pods ended, 3 running, 0 reports, about 4m left (1m)\n"
        "1 of 3 pods ended, 2 running, 1 report, about 3m20s left (1m45s)\n"
        "1 of 3 pods ended, 2 running, 1 report, about 2m20s left (2m45s)\n"
    )


def test_nothing_is_shown_quietly(clock: FakeClock, capsys: pytest.CaptureFixture[str]) -> None:
    with Console(quiet=True, monotonic=clock.monotonic) as console:
        console.working("starting a temporary Prefect server")
        console.progress(THREE_PODS, 0, FIVE_MINUTES)
    assert capsys.readouterr().err == ""


class ClosedTerminal(io.BytesIO):
    """What a terminal is after its window was closed."""

    closed_now = False

    def write(self, data: object) -> int:
        if self.closed_now:
            raise OSError(errno.EIO, "Input/output error")
        return len(bytes(data))  # type: ignore[call-overload]


def test_a_terminal_that_is_closed_costs_the_live_line_and_nothing_else() -> None:
    screen, closed = Screen(), ClosedTerminal()
    screen.terminal.file = io.TextIOWrapper(closed, "utf-8", write_through=True)
    screen.live.show("waiting")
    closed.closed_now = True
    printed = []
    with screen.live.cleared():
        printed.append("warning")
    screen.live.show("still waiting")
    screen.live.show_progress(THREE_PODS, 1, FIVE_MINUTES)
    screen.live.clear()
    assert printed == ["warning"]
