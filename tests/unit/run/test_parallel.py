"""Items are begun in order on a few threads, and nothing is begun after an error."""

import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import pytest

from mrunners.run.parallel import in_parallel

SECONDS = 20.0


class Calls:
    """A function whose calls last until they are let go, and that counts those in progress."""

    def __init__(self, hold: int) -> None:
        self._hold = threading.Semaphore(0)
        self._held = hold
        self._changed = threading.Condition()
        self.active, self.most = 0, 0
        self.begun: list[int] = []
        self.finished: list[int] = []

    def __call__(self, item: int, finished: int) -> int:
        with self._changed:
            self.active += 1
            self.most = max(self.most, self.active)
            self.begun.append(item)
            self.finished.append(finished)
            self._changed.notify_all()
        if item < self._held:
            assert self._hold.acquire(timeout=SECONDS)
        with self._changed:
            self.active -= 1
        return item * 10

    def wait_until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, SECONDS)

    def let_go(self, count: int) -> None:
        self._hold.release(count)


def collected(items: Iterator[tuple[int, int]], into: list[tuple[int, int]]) -> threading.Thread:
    thread = threading.Thread(target=lambda: into.extend(items), daemon=True)
    thread.start()
    return thread


def test_as_many_items_are_in_progress_as_there_are_threads_and_results_are_in_order() -> None:
    calls, results = Calls(hold=4), list[tuple[int, int]]()
    thread = collected(in_parallel(calls, range(20), 4), results)
    calls.wait_until(lambda: calls.active == 4)
    calls.let_go(4)
    thread.join(SECONDS)
    assert results == [(item, item * 10) for item in range(20)]
    assert (calls.most, sorted(calls.begun)) == (4, list(range(20)))


def test_nothing_is_begun_far_beyond_an_unfinished_item() -> None:
    calls, results = Calls(hold=1), list[tuple[int, int]]()
    thread = collected(in_parallel(calls, range(100), 3), results)
    calls.wait_until(lambda: len(calls.begun) == 6)  # twice as many as threads
    time.sleep(0.05)  # would be long enough for all others
    assert (sorted(calls.begun), set(calls.finished)) == (list(range(6)), {0})
    calls.let_go(1)
    thread.join(SECONDS)
    assert [item for item, _ in results] == list(range(100))


def test_each_item_is_told_how_many_from_the_first_are_finished() -> None:
    told: list[tuple[int, int]] = []
    list(in_parallel(lambda item, finished: told.append((item, finished)), range(200), 8))
    assert all(finished <= item for item, finished in told)
    assert max(item - finished for item, finished in told) < 16
    alone = [finished for _, finished in in_parallel(lambda _, finished: finished, "abc", 1)]
    assert alone == [0, 1, 2]


def test_after_an_error_nothing_is_begun_and_what_succeeded_is_yielded_first() -> None:
    begun: list[int] = []
    barrier = threading.Barrier(3, timeout=SECONDS)

    def call(item: int, finished: int) -> int:
        del finished
        begun.append(item)
        if item < 3:
            barrier.wait()
        if item == 1:
            raise KeyError(item)
        if item > 1:
            stopped.wait(SECONDS)
        return item

    stopped = threading.Event()
    results = []

    def collect() -> None:
        for pair in in_parallel(call, range(50), 3):
            results.append(pair)
            stopped.set()

    with pytest.raises(KeyError, match="1"):
        collect()
    assert results[:1] == [(0, 0)]
    assert (2, 2) in results
    assert len(begun) < 50


def test_of_several_errors_that_of_the_first_item_is_raised() -> None:
    barrier = threading.Barrier(4, timeout=SECONDS)

    def call(item: int, finished: int) -> None:
        del finished
        barrier.wait()
        raise KeyError(item)

    with pytest.raises(KeyError, match="0"):
        list(in_parallel(call, range(40), 4))


def test_an_interrupted_caller_waits_for_nothing_that_is_stuck() -> None:
    answered = threading.Event()
    begun: list[int] = []

    def call(item: int, finished: int) -> int:
        del finished
        begun.append(item)
        if item > 0:
            answered.wait()  # which nobody sets while the caller is interrupted
        return item

    items = in_parallel(call, range(100), 2)
    assert next(items) == (0, 0)
    items.close()
    assert not answered.is_set()
    assert len(begun) <= 4
    answered.set()


def test_the_context_of_the_caller_holds_in_the_threads() -> None:
    place: ContextVar[str] = ContextVar("place", default="nowhere")
    place.set("here")
    assert {seen for _, seen in in_parallel(lambda *_: place.get(), range(9), 3)} == {"here"}
