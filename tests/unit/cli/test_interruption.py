"""No signal is lost, wherever it arrives."""

import signal
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from mrunners.status.run_state import run_state
from mrunners_cli.console import Console
from mrunners_cli.interruption import Terminated, catching_signals
from tests.unit.env import planned

SIGNALS = [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)]


class Finalized:
    """Does something where Python can raise nothing."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.action = action

    def __del__(self) -> None:
        self.action()


class Referenced:
    """Can be referenced weakly."""


def run_for_ever() -> None:
    """Run until an exception comes; a signal that was lost fails the test after a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _interrupts_as_at_a_terminal() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def ended_by(command: Callable[[], object]) -> type[BaseException]:
    """Run a command as the command line does, and return what ended it."""
    try:
        with catching_signals():
            command()
    except BaseException as error:  # noqa: BLE001 - these are what the tests are about
        return type(error)
    raise AssertionError("the signal was lost")


@pytest.mark.parametrize(("number", "kind"), SIGNALS)
def test_a_signal_that_arrives_in_a_finalizer_ends_the_command(
    number: int, kind: type[BaseException]
) -> None:
    def command() -> None:
        Finalized(lambda: signal.raise_signal(number))
        run_for_ever()

    assert ended_by(command) is kind


@pytest.mark.parametrize(("number", "kind"), SIGNALS)
def test_a_signal_that_arrives_in_the_callback_of_a_weak_reference_ends_the_command(
    number: int, kind: type[BaseException]
) -> None:
    def command() -> None:
        referenced = Referenced()
        reference = weakref.ref(referenced, lambda _: signal.raise_signal(number))
        del referenced
        assert reference() is None
        run_for_ever()

    assert ended_by(command) is kind


@pytest.mark.parametrize(("number", "kind"), SIGNALS)
def test_a_signal_that_is_dropped_twice_ends_the_command(
    number: int, kind: type[BaseException]
) -> None:
    reached = []

    def command() -> None:
        Finalized(lambda: signal.raise_signal(number))
        Finalized(run_for_ever)
        reached.append("after both")
        run_for_ever()

    assert (ended_by(command), reached) == (kind, ["after both"])


def test_a_sigterm_that_a_library_swallows_ends_the_next_round_of_a_wait() -> None:
    console = Console(quiet=True)

    def command() -> None:
        with suppress(BaseException):  # as asyncio does around a callback
            signal.raise_signal(signal.SIGTERM)
        console.warn("a line on the way out is printed")
        console.progress(run_state(planned().plan, []), 0, None)

    assert ended_by(command) is Terminated


def test_what_else_a_finalizer_raises_is_shown_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: shown.append(what.exc_type))

    def fail() -> None:
        raise ValueError

    with catching_signals():
        Finalized(fail)
    assert shown == [ValueError]


def test_afterwards_every_signal_is_handled_as_before() -> None:
    numbers = (signal.SIGTERM, signal.SIGALRM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers], sys.unraisablehook
    with catching_signals():
        pass
    assert ([signal.getsignal(number) for number in numbers], sys.unraisablehook) == before
