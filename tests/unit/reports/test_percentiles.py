"""Percentiles over several sorted pools equal those of one sorted list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.latency_column import LatencyColumn
from mrunners.reports.percentiles import percentile_latencies
from tests.factories import percentiles
from tests.unit.reports.memory_file import MemorySampleFile

SECONDS = st.floats(0, 1e9, allow_nan=False) | st.sampled_from([0.0, 5e-324, 0.001, 1.0])


def pools(*samples: list[float]) -> list[LatencyColumn]:
    return [LatencyColumn.of(sorted(pool)) for pool in samples]


@given(st.lists(st.lists(SECONDS, max_size=30), max_size=8))
def test_selecting_over_pools_equals_sorting_all_samples(samples: list[list[float]]) -> None:
    pooled = [sample for pool in samples for sample in pool]
    expected = [tuple(pair) for pair in percentiles(pooled)] if pooled else []
    assert list(percentile_latencies(pools(*samples))) == expected


@given(st.lists(st.lists(SECONDS, max_size=30), max_size=8), st.integers(1, 5))
def test_selecting_by_finer_and_finer_bounds_equals_sorting_all_samples(
    samples: list[list[float]], candidates: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mrunners.reports.percentiles._MAX_CANDIDATES", candidates)
        patch.setattr("mrunners.reports.percentiles._FINER_BOUNDS", 3)
        pooled = [sample for pool in samples for sample in pool]
        expected = [tuple(pair) for pair in percentiles(pooled)] if pooled else []
        assert list(percentile_latencies(pools(*samples))) == expected
        spilled = pools(*samples)
        file = MemorySampleFile()
        for column in spilled:
            column.spill(file)
        assert list(percentile_latencies(spilled)) == expected


def test_only_the_samples_around_a_rank_are_read_from_a_file() -> None:
    file = MemorySampleFile()
    columns = pools(*([1.005**n + column / 1000 for n in range(1000)] for column in range(10)))
    for column in columns:
        column.spill(file)
    percentile_latencies(columns)
    assert file.samples_read < 1_000  # of 10,000


@pytest.mark.parametrize("count", [1, 2, 3, 10, 99, 100, 101, 1000, 10_000])
def test_the_rank_is_kperfs(count: int) -> None:
    samples = [float(n) for n in range(count)]
    expected = tuple(tuple(pair) for pair in percentiles(samples))
    assert percentile_latencies(pools(samples)) == expected
    assert percentile_latencies(pools(samples[::2], samples[1::2])) == expected


def test_the_rank_is_computed_in_float64_as_go_does() -> None:
    # The double 0.9 is a little more than nine tenths: exactly computed, 10 * 0.9 would be above 9
    # and its ceiling 10. In float64 the product rounds to 9.0.
    samples = [float(n) for n in range(1, 11)]
    assert dict(percentile_latencies(pools(samples)))[0.9] == 9.0


def test_no_samples_give_no_percentiles() -> None:
    assert percentile_latencies([]) == percentile_latencies(pools([], [])) == ()


def test_a_negative_zero_does_not_confuse_the_order() -> None:
    assert dict(percentile_latencies(pools([-0.0, 1.0], [2.0])))[1.0] == 2.0
