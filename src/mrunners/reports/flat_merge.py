"""Merge kperf's flat keys over any set of reports: those of a run, or of one Job."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Sequence

from mrunners.durations import format_go_duration
from mrunners.reports.merged import FlatSummary
from mrunners.reports.percentiles import percentile_latencies
from mrunners.reports.samples import KperfReport

__all__ = ["merge_flat", "pool_raw", "pools_by_url"]


def merge_flat(reports: Sequence[KperfReport]) -> FlatSummary:
    """Merge reports: sum the counts, take the longest duration, pool the samples.

    Args:
        reports: Any number of reports; without one, all counts are zero.

    Returns:
        The summary. Its percentiles are None when any report has no raw data, its total is None
        when any report's number of samples is unknown.
    """
    error_stats: Counter[str] = Counter()
    for report in reports:
        error_stats.update(report.error_stats)
    pools = pools_by_url(reports)
    samples = [report.samples for report in reports]
    return FlatSummary(
        total=None if None in samples else sum(count or 0 for count in samples),
        duration=format_go_duration(max((report.duration_ns for report in reports), default=0)),
        error_stats=dict(sorted(error_stats.items())),
        received_bytes=sum(report.received_bytes for report in reports),
        percentile_latencies=(
            None
            if pools is None
            else percentile_latencies([pool for url_pools in pools.values() for pool in url_pools])
        ),
        percentile_latencies_by_url=(
            None
            if pools is None
            else {url: percentile_latencies(url_pools) for url, url_pools in pools.items()}
        ),
    )


def pool_raw(reports: Sequence[KperfReport]) -> dict[str, list[float]] | None:
    """Return all samples of each URL, ascending; None when any report has no raw data."""
    pools = pools_by_url(reports)
    if pools is None:
        return None
    # Each pool is sorted already, so merging needs no second copy to sort.
    return {url: list(heapq.merge(*url_pools)) for url, url_pools in pools.items()}


def pools_by_url(reports: Sequence[KperfReport]) -> dict[str, list[array[float]]] | None:
    """Group the reports' own sample arrays by URL, without copying a sample.

    Returns:
        The arrays by URL, sorted by URL; None when any report has no raw data.
    """
    pools: dict[str, list[array[float]]] = {}
    for report in reports:
        if report.latencies_by_url is None:
            return None
        for url, samples in report.latencies_by_url.items():
            pools.setdefault(url, []).append(samples)
    return dict(sorted(pools.items()))
