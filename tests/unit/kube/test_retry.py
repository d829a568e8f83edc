import random

import pytest

from mrunners.durations import format_duration
from mrunners.errors import ForbiddenError, InvalidInputError, UnreachableError
from mrunners.kube.retry import FailureKind, RequestFailure, RetryPolicy
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


def test_a_403_long_after_an_outage_is_final() -> None:
    server = Server()
    server.call(transient())
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
