"""The achieved rate compared with the target rate, and what limited it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.analysis.pod_stats import pod_stats
from mrunners.reports.analysis.throughput import (
    NO_THROUGHPUT,
    JobThroughput,
    TargetLoad,
    Throughput,
    ThroughputLimit,
    throughput_of,
)
from tests.factories import flat, merged_pod

JOB = "mrunners-0"


def limit(target: TargetLoad | None, *, requests: int, latency: float) -> ThroughputLimit:
    """Return what limited one pod that ran for 10 s."""
    pod = merged_pod(0, 0, flat({"LIST a": [latency] * requests}))
    targets = {} if target is None else {JOB: target}
    return throughput_of([JOB], pod_stats([pod]), targets).jobs[0].limit


def test_rates_are_those_of_the_wall_time_and_compared_with_the_merged_pods_targets() -> None:
    pods = [
        merged_pod(0, 0, flat({"LIST a": [0.5] * 10}, duration="10s")),
        merged_pod(0, 1, flat({"LIST a": [0.5] * 10}, duration="5s")),
    ]
    targets = {JOB: TargetLoad(requests_per_second=4.0, clients=2)}
    assert throughput_of([JOB], pod_stats(pods), targets) == Throughput(
        wall_seconds=10.0,
        successes_per_second=2.0,
        target_per_second=8.0,
        achieved_per_second=2.0,
        jobs=(
            JobThroughput(
                job=JOB,
                pods=2,
                target_per_second=8.0,
                wall_seconds=10.0,
                achieved_per_second=2.0,
                clients_per_pod=2,
                mean_latency_seconds=0.5,
                clients_busy=10 / 30,
                # The second pod was too short to judge, and one of two is not most of them.
                limit=ThroughputLimit.UNKNOWN,
            ),
        ),
    )


def test_failed_requests_and_their_time_count() -> None:
    # 2 samples of 1 s and 4 errors of 0.01 s each.
    pod = merged_pod(0, 0, flat({"LIST a": [1.0, 1.0]}, errors=4))
    job = throughput_of([JOB], pod_stats([pod]), {JOB: TargetLoad(None, 1)}).jobs[0]
    assert job.achieved_per_second == 0.6
    assert job.mean_latency_seconds == pytest.approx(2.04 / 6)
    assert job.clients_busy == pytest.approx(0.204)


@pytest.mark.parametrize(
    ("target", "requests", "latency", "expected"),
    [
        (TargetLoad(10.0, 1), 100, 0.001, ThroughputLimit.RATE),
        (TargetLoad(10.0, 1), 96, 0.001, ThroughputLimit.RATE),
        (TargetLoad(10.0, 1), 90, 0.001, ThroughputLimit.RUNNERS),
        (TargetLoad(20.0, 1), 90, 0.11, ThroughputLimit.ANSWERS),
        (TargetLoad(20.0, 4), 90, 0.11, ThroughputLimit.RUNNERS),
        (TargetLoad(None, 1), 1000, 0.0099, ThroughputLimit.ANSWERS),
        (TargetLoad(None, 1), 1000, 0.0049, ThroughputLimit.RUNNERS),
        (TargetLoad(None, 1), 1000, 0.0070, ThroughputLimit.UNKNOWN),
        (TargetLoad(10.0, None), 90, 0.001, ThroughputLimit.UNKNOWN),
        (TargetLoad(10.0, None), 100, 0.001, ThroughputLimit.RATE),
        (TargetLoad(None, None), 100, 0.001, ThroughputLimit.UNKNOWN),
        (TargetLoad(10.0, 1), 0, 0.001, ThroughputLimit.UNKNOWN),
        (None, 100, 0.001, ThroughputLimit.UNKNOWN),
    ],
)
def test_the_limit_follows_from_the_rate_and_how_busy_the_clients_were(
    target: TargetLoad | None, requests: int, latency: float, expected: ThroughputLimit
) -> None:
    assert limit(target, requests=requests, latency=latency) is expected


def test_a_job_without_a_merged_pod_achieves_nothing_and_does_not_affect_the_sums() -> None:
    pod = merged_pod(0, 0, flat({"LIST a": [0.1] * 50}))
    targets = {JOB: TargetLoad(5.0, 1), "mrunners-1": TargetLoad(7.0, 1)}
    throughput = throughput_of([JOB, "mrunners-1"], pod_stats([pod]), targets)
    assert (throughput.target_per_second, throughput.achieved_per_second) == (5.0, 5.0)
    assert throughput.jobs[1].limit is ThroughputLimit.UNKNOWN


def test_without_raw_data_a_missed_rate_has_no_known_limit() -> None:
    pod = merged_pod(0, 0, flat({"LIST a": [0.1] * 50}, raw=False))
    job = throughput_of([JOB], pod_stats([pod]), {JOB: TargetLoad(10.0, 1)}).jobs[0]
    assert (job.achieved_per_second, job.clients_busy) == (5.0, None)
    assert job.limit is ThroughputLimit.UNKNOWN


def test_an_unknown_number_of_samples_makes_the_rate_unknown() -> None:
    pod = merged_pod(0, 0, flat(total=0, raw=False))
    throughput = throughput_of([JOB], pod_stats([pod]), {JOB: TargetLoad(10.0, 1)})
    assert (throughput.achieved_per_second, throughput.jobs[0].limit) == (
        None,
        ThroughputLimit.UNKNOWN,
    )


def test_a_load_without_a_duration_has_no_rate() -> None:
    pod = merged_pod(0, 0, flat(duration="0s"))
    assert throughput_of([JOB], pod_stats([pod]), {}).achieved_per_second is None


def test_a_run_without_jobs_has_no_throughput() -> None:
    assert throughput_of([], (), {}) == NO_THROUGHPUT


@given(st.integers(1, 40), st.floats(0.001, 5), st.integers(1, 20))
def test_littles_law_holds(requests: int, latency: float, clients: int) -> None:
    pod = merged_pod(0, 0, flat({"LIST a": [latency] * requests}))
    job = throughput_of([JOB], pod_stats([pod]), {JOB: TargetLoad(None, clients)}).jobs[0]
    assert job.clients_busy is not None
    assert job.mean_latency_seconds is not None
    assert job.achieved_per_second is not None
    in_flight = job.achieved_per_second * job.mean_latency_seconds
    assert job.clients_busy * clients == pytest.approx(in_flight)
