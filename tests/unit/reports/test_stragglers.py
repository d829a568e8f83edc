"""Stragglers are found, and no pod is one by chance."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.analysis.pod_stats import pod_stats
from mrunners.reports.analysis.stragglers import (
    Straggler,
    StragglerMetric,
    modified_z_scores,
    stragglers_of,
)
from mrunners.reports.outcomes import PodOutcome
from tests.factories import flat, merged_pod


def pods(p99s: list[float], *, job: int = 0, samples: int = 100) -> list[PodOutcome]:
    """One pod for each p99: all samples of a pod are equal."""
    return [
        merged_pod(job, index, flat({"LIST a": [p99] * samples})) for index, p99 in enumerate(p99s)
    ]


def pods_with_durations(seconds: list[float]) -> list[PodOutcome]:
    return [
        merged_pod(0, index, flat({"LIST a": [0.1]}, duration=f"{duration}s"))
        for index, duration in enumerate(seconds)
    ]


def indices(outcomes: list[PodOutcome]) -> list[int]:
    return [straggler.index for straggler in stragglers_of(pod_stats(outcomes))]


def test_a_pod_with_a_larger_p99_than_its_siblings_is_found_with_the_figures() -> None:
    outcomes = pods([0.010, 0.011, 0.012, 0.013, 0.060])
    # The median is 0.012, the MAD 0.001: 0.6745 * 0.048 / 0.001.
    stragglers = stragglers_of(pod_stats(outcomes))
    assert [straggler.score for straggler in stragglers] == [pytest.approx(32.376)]
    assert [straggler.model_copy(update={"score": None}) for straggler in stragglers] == [
        Straggler(
            job="mrunners-0",
            index=4,
            pod="mrunners-0-4-abcde",
            node="node-4",
            metric=StragglerMetric.P99,
            value_seconds=0.060,
            median_seconds=0.012,
            siblings=5,
            score=None,
        ),
    ]


def test_a_pod_that_loads_longer_than_its_siblings_is_found() -> None:
    stragglers = stragglers_of(pod_stats(pods_with_durations([60, 60.1, 60.2, 60.1, 75])))
    assert [(s.index, s.metric, s.value_seconds) for s in stragglers] == [
        (4, StragglerMetric.DURATION, 75.0)
    ]


def test_a_faster_pod_is_not_a_straggler() -> None:
    assert indices(pods([0.05, 0.051, 0.052, 0.053, 0.001])) == []


@pytest.mark.parametrize(
    "p99s",
    [
        [0.010, 0.0101, 0.0102, 0.0103, 0.0140],  # far beyond the spread, but not 1.5 times as much
        [0.0001, 0.0001, 0.0001, 0.0001, 0.0009],  # nine times as much, but not 1 ms more
        [0.010, 0.020, 0.030, 0.040, 0.050],  # within the spread
    ],
)
def test_a_difference_that_does_not_matter_makes_no_straggler(p99s: list[float]) -> None:
    assert indices(pods(p99s)) == []


def test_when_most_pods_are_equal_the_mean_distance_is_used() -> None:
    assert modified_z_scores([1.0, 1.0, 1.0, 1.0, 2.0]) == pytest.approx(
        [0, 0, 0, 0, 1 / (1.253314 * 0.2)]
    )
    assert indices(pods([0.01] * 9 + [0.05])) == [9]


def test_equal_pods_have_no_scores_and_no_straggler() -> None:
    assert modified_z_scores([2.0] * 7) == [0.0] * 7
    assert indices(pods([0.01] * 7)) == []


@pytest.mark.parametrize("count", [3, 4])
def test_of_few_siblings_only_one_three_times_as_slow_is_a_straggler_and_has_no_score(
    count: int,
) -> None:
    normal = [0.010] * (count - 1)
    assert indices(pods([*normal, 0.029])) == []
    stragglers = stragglers_of(pod_stats(pods([*normal, 0.031])))
    assert [(s.index, s.score, s.siblings) for s in stragglers] == [(count - 1, None, count)]


def test_of_two_pods_none_is_a_straggler() -> None:
    assert indices(pods([0.01, 5.0])) == []


def test_pods_are_compared_only_within_their_job() -> None:
    assert indices(pods([0.01] * 6) + pods([5.0] * 6, job=1)) == []


def test_a_p99_of_few_samples_is_not_compared() -> None:
    assert indices(pods([0.01, 0.011, 0.012, 0.013, 0.9], samples=99)) == []


def test_a_pod_without_a_success_has_no_p99_to_compare() -> None:
    outcomes = pods([0.01, 0.011, 0.012, 0.013, 0.06])
    failed = merged_pod(0, 5, flat({}, errors=100))
    assert indices([*outcomes, failed]) == [4]


def test_without_raw_data_the_pods_own_percentiles_are_compared() -> None:
    outcomes = [
        merged_pod(0, index, flat({"LIST a": [p99] * 100}, raw=False))
        for index, p99 in enumerate([0.01, 0.011, 0.012, 0.013, 0.06])
    ]
    assert indices(outcomes) == [4]


def test_the_node_of_a_straggler_is_unknown_when_its_pods_is() -> None:
    outcomes = pods([0.01, 0.011, 0.012, 0.013, 0.06])
    outcomes[4] = replace(outcomes[4], node=None)
    assert stragglers_of(pod_stats(outcomes))[0].node is None


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(0.001, 1000))
def test_a_score_has_the_sign_of_the_distance_and_few_scores_are_outliers(
    values: list[float], factor: float
) -> None:
    scores = modified_z_scores(values)
    middle = median(values)
    assert all(
        (score > 0) == (value > middle) or score == 0
        for score, value in zip(scores, values, strict=True)
    )
    # At most half of the values can be outliers, whatever they are.
    assert sum(abs(score) > 3.5 for score in scores) <= len(values) // 2
