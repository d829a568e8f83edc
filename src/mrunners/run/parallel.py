"""Does the same with many items on a few threads: begun in order, with the results in order.

Threads wait for the API server, not for the processor. They are daemons: a process that is
interrupted ends at once, whatever a request still waits for.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Generic, TypeVar

__all__ = ["in_parallel"]

T = TypeVar("T")
R = TypeVar("R")

# How far beyond the first unfinished item another one may begin, per thread. One that takes longer
# than the others must not stop them at once, and where a process is killed the unfinished ones are
# to be close together.
_AHEAD = 2

# After an interruption, requests in flight may still be answered; nobody waits longer for them.
_LINGER_SECONDS = 2.0


def in_parallel(
    call: Callable[[T, int], R], items: Sequence[T], threads: int
) -> Generator[tuple[T, R], None, None]:
    """Call a function with each item, and yield the items with their results in order.

    After the first error nothing is begun any more. What had been begun is waited for and yielded
    if it succeeded, and then the error is raised; of several, that of the first item.

    Args:
        call: Gets an item, and how many items from the first are finished when it begins.
        items: What is to be done.
        threads: How many threads; with one, all is done in the caller's.
    """
    if threads == 1 or len(items) <= 1:
        for position, item in enumerate(items):
            yield item, call(item, position)
        return
    yield from _Threads(call, items).run(threads)


class _Threads(Generic[T, R]):
    """What the threads share; all of it is read and changed under one lock."""

    def __init__(self, call: Callable[[T, int], R], items: Sequence[T]) -> None:
        self._call, self._items = call, items
        self._changed = threading.Condition()
        self._results: dict[int, R] = {}
        self._errors: dict[int, Exception] = {}
        # How many items were begun, and how many from the first are finished without a gap.
        self._begun, self._finished = 0, 0
        # The finished ones behind that gap.
        self._ended: set[int] = set()
        self._stopped = False

    def run(self, threads: int) -> Iterator[tuple[T, R]]:
        """Start the threads, and yield each result once all before it are known."""
        count = min(threads, len(self._items))
        # In the caller's context: its deadline for requests, and the log that warnings go to.
        started = [
            threading.Thread(
                target=contextvars.copy_context().run,
                args=(self._work, count * _AHEAD),
                daemon=True,
            )
            for _ in range(count)
        ]
        for thread in started:
            thread.start()
        try:
            for position, item in enumerate(self._items):
                self._wait_for(position)
                if position in self._results:
                    yield item, self._results.pop(position)
            if self._errors:
                raise self._errors[min(self._errors)]
        finally:
            self._stop()
            until = time.monotonic() + _LINGER_SECONDS
            for thread in started:
                thread.join(max(until - time.monotonic(), 0))

    def _wait_for(self, position: int) -> None:
        """Wait until an item is finished, or will never be begun."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    position in self._results
                    or position in self._errors
                    or (self._stopped and position >= self._begun)
                )
            )

    def _work(self, ahead: int) -> None:
        while (begun := self._next(ahead)) is not None:
            position, finished = begun
            try:
                result = self._call(self._items[position], finished)
            except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
                with self._changed:
                    self._errors[position] = error
                self._stop()
            else:
                self._end(position, result)

    def _next(self, ahead: int) -> tuple[int, int] | None:
        """Begin the next item; return its position, and how many from the first are finished."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._begun < self._finished + ahead)
            if self._stopped or self._begun == len(self._items):
                return None
            self._begun += 1
            return self._begun - 1, self._finished

    def _end(self, position: int, result: R) -> None:
        with self._changed:
            self._results[position] = result
            self._ended.add(position)
            while self._finished in self._ended:
                self._ended.remove(self._finished)
                self._finished += 1
            self._changed.notify_all()

    def _stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
