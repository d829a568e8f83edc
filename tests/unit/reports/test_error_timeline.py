"""Errors over time: each error with a time is in the bucket of its time, in few buckets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.analysis.error_timeline import (
    MAX_BUCKETS,
    ErrorTimeline,
    error_timeline,
)
from mrunners.reports.analysis.pod_stats import pod_stats
from mrunners.reports.outcomes import PodOutcome
from tests.factories import START, error, flat, merged_pod


def pod(*offsets: float, second: float = 0, lasting: float = 10) -> PodOutcome:
    """Return a pod whose requests failed so many seconds after START."""
    return pod_with(*(stamp(offset) for offset in offsets), second=second, lasting=lasting)


def pod_with(*timestamps: str, second: float = 0, lasting: float = 10) -> PodOutcome:
    document = flat({}, errors=len(timestamps))
    document["errors"] = [error(timestamp=timestamp) for timestamp in timestamps]
    return merged_pod(0, 0, document, second=second, lasting=lasting)


def stamp(offset: float) -> str:
    return (START + timedelta(seconds=offset)).isoformat()


def timeline(*pods: PodOutcome) -> ErrorTimeline | None:
    return error_timeline(pod_stats(pods))


def test_errors_are_counted_by_second_from_the_first_pods_start_to_the_last_pods_end() -> None:
    assert timeline(
        pod(0, 0.999, 1, 3.5, lasting=5), pod(3.2, second=2, lasting=6)
    ) == ErrorTimeline(start=START, bucket_seconds=1, counts=(2, 1, 0, 2, 0, 0, 0, 0), undated=0)


def test_kperfs_nanoseconds_and_other_time_zones_are_read() -> None:
    assert timeline(
        pod_with(
            "2026-01-02T03:04:06.123456789Z", "2026-01-02T03:04:06.1Z", "2026-01-02T03:04:06Z",
            "2026-01-02T05:34:06.999999999+02:30", "2026-01-01T22:04:06.5-05:00", lasting=2,
        )
    ) == ErrorTimeline(start=START, bucket_seconds=1, counts=(0, 5), undated=0)  # fmt: skip


@pytest.mark.parametrize(
    "timestamp",
    [
        "", "soon", "2026-01-02T03:04:06", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
        "2027-01-02T03:04:05Z", "2026-01-02T03:04:06.5Z\x1b[2J", "2026-13-02T03:04:06Z",
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_is_counted_and_stretches_nothing(timestamp: str) -> None:
    assert timeline(pod_with(stamp(1), timestamp, lasting=2)) == ErrorTimeline(
        start=START, bucket_seconds=1, counts=(0, 1), undated=1
    )
    assert timeline(pod_with(timestamp)) is None


def test_errors_without_raw_data_are_counted_as_undated() -> None:
    unknown = merged_pod(0, 1, flat(errors=7, raw=False, total=0))
    assert timeline(pod(1, lasting=2), unknown) == ErrorTimeline(
        start=START, bucket_seconds=1, counts=(0, 1, 0, 0, 0, 0, 0, 0, 0, 0), undated=7
    )
    assert timeline(unknown) is None


def test_without_errors_there_is_no_timeline() -> None:
    assert timeline(pod()) is None
    assert timeline() is None


@pytest.mark.parametrize(
    ("lasting", "bucket_seconds"),
    [(119, 1), (120, 1), (121, 2), (600, 5), (3600, 30), (86_400, 900), (120 * 86_400, 86_400)],
)
def test_a_longer_run_has_longer_buckets_and_never_more_than_120(
    lasting: int, bucket_seconds: int
) -> None:
    result = timeline(pod(lasting - 1, lasting=lasting))
    assert result is not None
    assert result.bucket_seconds == bucket_seconds
    assert len(result.counts) <= MAX_BUCKETS
    assert result.counts[-1] == 1


@given(
    st.lists(st.floats(0, 5000), min_size=1, max_size=50),
    st.floats(0, 100),
    st.floats(1, 5000),
)
def test_each_error_is_in_the_bucket_of_its_time(
    offsets: list[float], second: float, lasting: float
) -> None:
    result = timeline(pod(*offsets, lasting=5000), pod(second=second, lasting=lasting))
    assert result is not None
    length = timedelta(seconds=result.bucket_seconds)
    moments = [datetime.fromisoformat(stamp(offset)) for offset in offsets]
    edges = [result.start + number * length for number in range(len(result.counts) + 1)]
    assert list(result.counts) == [
        sum(begin <= moment < end for moment in moments) for begin, end in pairwise(edges)
    ]
    assert sum(result.counts) == len(offsets)


def test_the_figures_of_a_timeline_are_those_of_its_counts() -> None:
    shown = ErrorTimeline(
        start=datetime(2026, 1, 2, tzinfo=UTC),
        bucket_seconds=5,
        counts=(0, 1, 7, 7, 0, 0),
        undated=0,
    )
    assert (shown.total_seconds, shown.first_seconds, shown.last_seconds, shown.peak) == (
        30, 5, 20, (10, 7),
    )  # fmt: skip
