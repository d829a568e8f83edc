import random
import threading

import pytest

from mrunners.durations import format_duration
from mrunners.errors import ForbiddenError, InvalidInputError, UnreachableError
from mrunners.kube.retry import (
    FailureKind,
    NotSentError,
    RequestFailure,
    RetryPolicy,
    request_deadline,
    seconds_left,
)
from tests.fakes import FakeClock

TRANSIENT, FORBIDDEN, PERMANENT = (
    FailureKind.TRANSIENT,
    FailureKind.FORBIDDEN,
    FailureKind.PERMANENT,
)


class Server:
    """Answers after the given failures, and counts its requests."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.warnings: list[str] = []
        self.requests = 0
        self.policy = RetryPolicy(
            self.clock.monotonic, self.clock.sleep, self.warnings.append, random=random.Random(1)
        )

    def call(self, *failures: RequestFailure, limit_seconds: float | None = None) -> str:
        remaining = list(failures)

        def attempt() -> str:
            self.requests += 1
            if remaining:
                raise remaining.pop(0)
            return "answer"

        return self.policy.call(attempt, limit_seconds=limit_seconds)

    def call_until_it_gives_up(
        self, failure: RequestFailure, *, limit_seconds: float | None = None
    ) -> float:
        """Return for how many seconds a failure that stays is retried."""
        began = self.clock.seconds

        def attempt() -> None:
            self.requests += 1
            raise failure

        with pytest.raises(type(failure.error)):
            self.policy.call(attempt, limit_seconds=limit_seconds)
        return self.clock.seconds - began


def transient(retry_after: float | None = None) -> RequestFailure:
    return RequestFailure(TRANSIENT, UnreachableError("no answer"), retry_after)


def forbidden() -> RequestFailure:
    error = ForbiddenError("forbidden", verb="get", resource="jobs", namespace="load")
    return RequestFailure(FORBIDDEN, error)


def test_the_first_contact_is_retried_for_15_seconds() -> None:
    server = Server()
    seconds = server.call_until_it_gives_up(transient())
    assert 15 <= seconds < 15 + 10
    assert server.warnings == ["no answer; retrying for up to 15s"]


def test_after_one_success_requests_are_retried_for_10_minutes() -> None:
    server = Server()
    server.call()
    seconds = server.call_until_it_gives_up(transient())
    assert 600 <= seconds < 600 + 10
    assert server.warnings == ["no answer; retrying for up to 10m"]


def test_an_outage_is_reported_when_it_begins_and_when_it_ends() -> None:
    server = Server()
    server.call()
    assert server.call(*[transient()] * 3) == "answer"
    assert server.warnings[0] == "no answer; retrying for up to 10m"
    assert server.warnings[1].startswith("the API server is back after ")
    assert len(server.warnings) == 2


def test_the_length_of_an_outage_counts_from_its_first_failure() -> None:
    server = Server()
    server.call()
    server.call_until_it_gives_up(transient())
    server.clock.sleep(60)
    server.call()
    outage = format_duration(server.clock.seconds)
    assert server.warnings[-1] == f"the API server is back after {outage}"


def test_the_pauses_grow_and_have_jitter() -> None:
    server = Server()
    server.call()
    server.call(*[transient()] * 9)
    longest = [min(0.2 * 2**step, 10.0) for step in range(9)]
    assert all(
        most / 2 <= pause <= most for pause, most in zip(server.clock.slept, longest, strict=True)
    )


def test_a_retry_after_header_is_obeyed() -> None:
    server = Server()
    server.call(transient(retry_after=7))
    assert server.clock.slept == [7]


def test_a_retry_after_header_of_an_hour_is_limited_to_30_seconds() -> None:
    server = Server()
    server.call(transient(retry_after=3600))
    assert server.clock.slept == [30]


def test_a_server_that_asks_for_fewer_requests_now_and_then_is_not_away() -> None:
    server = Server()
    server.call()
    throttled = RequestFailure(TRANSIENT, UnreachableError("429"), 1, throttled=True)
    for _ in range(3):
        server.call(throttled, throttled)
    assert (server.clock.slept, server.warnings) == ([1] * 6, [])
    server.call(*[throttled] * 12)
    assert server.warnings[0] == "429; retrying for up to 10m"
    assert server.warnings[1].startswith("the API server is back after ")


def test_a_permanent_failure_is_not_retried() -> None:
    server = Server()
    server.call()
    assert server.call_until_it_gives_up(RequestFailure(PERMANENT, InvalidInputError("bad"))) == 0
    assert (server.requests, server.warnings) == (2, [])


def test_a_403_is_final() -> None:
    server = Server()
    server.call()
    assert server.call_until_it_gives_up(forbidden()) == 0
    assert server.requests == 2


def test_a_403_right_after_an_outage_is_retried() -> None:
    server = Server()
    server.call()
    assert server.call(transient(), forbidden(), forbidden()) == "answer"


def test_a_403_that_persists_after_an_outage_is_final() -> None:
    server = Server()
    server.call()
    with pytest.raises(ForbiddenError):
        server.call(transient(), *[forbidden()] * 100)
    assert 3 <= server.clock.seconds < 5
    assert server.requests < 40


def test_a_403_beside_the_first_success_after_an_outage_is_retried() -> None:
    server = Server()
    server.call()
    server.call(transient())
    requests = server.requests
    # Sent by another thread when the server had just come back, and answered a little later.
    assert server.call(forbidden()) == "answer"
    assert server.requests == requests + 2


def test_a_request_that_was_sent_once_fails_as_it_did_then() -> None:
    server = Server()
    sent = RequestFailure(TRANSIENT, UnreachableError("reset"))
    waiting = RequestFailure(TRANSIENT, NotSentError("others had the turn"))
    failures = [sent, *[waiting] * 50]
    with request_deadline(3, server.clock.monotonic), pytest.raises(UnreachableError) as raised:
        server.call(*failures)
    assert str(raised.value) == "reset"
    with request_deadline(6, server.clock.monotonic), pytest.raises(NotSentError):
        server.call(*[waiting] * 50)


def test_one_request_that_fails_beside_others_is_told_of_once() -> None:
    server = Server()
    server.call()
    refused = RequestFailure(TRANSIENT, UnreachableError("500"))
    remaining = [refused] * 4

    def attempt() -> str:
        if remaining:
            server.policy.call(lambda: "another request")
            raise remaining.pop()
        return "answer"

    assert server.policy.call(attempt) == "answer"
    assert [line.partition(" ")[0] for line in server.warnings] == ["500;", "the"]


def test_a_403_long_after_an_outage_is_final() -> None:
    server = Server()
    server.call(transient())
    server.clock.sleep(5)
    assert server.call_until_it_gives_up(forbidden()) == 0


def test_a_lower_limit_ends_the_retries_without_declaring_an_outage() -> None:
    server = Server()
    server.call()
    assert 30 <= server.call_until_it_gives_up(transient(), limit_seconds=30) < 30 + 10
    assert server.warnings == ["no answer; retrying for up to 30s"]
    server.call()  # the API server itself was never unreachable
    assert server.warnings == ["no answer; retrying for up to 30s"]


def test_a_larger_limit_does_not_lengthen_the_first_contact() -> None:
    assert Server().call_until_it_gives_up(transient(), limit_seconds=100) < 15 + 10


@pytest.mark.parametrize("deadline", [0.05, 7, 100])
def test_no_retry_outlasts_the_deadline_of_the_caller(deadline: float) -> None:
    server = Server()
    server.call()
    with request_deadline(deadline, server.clock.monotonic):
        assert server.call_until_it_gives_up(transient(retry_after=30)) == deadline
    assert server.warnings == [f"no answer; retrying for up to {format_duration(deadline)}"]


def test_a_deadline_does_not_lengthen_the_first_contact() -> None:
    server = Server()
    with request_deadline(1000, server.clock.monotonic):
        assert server.call_until_it_gives_up(transient()) < 15 + 10


def test_after_the_deadline_a_request_is_still_sent_once() -> None:
    server = Server()
    server.clock.sleep(10)
    with request_deadline(5, server.clock.monotonic):
        assert server.call() == "answer"
        assert server.call_until_it_gives_up(transient()) == 0


def test_a_deadline_holds_for_the_callers_block_and_thread_only() -> None:
    clock = FakeClock()
    seen: list[float | None] = []
    with request_deadline(9, clock.monotonic):
        clock.sleep(2)
        seen.append(seconds_left())
        thread = threading.Thread(target=lambda: seen.append(seconds_left()))
        thread.start()
        thread.join()
        clock.sleep(20)
        seen.append(seconds_left())
    assert [*seen, seconds_left()] == [7, None, 0, None]
