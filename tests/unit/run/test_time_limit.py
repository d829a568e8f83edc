"""Looking up a run is part of the wait that follows, and of its timeout."""

import pytest

from mrunners.errors import UnreachableError, WaitTimeoutError
from mrunners.hints import describe
from mrunners.kube.retry import seconds_left
from mrunners.run.time_limit import looking_up
from tests.fakes import FakeClock


def time_out(tracker: str | None, *, after: float) -> None:
    """Look up a run for 30 seconds at most, in an outage that lasts so long."""
    clock = FakeClock()
    with looking_up("load", tracker, 30, monotonic=clock.monotonic):
        clock.sleep(after)
        raise UnreachableError("connection refused")


def test_requests_have_the_rest_of_the_timeout_and_the_wait_has_what_they_leave() -> None:
    clock = FakeClock()
    with looking_up("load", "t", 30, waited_seconds=10, monotonic=clock.monotonic) as used:
        assert seconds_left() == 20
        clock.sleep(5)
    assert (used(), seconds_left()) == (15, None)


def test_without_a_timeout_there_is_no_deadline() -> None:
    with looking_up("load", "t", None) as used:
        assert seconds_left() is None
        assert used() >= 0


@pytest.mark.parametrize(
    ("tracker", "message"),
    [
        (
            "t",
            "timed out after 30s: the run of tracker load/t could not be read (connection refused)"
            "\nwait for it with: mrunners wait load --tracker t",
        ),
        (
            None,
            "timed out after 30s: the trackers of namespace load could not be read (connection "
            "refused)",
        ),
    ],
)
def test_an_outage_that_outlasts_the_timeout_is_the_timeouts_end(
    tracker: str | None, message: str
) -> None:
    with pytest.raises(WaitTimeoutError) as caught:
        time_out(tracker, after=30)
    assert (describe(caught.value), caught.value.seconds) == (message, 30)


def test_an_outage_that_ends_before_the_timeout_is_not_the_timeouts_end() -> None:
    with pytest.raises(UnreachableError):
        time_out("t", after=29)
