"""The distribution, against a plain count."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.distribution import MOST_URLS, LatencyDistribution, latency_distribution


def pool(*samples: float) -> array[float]:
    return array("d", sorted(samples))


@given(
    st.dictionaries(
        st.sampled_from(["LIST a", "GET b", "WATCHLIST c"]),
        st.lists(st.lists(st.floats(0, 1e5), max_size=20), min_size=1, max_size=4),
        min_size=1,
    )
)
def test_each_count_is_that_of_a_plain_comparison(samples: dict[str, list[list[float]]]) -> None:
    found = latency_distribution({u: [pool(*s) for s in pods] for u, pods in samples.items()})
    assert found is not None
    flat = {url: [sample for pod in pods for sample in pod] for url, pods in samples.items()}
    every = [sample for of_url in flat.values() for sample in of_url]
    assert found.counts == tuple(sum(s <= bound for s in every) for bound in found.seconds)
    assert found.counts_by_url == {
        url: tuple(sum(s <= bound for s in of_url) for bound in found.seconds)
        for url, of_url in flat.items()
        if every
    }
    inside = [sample for sample in every if 1e-6 < sample <= 1e4]
    if every and len(inside) == len(every):
        assert found.counts[0] == 0
        assert found.counts[-1] == len(every)


def test_the_bounds_are_powers_of_ten_that_all_reports_share() -> None:
    low = latency_distribution({"a": [pool(0.001, 0.0015)]})
    wide = latency_distribution({"a": [pool(0.0001, 10)]})
    assert low is not None
    assert wide is not None
    assert set(low.seconds) <= set(wide.seconds)
    assert 0.001 in low.seconds
    assert list(wide.seconds) == sorted(wide.seconds)
    assert len(wide.seconds) == 5 * 40 + 3


def test_ten_times_the_samples_take_no_more_room() -> None:
    few = latency_distribution({"a": [pool(0.001, 0.1)]})
    many = latency_distribution({"a": [pool(*[0.001, 0.1] * 1000)]})
    assert few is not None
    assert many is not None
    assert few.seconds == many.seconds
    assert many.counts[-1] == 2000


def test_only_the_requests_with_the_most_samples_are_kept_and_all_are_counted() -> None:
    pools = {f"GET {n:03}": [pool(*[0.01] * (n + 1))] for n in range(MOST_URLS + 20)}
    found = latency_distribution(pools)
    assert found is not None
    assert list(found.counts_by_url) == [f"GET {n:03}" for n in range(20, MOST_URLS + 20)]
    assert found.counts[-1] == sum(range(1, MOST_URLS + 21))


@pytest.mark.parametrize("pools", [{}, {"a": []}, {"a": [array("d")]}])
def test_without_samples_there_are_no_bounds(pools: dict[str, list[array[float]]]) -> None:
    empty = LatencyDistribution(seconds=(), counts=(), counts_by_url={})
    assert latency_distribution(pools) == empty


def test_without_raw_data_there_is_no_distribution() -> None:
    assert latency_distribution(None) is None
