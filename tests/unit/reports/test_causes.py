"""What is concluded from kperf's reports is the cause that was simulated, or nothing.

Each property simulates one cause over a wide range of loads, and lets the reports go through the
real parser, planner and merge. Where a load could have two causes, nothing may be concluded.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mrunners.profiles.expectations import rate_ceilings
from mrunners.profiles.profile import LoadProfile
from mrunners.reports.analysis.finding import Finding, FindingKind
from mrunners.reports.analysis.pace import SpecTarget, ThroughputLimit
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from tests.factories import RUN, RUN_ID, merged_pod
from tests.kperf_simulator import Answer, SimulatedSpec, report_of, simulate

_GET = {"version": "v1", "resource": "pods", "namespace": "a", "name": "b"}
_CAUSES = {
    FindingKind.PROFILE,
    FindingKind.CLIENT_LIMIT,
    FindingKind.ANSWERS_LIMIT,
    FindingKind.TARGET_MISSED,
}

rates = st.integers(10, 100)
seeds = st.integers(0, 2**32)


def target_of(specs: Sequence[SimulatedSpec], conns: int = 1) -> TargetLoad:
    """Return what the plan would say about the profile."""
    profile = LoadProfile.model_validate(
        {
            "version": 1,
            "specs": [
                {
                    "rate": float(spec.rate),
                    "total": spec.total,
                    "duration": int(spec.duration),
                    "client": spec.client,
                    "conns": conns,
                    "requests": [{"shares": 1, "staleGet": _GET}],
                }
                for spec in specs
            ],
        }
    )
    targets = tuple(
        SpecTarget(
            rate=spec.rate or None,
            clients=spec.client,
            duration_seconds=spec.duration or None,
            ceiling=ceiling,
        )
        for spec, ceiling in zip(specs, rate_ceilings(profile), strict=True)
    )
    alone = specs[0] if len(specs) == 1 else None
    return TargetLoad(
        (alone.rate or None) if alone else None, alone.client if alone else None, specs=targets
    )


def run(
    specs: Sequence[SimulatedSpec],
    answers: Sequence[Answer],
    *,
    conns: int = 1,
    prepare_seconds: float = 0.00001,
    seconds_apart: float = 0.0,
) -> MergedReport:
    """Return the merged report of a Job with one pod for each server in `answers`."""
    pods = [
        merged_pod(
            0,
            index,
            report_of(specs, simulate(specs, answer, conns=conns, prepare_seconds=prepare_seconds)),
            second=index * seconds_apart,
        )
        for index, answer in enumerate(answers)
    ]
    return merge(RUN, RUN_ID, pods, targets={"mrunners-0": target_of(specs, conns)})


def limit(report: MergedReport) -> ThroughputLimit:
    return report.throughput.jobs[0].limit


def causes(report: MergedReport) -> list[FindingKind]:
    return [finding.kind for finding in report.findings if finding.kind in _CAUSES]


def finding(report: MergedReport, kind: FindingKind) -> Finding:
    (found,) = [finding for finding in report.findings if finding.kind is kind]
    return found


def fixed(seconds: float) -> Answer:
    return lambda _now, _number: seconds


def tailed(seed: int, median: float, spread: float, tail_seconds: float) -> Answer:
    """Return a server with lognormal latencies, of which one in a hundred takes far longer."""
    rng = random.Random(seed)

    def answer(_now: float, _number: int) -> float:
        if rng.random() < 0.01:
            return tail_seconds * rng.random()
        return median * rng.lognormvariate(0, spread)

    return answer


@settings(max_examples=60)
@given(seeds, rates, st.integers(6, 20), st.floats(0.5, 15))
def test_a_rate_that_was_sent_is_never_called_missed_however_long_the_last_answers_take(
    seed: int, rate: int, seconds: int, tail_seconds: float
) -> None:
    # With a client for each request, none has to wait for an answer.
    spec = SimulatedSpec(rate, total=rate * seconds, client=rate * seconds)
    report = run([spec], [tailed(seed, 0.02, 0.5, tail_seconds)])
    assert limit(report) in {ThroughputLimit.RATE, ThroughputLimit.UNKNOWN}
    assert causes(report) == []


@settings(max_examples=60)
@given(rates, st.integers(0, 4), st.integers(1, 200), st.floats(0.001, 3))
def test_nothing_is_concluded_from_a_short_load(
    rate: int, seconds: int, clients: int, answer_seconds: float
) -> None:
    assume(answer_seconds + seconds < 4.5)
    spec = SimulatedSpec(rate, total=max(rate * seconds, 1), client=max(clients, rate * 5))
    report = run([spec], [fixed(answer_seconds)])
    assert (limit(report), causes(report)) == (ThroughputLimit.UNKNOWN, [])


@settings(max_examples=60)
@given(seeds, rates, st.integers(1, 12), st.floats(1.2, 5), st.floats(0, 0.4))
def test_a_server_that_is_too_slow_for_the_clients_is_the_limit(
    seed: int, rate: int, clients: int, slowness: float, spread: float
) -> None:
    # Twenty answers for each client, so that the last ones are a small part of the time.
    total = max(int(rate * 10), 30 * clients)
    spec = SimulatedSpec(rate, total=total, client=clients)
    rng = random.Random(seed)
    mean = clients / rate * slowness
    report = run([spec], [lambda _now, _number: mean * (1 + spread * (rng.random() - 0.5))])
    assert (limit(report), causes(report)) == (
        ThroughputLimit.ANSWERS,
        [FindingKind.ANSWERS_LIMIT],
    )


@settings(max_examples=60)
@given(rates, st.integers(1, 30), st.floats(1.2, 5), st.floats(0.0005, 0.005))
def test_runners_that_cannot_send_fast_enough_are_the_limit(
    rate: int, clients: int, slowness: float, answer_seconds: float
) -> None:
    spec = SimulatedSpec(rate, total=rate * 8, client=clients)
    prepare_seconds = slowness / rate
    # The answers come within a tenth of the time that is lost.
    assume(answer_seconds * 10 < clients * (prepare_seconds - 1 / rate))
    report = run([spec], [fixed(answer_seconds)], prepare_seconds=prepare_seconds)
    assert (limit(report), causes(report)) == (
        ThroughputLimit.RUNNERS,
        [FindingKind.CLIENT_LIMIT],
    )


@settings(max_examples=60)
@given(seeds, rates, st.integers(1, 20), st.floats(0.2, 3), st.floats(0.1, 3), st.floats(0, 4))
def test_the_runners_are_never_blamed_for_a_server_nor_a_server_for_the_runners(
    seed: int, rate: int, clients: int, answers: float, preparing: float, tail_seconds: float
) -> None:
    """Answers and runners are slow in any proportion: a conclusion is the larger part."""
    spec = SimulatedSpec(rate, total=max(rate * 8, clients), client=clients)
    prepare_seconds = preparing / rate
    answer = tailed(seed, clients / rate * answers, 0.3, tail_seconds)
    report = run([spec], [answer], prepare_seconds=prepare_seconds)
    if preparing <= 0.5:
        assert limit(report) is not ThroughputLimit.RUNNERS
    if answers <= 0.4 and tail_seconds < clients / rate:
        assert limit(report) is not ThroughputLimit.ANSWERS
    assert limit(report) is not ThroughputLimit.PROFILE


@settings(max_examples=40)
@given(rates, st.integers(2, 20), st.floats(0.2, 0.5))
def test_a_server_that_stalls_for_a_while_is_not_called_a_limit_of_the_runners(
    rate: int, clients: int, stalled_share: float
) -> None:
    seconds = 12.0
    begin, end = 4.0, 4.0 + seconds * stalled_share
    spec = SimulatedSpec(rate, duration=seconds, client=clients)
    assume(clients / rate < 0.2)

    def answer(now: float, _number: int) -> float:
        return end - now + 0.002 if begin <= now < end else 0.002

    report = run([spec], [answer])
    assert limit(report) is ThroughputLimit.UNKNOWN
    assert set(causes(report)) <= {FindingKind.TARGET_MISSED}


@settings(max_examples=60)
@given(
    st.integers(5, 12),
    st.integers(1, 5),
    st.integers(1, 12),
    # Faster by enough for the ten requests that each connection lets pass at once to be used up.
    st.lists(st.floats(1.5, 10), min_size=1, max_size=3),
    st.floats(0.0005, 0.004),
)
def test_the_first_specs_limiter_is_the_cause_and_never_the_server_or_the_runners(
    rate: int, conns: int, clients: int, factors: list[float], answer_seconds: float
) -> None:
    used = min(conns, clients)
    specs = [
        SimulatedSpec(rate, total=rate * 5, client=clients),
        *(
            SimulatedSpec(math.ceil(rate * used * factor), total=rate * used * 12, client=clients)
            for factor in factors
        ),
    ]
    # Only where a single client answers faster than its connection's limiter.
    assume(answer_seconds * rate * used < 0.5 * clients)
    report = run(specs, [fixed(answer_seconds)] * 2, conns=conns)
    assert (limit(report), causes(report)) == (ThroughputLimit.PROFILE, [FindingKind.PROFILE])
    waits = simulate(specs, fixed(answer_seconds), conns=conns)[1]
    assert waits.own_wait > 0


@settings(max_examples=60)
@given(st.integers(5, 20), st.integers(1, 5), st.floats(1.5, 10), st.floats(1.5, 4))
def test_a_server_that_is_slower_than_the_first_specs_limiter_is_still_the_limit(
    rate: int, clients: int, factor: float, slowness: float
) -> None:
    specs = [
        SimulatedSpec(rate, total=rate * 5, client=4 * clients),
        SimulatedSpec(round(rate * factor), total=rate * 20, client=clients),
    ]
    # The second spec's clients get fewer answers than one connection's limiter lets pass.
    mean = clients / rate * slowness
    report = run(specs, [fixed(mean)])
    assert limit(report) is ThroughputLimit.ANSWERS
    waits = simulate(specs, fixed(mean))[1]
    assert waits.own_wait < 0.05 * sum(waits.latencies)


@settings(max_examples=40)
@given(rates, st.integers(6, 20), st.integers(1, 400))
def test_a_duration_that_clients_cut_short_is_the_profiles_doing(
    rate: int, seconds: int, clients: int
) -> None:
    lost = min(clients / rate, seconds)
    assume(lost < 0.03 * seconds or lost > 0.08 * seconds)
    report = run([SimulatedSpec(rate, duration=seconds, client=clients)], [fixed(0.002)])
    expected = [FindingKind.PROFILE] if lost > 0.08 * seconds else []
    assert causes(report) == expected


@settings(max_examples=40)
@given(rates, st.integers(2, 5), st.integers(3, 20))
def test_pods_that_never_ran_together_achieve_what_the_server_got(
    rate: int, pods: int, seconds_apart: int
) -> None:
    seconds = 10
    assume(seconds_apart >= 5)
    spec = SimulatedSpec(rate, total=rate * seconds, client=2)
    report = run([spec], [fixed(0.001)] * pods, seconds_apart=seconds_apart)
    wall = (pods - 1) * seconds_apart + seconds
    job = report.throughput.jobs[0]
    assert abs((job.achieved_per_second or 0) / (rate * seconds * pods / wall) - 1) < 0.02
    assert job.limit is ThroughputLimit.START_SKEW


def test_the_example_of_kperfs_documentation_is_too_short_to_judge() -> None:
    # docs/kperf.md: ten requests at 100 per second, answered within 55 ms.
    spec = SimulatedSpec(rate=100, total=10, client=1000)
    report = run([spec], [fixed(0.05)], conns=100)
    assert (limit(report), report.findings) == (ThroughputLimit.UNKNOWN, ())


def test_a_load_that_was_sent_in_time_is_not_slow_because_its_last_answer_took_11_seconds() -> None:
    # node10_job1_pod100: 1,000 requests at 10 per second, the last answers 6 s after the last one.
    spec = SimulatedSpec(rate=10, total=1000, client=100)
    report = run([spec], [lambda _now, number: 11.4 if number == 945 else 0.05] * 2)
    assert report.throughput.wall_seconds is not None
    assert 105 < report.throughput.wall_seconds < 107
    assert (limit(report), report.findings) == (ThroughputLimit.UNKNOWN, ())


def test_twenty_specs_behind_the_first_ones_limiter_are_one_finding_about_the_profile() -> None:
    # Rates of 10, 11, … 29 with one connection, where the server answers within 1 ms.
    specs = [SimulatedSpec(10 + n, total=20, client=2) for n in range(20)]
    report = run(specs, [fixed(0.001)] * 2)
    assert report.percentile(0.5) > 0.1
    found = finding(report, FindingKind.PROFILE)
    assert found.text.startswith(
        "kperf's own limiter set the pace, not the server: mrunners-0 specs[1]…specs[19] ("
    )
    assert (limit(report), causes(report)) == (ThroughputLimit.PROFILE, [FindingKind.PROFILE])
