"""Ctrl-C and SIGTERM: raised as exceptions that are never lost, and what is said then.

Python drops an exception where nobody could catch it: in a finalizer, in the callback of a weak
reference, in a callback from C. A signal that arrives there would leave its command running.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType

__all__ = [
    "Terminated",
    "catching_signals",
    "describe_interruption",
    "raise_if_terminated",
    "say_when_interrupted",
]

# An interruption that was dropped is raised again after so long.
_AGAIN_SECONDS = 0.02

_sentence: ContextVar[Callable[[], str] | None] = ContextVar("sentence", default=None)
_terminated: ContextVar[list[int] | None] = ContextVar("terminated", default=None)


class Terminated(BaseException):
    """SIGTERM, raised wherever the program is, so that everything is left in order."""


@contextmanager
def catching_signals() -> Iterator[None]:
    """Raise Terminated on SIGTERM; SIGINT is a KeyboardInterrupt already.

    When Python drops one of them, the signal is sent again, until it takes effect.
    """
    _sentence.set(None)
    received: list[int] = []
    dropped: list[int] = []

    def terminate(number: int, frame: FrameType | None) -> None:
        del frame
        received.append(number)
        raise Terminated

    def send_again(number: int, frame: FrameType | None) -> None:
        del number, frame
        while dropped:
            signal.raise_signal(dropped.pop())

    def unraisable(what: sys.UnraisableHookArgs) -> None:
        number = _signal_of(what.exc_type)
        if number is None:
            unraisable_before(what)
            return
        dropped.append(number)
        # Not a thread, which must not be started in the middle of anything.
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)

    terminate_before = signal.signal(signal.SIGTERM, terminate)
    alarm_before = signal.signal(signal.SIGALRM, send_again)
    unraisable_before, sys.unraisablehook = sys.unraisablehook, unraisable
    token = _terminated.set(received)
    try:
        yield
    finally:
        _terminated.reset(token)
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = unraisable_before
        signal.signal(signal.SIGALRM, alarm_before)
        signal.signal(signal.SIGTERM, terminate_before)


def _signal_of(kind: type[BaseException]) -> int | None:
    """Return the signal that an exception was raised for."""
    if issubclass(kind, KeyboardInterrupt):
        return signal.SIGINT
    # Prefect's own, while a flow runs; importing it to compare takes a second.
    if issubclass(kind, Terminated) or kind.__name__ == "TerminationSignal":
        return signal.SIGTERM
    return None


def raise_if_terminated() -> None:
    """Raise Terminated if SIGTERM has arrived; for loops, in case a library swallowed it.

    Raises:
        Terminated: It has arrived.
    """
    if _terminated.get():
        raise Terminated


def say_when_interrupted(sentence: Callable[[], str]) -> None:
    """Let a command say what it has created so far, should it be interrupted."""
    _sentence.set(sentence)


def describe_interruption(word: str) -> str:
    """Return the line that an interrupted command ends with."""
    sentence = _sentence.get()
    return word if sentence is None else f"{word}; {sentence()}"
