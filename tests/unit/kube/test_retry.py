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
    """Answers after so many troubles, and counts its requests."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.said: list[str] = []
        self.asked = 0
        self.patience = RetryPolicy(
            self.clock.monotonic, self.clock.sleep, self.said.append, random=random.Random(1)
        )

    def call(self, *troubles: RequestFailure, limit_seconds: float | None = None) -> str:
        coming = list(troubles)

        def attempt() -> str:
            self.asked += 1
            if coming:
                raise coming.pop(0)
            return "answer"

        return self.patience.call(attempt, limit_seconds=limit_seconds)

    def call_until_it_gives_up(
        self, failure: RequestFailure, *, limit_seconds: float | None = None
    ) -> float:
        """How many seconds it bears a failure that stays."""
        began = self.clock.seconds

        def attempt() -> None:
            self.asked += 1
            raise failure

        with pytest.raises(type(failure.error)):
            self.patience.call(attempt, limit_seconds=limit_seconds)
        return self.clock.seconds - began


def passing(retry_after: float | None = None) -> RequestFailure:
    return RequestFailure(TRANSIENT, UnreachableError("no answer"), retry_after)


def forbidden() -> RequestFailure:
    error = ForbiddenError("forbidden", verb="get", resource="jobs", namespace="load")
    return RequestFailure(FORBIDDEN, error)


def test_the_first_contact_is_tried_for_15_seconds() -> None:
    server = Server()
    borne = server.call_until_it_gives_up(passing())
    assert 15 <= borne < 15 + 10
    assert server.said == ["no answer; trying again for up to 15s"]


def test_after_one_success_an_outage_is_borne_for_10_minutes() -> None:
    server = Server()
    server.call()
    borne = server.call_until_it_gives_up(passing())
    assert 600 <= borne < 600 + 10
    assert server.said == ["no answer; trying again for up to 10m"]


def test_an_outage_is_told_when_it_begins_and_when_it_ends() -> None:
    server = Server()
    server.call()
    assert server.call(*[passing()] * 3) == "answer"
    assert server.said[0] == "no answer; trying again for up to 10m"
    assert server.said[1].startswith("the API server answers again after ")
    assert len(server.said) == 2


def test_the_length_of_an_outage_counts_from_its_first_trouble() -> None:
    server = Server()
    server.call()
    server.call_until_it_gives_up(passing())
    server.clock.sleep(60)
    server.call()
    outage = format_duration(server.clock.seconds)
    assert server.said[-1] == f"the API server answers again after {outage}"


def test_the_pauses_grow_and_are_spread_at_random() -> None:
    server = Server()
    server.call()
    server.call(*[passing()] * 9)
    longest = [min(0.2 * 2**step, 10.0) for step in range(9)]
    assert all(
        most / 2 <= pause <= most for pause, most in zip(server.clock.slept, longest, strict=True)
    )


def test_a_server_that_says_when_to_come_back_is_left_alone_until_then() -> None:
    server = Server()
    server.call(passing(retry_after=7))
    assert server.clock.slept == [7]


def test_a_server_that_says_to_come_back_in_an_hour_is_asked_after_30_seconds() -> None:
    server = Server()
    server.call(passing(retry_after=3600))
    assert server.clock.slept == [30]


def test_what_lasts_is_not_tried_again() -> None:
    server = Server()
    server.call()
    assert server.call_until_it_gives_up(RequestFailure(PERMANENT, InvalidInputError("bad"))) == 0
    assert (server.asked, server.said) == (2, [])


def test_a_403_is_meant() -> None:
    server = Server()
    server.call()
    assert server.call_until_it_gives_up(forbidden()) == 0
    assert server.asked == 2


def test_a_403_right_after_an_outage_is_tried_again() -> None:
    server = Server()
    server.call()
    assert server.call(passing(), forbidden(), forbidden()) == "answer"


def test_a_403_that_lasts_after_an_outage_is_meant() -> None:
    server = Server()
    server.call()
    with pytest.raises(ForbiddenError):
        server.call(passing(), *[forbidden()] * 100)
    assert 3 <= server.clock.seconds < 5
    assert server.asked < 40


def test_a_403_long_after_an_outage_is_meant() -> None:
    server = Server()
    server.call(passing())
    assert server.call_until_it_gives_up(forbidden()) == 0


def test_what_may_be_missing_for_good_gets_less_patience_and_no_word_of_more() -> None:
    server = Server()
    server.call()
    assert 30 <= server.call_until_it_gives_up(passing(), limit_seconds=30) < 30 + 10
    assert server.said == ["no answer; trying again for up to 30s"]
    server.call()  # the API server itself was never away
    assert server.said == ["no answer; trying again for up to 30s"]


def test_a_larger_limit_does_not_lengthen_the_first_contact() -> None:
    assert Server().call_until_it_gives_up(passing(), limit_seconds=100) < 15 + 10
