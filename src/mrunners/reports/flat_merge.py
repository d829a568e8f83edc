"""Merge kperf's flat keys over some reports: a whole run's, or one Job's.

It must not know of pods or Jobs.
"""

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
    """Counts summed, durations' maximum, percentiles over all raw samples.

    Args:
        reports: any number; none gives zeros.
    Returns: the summary; percentiles are None when any report has no raw data, the total is None
        when any report's number of samples is not known.
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
            else percentile_latencies([pool for url in pools.values() for pool in url])
        ),
        percentile_latencies_by_url=(
            None
            if pools is None
            else {url: percentile_latencies(of_url) for url, of_url in pools.items()}
        ),
    )


def pool_raw(reports: Sequence[KperfReport]) -> dict[str, list[float]] | None:
    """All samples of each URL, ascending; None when any report has no raw data."""
    pools = pools_by_url(reports)
    if pools is None:
        return None
    # Each pool is sorted already, so merging them needs no second copy to sort.
    return {url: list(heapq.merge(*of_url)) for url, of_url in pools.items()}


def pools_by_url(reports: Sequence[KperfReport]) -> dict[str, list[array[float]]] | None:
    """For each URL, sorted, the reports' own arrays: nothing is copied.

    None when any report has no raw data.
    """
    pools: dict[str, list[array[float]]] = {}
    for report in reports:
        if report.latencies_by_url is None:
            return None
        for url, samples in report.latencies_by_url.items():
            pools.setdefault(url, []).append(samples)
    return dict(sorted(pools.items()))
