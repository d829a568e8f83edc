"""The simulation of kperf's client agrees with what the real one did.

The figures are those of kperf 0.3.5 against an HTTP server on the same machine that answers after a
fixed time, measured once. Each run has the durations and the median of each spec.
"""

from __future__ import annotations

from statistics import median_high

import pytest

from tests.kperf_simulator import SimulatedSpec, simulate


@pytest.mark.parametrize(
    ("specs", "conns", "answer_seconds", "durations", "medians"),
    [
        # The first spec's limiter: ten requests pass at once, then ten a second.
        (
            [SimulatedSpec(10, 40, client=2), SimulatedSpec(20, 60, client=2)],
            1,
            0.002,
            [3.904, 5.101],
            [0.0021, 0.1991],
        ),
        # Three clients on two connections: a share of 2/3 is just what one connection lets pass.
        (
            [SimulatedSpec(10, 40, client=2), SimulatedSpec(15, 90, client=3)],
            2,
            0.002,
            [3.903, 5.936],
            [0.0022, 0.002],
        ),
        # One client uses one connection, whatever conns says.
        (
            [SimulatedSpec(5, 20), SimulatedSpec(50, 50)],
            10,
            0.002,
            [3.803, 8.201],
            [0.0023, 0.1996],
        ),
        # A duration ends when an idle client would wait past it: 50 or 20 clients at 10/s.
        ([SimulatedSpec(10, duration=5, client=50)], 1, 0.0036, [0.0041], [0.0036]),
        ([SimulatedSpec(10, duration=10, client=20)], 1, 0.002, [8.002], [0.002]),
        # Too few clients for the rate.
        ([SimulatedSpec(100, 300, client=2)], 1, 0.053, [8.021], [0.0517]),
    ],
)
def test_the_simulation_takes_as_long_as_kperf(
    specs: list[SimulatedSpec],
    conns: int,
    answer_seconds: float,
    durations: list[float],
    medians: list[float],
) -> None:
    runs = simulate(
        specs, lambda _now, _number: answer_seconds, conns=conns, prepare_seconds=0.00001
    )
    assert [run.duration for run in runs] == pytest.approx(durations, rel=0.02, abs=0.01)
    assert [median_high(run.latencies) for run in runs] == pytest.approx(medians, abs=0.003)


def test_the_simulation_ends_with_the_last_answers_as_kperf_does() -> None:
    # Every fiftieth answer took 3 s, the last one of them 0.9 s before the last request was sent.
    run = simulate(
        [SimulatedSpec(20, 140, client=50)],
        lambda _now, number: 3.0 if number % 50 == 44 else 0.01,
        conns=2,
    )[0]
    assert max(run.sent) == pytest.approx(6.894, abs=0.1)
    assert run.duration == pytest.approx(7.706, abs=0.1)
    assert sum(run.latencies) == pytest.approx(7.74, abs=3.1)
