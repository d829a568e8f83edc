"""How many requests one client has in flight, and how many it sends per second."""

import threading
from contextlib import ExitStack

import pytest

from mrunners.kube.flow_control import FlowControl
from mrunners.kube.retry import NotSentError, RequestFailure, request_deadline
from tests.fakes import FakeClock


def flow(at_once: int = 16, per_second: float | None = None) -> tuple[FlowControl, FakeClock]:
    clock = FakeClock()
    control = FlowControl(at_once, per_second, monotonic=clock.monotonic, sleep=clock.sleep)
    return control, clock


def send(control: FlowControl, *answers: bool | None, together: bool = False) -> None:
    """Send a request per answer; whether it was 429, and None for none."""
    if not together:
        for throttled in answers:
            with control.turn() as turn:
                turn.throttled = throttled
        return
    with ExitStack() as stack:
        turns = [stack.enter_context(control.turn()) for _ in answers]
        for turn, throttled in zip(turns, answers, strict=True):
            turn.throttled = throttled


def test_after_a_429_half_as_many_requests_are_sent_at_once() -> None:
    control, _ = flow()
    counts = [control.at_once]
    for _ in range(5):
        send(control, True)
        counts.append(control.at_once)
    assert counts == [16, 8, 4, 2, 1, 1]


def test_requests_that_are_refused_together_count_once() -> None:
    control, _ = flow()
    send(control, *[True] * 16, together=True)
    assert control.at_once == 8


def test_each_round_of_successes_allows_one_more_request_again() -> None:
    control, _ = flow()
    send(control, True, True)
    assert control.at_once == 4
    send(control, *[False] * 5)
    assert control.at_once == 5
    send(control, *[False] * 500)
    assert control.at_once == 16


def test_a_request_without_an_answer_says_nothing_about_the_load() -> None:
    control, _ = flow()
    send(control, True, None, None, None)
    assert control.at_once == 8
    with pytest.raises(OSError, match="reset"), control.turn():
        raise OSError("reset")
    assert control.at_once == 8


def test_a_request_beyond_the_limit_waits_until_another_one_is_answered() -> None:
    control, _ = flow(at_once=2)
    sent = threading.Event()

    def third() -> None:
        with control.turn():
            sent.set()

    with ExitStack() as stack:
        stack.enter_context(control.turn())
        with control.turn():
            thread = threading.Thread(target=third, daemon=True)
            thread.start()
            assert not sent.wait(0.05)
        assert sent.wait(20)
    thread.join(20)


def test_a_caller_whose_time_is_up_does_not_wait_for_other_requests() -> None:
    control, clock = flow(at_once=1)
    with (
        control.turn(),
        request_deadline(0, clock.monotonic),
        pytest.raises(RequestFailure, match="other requests of this process"),
        control.turn(),
    ):
        pass
    with request_deadline(0, clock.monotonic), control.turn():
        assert control.at_once == 1


def test_a_caller_whose_time_is_up_before_its_turn_sends_nothing_and_takes_no_turn() -> None:
    control, clock = flow(per_second=1)
    with control.turn():
        pass
    with (
        request_deadline(0.5, clock.monotonic),
        pytest.raises(RequestFailure, match="used up") as raised,
        control.turn(),
    ):
        pass
    assert isinstance(raised.value.error, NotSentError)
    with control.turn():
        assert clock.seconds == 1.0


def test_a_budget_spaces_requests_evenly_also_after_a_pause() -> None:
    control, clock = flow(per_second=4)
    at = []
    for pause in (0, 0, 0, 10, 0, 0.1):
        clock.seconds += pause
        with control.turn():
            at.append(clock.seconds)
    assert at == [0, 0.25, 0.5, 10.5, 10.75, 11.0]
    assert FlowControl(1, None, monotonic=clock.monotonic, sleep=clock.sleep).at_once == 1
