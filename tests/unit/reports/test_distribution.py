"""The latency distribution, compared with a plain count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.distribution import MAX_URLS, LatencyDistribution, latency_distribution
from mrunners.reports.latency_column import LatencyColumn


def pool(*samples: float) -> LatencyColumn:
    return LatencyColumn.of(sorted(samples))


@given(
    st.dictionaries(
        st.sampled_from(["LIST a", "GET b", "WATCHLIST c"]),
        st.lists(st.lists(st.floats(0, 1e5), max_size=20), min_size=1, max_size=4),
        min_size=1,
    )
)
def test_each_count_is_that_of_a_plain_comparison(samples: dict[str, list[list[float]]]) -> None:
    distribution = latency_distribution(
        {url: [pool(*s) for s in pods] for url, pods in samples.items()}
    )
    assert distribution is not None
    flat = {url: [sample for pod in pods for sample in pod] for url, pods in samples.items()}
    all_samples = [sample for url_samples in flat.values() for sample in url_samples]
    assert distribution.counts == tuple(
        sum(s <= bound for s in all_samples) for bound in distribution.seconds
    )
    assert distribution.counts_by_url == {
        url: tuple(sum(s <= bound for s in url_samples) for bound in distribution.seconds)
        for url, url_samples in flat.items()
        if all_samples
    }
    inside = [sample for sample in all_samples if 1e-6 < sample <= 1e4]
    if all_samples and len(inside) == len(all_samples):
        assert distribution.counts[0] == 0
        assert distribution.counts[-1] == len(all_samples)


def test_the_bounds_are_powers_of_ten_that_all_reports_share() -> None:
    low = latency_distribution({"a": [pool(0.001, 0.0015)]})
    wide = latency_distribution({"a": [pool(0.0001, 10)]})
    assert low is not None
    assert wide is not None
    assert set(low.seconds) <= set(wide.seconds)
    assert 0.001 in low.seconds
    assert list(wide.seconds) == sorted(wide.seconds)
    assert len(wide.seconds) == 5 * 40 + 3


def test_more_samples_do_not_make_the_distribution_larger() -> None:
    few = latency_distribution({"a": [pool(0.001, 0.1)]})
    many = latency_distribution({"a": [pool(*[0.001, 0.1] * 1000)]})
    assert few is not None
    assert many is not None
    assert few.seconds == many.seconds
    assert many.counts[-1] == 2000


def test_only_the_requests_with_the_most_samples_are_kept_and_all_are_counted() -> None:
    pools = {f"GET {n:03}": [pool(*[0.01] * (n + 1))] for n in range(MAX_URLS + 20)}
    distribution = latency_distribution(pools)
    assert distribution is not None
    assert list(distribution.counts_by_url) == [f"GET {n:03}" for n in range(20, MAX_URLS + 20)]
    assert distribution.counts[-1] == sum(range(1, MAX_URLS + 21))


@pytest.mark.parametrize("pools", [{}, {"a": []}, {"a": [pool()]}])
def test_without_samples_there_are_no_bounds(pools: dict[str, list[LatencyColumn]]) -> None:
    empty = LatencyDistribution(seconds=(), counts=(), counts_by_url={})
    assert latency_distribution(pools) == empty


def test_without_raw_data_there_is_no_distribution() -> None:
    assert latency_distribution(None) is None
