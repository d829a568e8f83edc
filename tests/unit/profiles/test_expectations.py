"""What kperf makes of a profile's rates, and the line that says so before the start."""

from __future__ import annotations

import pytest

from mrunners.profiles.expectations import rate_ceilings
from tests.unit.profiles.one_document import parse_profile

GET = "requests: [{shares: 1, staleGet: {version: v1, resource: pods, namespace: a, name: b}}]"


def profile(*specs: str) -> str:
    return "version: 1\nspecs:\n" + "".join(f"- {{{spec}, {GET}}}\n" for spec in specs)


@pytest.mark.parametrize(
    ("specs", "ceilings"),
    [
        # Slower, or as fast as all connections together.
        (["rate: 10, total: 50", "rate: 5, total: 50"], (None, None)),
        (["rate: 10, total: 50, conns: 2", "rate: 20, total: 500, client: 2"], (None, None)),
        # Faster than the connections, and faster than those that the clients use.
        (["rate: 10, total: 50", "rate: 50, total: 500, client: 9"], (None, 10.0)),
        (["rate: 10, total: 50, conns: 9", "rate: 50, total: 500"], (None, 10.0)),
        (["rate: 10, total: 50, conns: 3", "total: 500, client: 2"], (None, 20.0)),
        # Three clients on two connections: one connection gets two thirds of the requests.
        (["rate: 10, total: 50, conns: 2", "rate: 18, total: 900, client: 3"], (None, 18.0)),
        # Ten requests pass at once on a connection that was idle.
        (["rate: 10, total: 50", "rate: 100, total: 10"], (None, None)),
        (["rate: 10, total: 50", "rate: 100, total: 20"], (None, 10.0)),
        (["rate: 10, total: 50", "duration: 60"], (None, 10.0)),
        # The first spec has no rate, so the connections have no limiter.
        (["total: 50", "rate: 100, total: 500"], (None, None)),
    ],
)
def test_a_spec_that_is_faster_than_the_first_ones_limiters_has_a_ceiling(
    specs: list[str], ceilings: tuple[float | None, ...]
) -> None:
    assert rate_ceilings(parse_profile(profile(*specs)).profile) == ceilings


@pytest.mark.parametrize(
    ("specs", "warnings"),
    [
        (
            [f"rate: {10 + n}, total: 40, client: 2" for n in range(20)],
            [
                "specs[1]…specs[19]: kperf limits each connection to the first spec's rate (10/s, "
                "1 connection) and counts that wait as latency, so these latencies will not be the "
                "server's; set specs[0].conns and their client to at least 3 (the fastest of them "
                "sends 29/s)"
            ],
        ),
        (
            # A replay: baseline, spike, recovery.
            [
                "rate: 10, total: 600, client: 20",
                "rate: 100, total: 6000, client: 20",
                "rate: 10, total: 600, client: 20",
            ],
            [
                "specs[1]: kperf limits each connection to the first spec's rate (10/s, 1 "
                "connection) and counts that wait as latency, so these latencies will not be the "
                "server's; set specs[0].conns to at least 10 (the fastest of them sends 100/s)"
            ],
        ),
        (
            ["rate: 5, total: 20", "total: 50"],
            [
                "specs[1]: kperf limits each connection to the first spec's rate (5/s, 1 "
                "connection) and counts that wait as latency, so these latencies will not be the "
                "server's; give them a runner of their own"
            ],
        ),
        (
            # No number of connections makes up for the least of all rates.
            ["rate: 5.0e-324, total: 20", "rate: 1, total: 50"],
            [
                "specs[1]: kperf limits each connection to the first spec's rate (4.94066e-324/s, "
                "1 connection) and counts that wait as latency, so these latencies will not be "
                "the server's; give them a runner of their own"
            ],
        ),
        (
            ["rate: 10, duration: 5, client: 50", "rate: 10, duration: 10, client: 20"],
            [
                "specs[0], specs[1]: kperf ends a duration as soon as an idle client would wait "
                "past its end, here up to 5s of 5s early (50 clients at 10/s); use fewer clients, "
                "or total instead of duration"
            ],
        ),
        (
            ["rate: 5000, total: 10000"],
            [
                "specs[0]: 1 client can send 5000/s only if each answer takes less than 0.200 ms, "
                "because a client waits for its answer; use more clients"
            ],
        ),
        (["rate: 100, duration: 60, client: 10"], []),
        (
            ["total: 5, duration: 9", "total: 5", "total: 5, duration: 9", "total: 5, duration: 9"],
            ["specs[0], specs[2], specs[3]: both total and duration are set; duration is ignored"],
        ),
    ],
)
def test_each_surprise_is_one_line_for_all_its_specs(specs: list[str], warnings: list[str]) -> None:
    assert list(parse_profile(profile(*specs)).warnings) == warnings


@pytest.mark.parametrize(
    "specs",
    [
        ["rate: 10, total: 50", "rate: 100, total: 900, client: 20"],
        ["rate: 7, total: 50", "rate: 100, total: 900, client: 31"],
        ["rate: 10, total: 50", "rate: 18, total: 900, client: 3"],
    ],
)
def test_the_advised_number_of_connections_is_enough_and_one_less_is_not(specs: list[str]) -> None:
    def warnings(conns: int) -> tuple[str, ...]:
        given = [f"{spec}, conns: {conns}" for spec in specs]
        return parse_profile(profile(*given)).warnings

    (warning,) = warnings(1)
    advised = int(warning.partition("at least ")[2].partition(" ")[0])
    assert warnings(advised) == ()
    assert warnings(advised - 1) != ()
