"""Count failed requests over time, in at most 120 buckets of equal length.

Times are those of the nodes' clocks, as are the starts and ends of the pods.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, Field

from mrunners.records import Record
from mrunners.reports.analysis.pod_stats import PodStats

__all__ = ["MAX_BUCKETS", "ErrorTimeline", "error_timeline"]

MAX_BUCKETS = 120

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Round lengths, so that two reports are easy to compare; beyond a day, whole days.
_DAY = 86_400
_BUCKET_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200)

# The kubelet gives whole seconds, cut off, and a container's end is noticed after kperf's own.
_TOLERANCE_SECONDS = 60


class ErrorTimeline(Record):
    """When requests failed.

    Attributes:
        start: Where the first bucket begins: the start of the first pod with a merged report.
        bucket_seconds: Length of each bucket; a round number of seconds.
        counts: Failed requests in each bucket, also 0, until the end of the last such pod.
        undated: Failed requests whose time is unknown, or outside of their pod's run.
    """

    start: AwareDatetime
    bucket_seconds: int = Field(alias="bucketSeconds")
    counts: tuple[int, ...]
    undated: int

    @property
    def total_seconds(self) -> int:
        """How long all buckets are together."""
        return len(self.counts) * self.bucket_seconds

    @property
    def first_seconds(self) -> int:
        """Where the first bucket with an error begins, in seconds after `start`."""
        first = next(index for index, count in enumerate(self.counts) if count)
        return first * self.bucket_seconds

    @property
    def last_seconds(self) -> int:
        """Where the last bucket with an error ends, in seconds after `start`."""
        empty = next(index for index, count in enumerate(reversed(self.counts)) if count)
        return (len(self.counts) - empty) * self.bucket_seconds

    @property
    def peak(self) -> tuple[int, int]:
        """The first of the fullest buckets: where it begins, in seconds, and its errors."""
        most = max(self.counts)
        return self.counts.index(most) * self.bucket_seconds, most


def error_timeline(stats: Sequence[PodStats]) -> ErrorTimeline | None:
    """Return when the requests of all merged pods failed.

    Returns:
        None when nothing failed, or when it is unknown when.
    """
    spans = [span for pod in stats if (span := _span(pod)) is not None]
    seconds: Counter[int] = Counter()
    for pod in stats:
        seconds.update(_error_seconds(pod))
    if not seconds:
        return None
    start = min(*(begin for begin, _ in spans), *seconds)
    # Up to the pods' end, and far enough for the last error to be in a bucket.
    length = max(*(end for _, end in spans), *(second + 1 for second in seconds)) - start
    bucket = _bucket_seconds(length)
    counts = [0] * math.ceil(length / bucket)
    for second, count in seconds.items():
        counts[(second - start) // bucket] += count
    return ErrorTimeline(
        start=_EPOCH + timedelta(seconds=start),
        bucket_seconds=bucket,
        counts=tuple(counts),
        undated=sum(pod.report.error_count for pod in stats) - seconds.total(),
    )


def _span(pod: PodStats) -> tuple[int, int] | None:
    """Return when the pod began and ended, in whole seconds since the epoch; None if unknown."""
    started, finished = pod.outcome.started_at, pod.outcome.finished_at
    if started is None:
        return None
    begin = _since_epoch(started)
    if finished is None:
        return begin, begin + math.ceil(pod.duration_seconds)
    return begin, max(begin, math.ceil((finished - _EPOCH).total_seconds()))


def _error_seconds(pod: PodStats) -> Iterator[int]:
    """Yield the second since the epoch of each error that is within its pod's run."""
    span = _span(pod)
    if span is None:
        return
    # The bounds also keep a hostile timestamp from stretching the time axis over centuries.
    begin, end = span[0] - _TOLERANCE_SECONDS, span[1] + _TOLERANCE_SECONDS
    for error in pod.report.errors:
        try:
            moment = datetime.fromisoformat(error.timestamp)
        except ValueError:
            continue
        # Without a time zone it is not Go's.
        if moment.tzinfo is not None and begin <= (second := _since_epoch(moment)) <= end:
            yield second


def _since_epoch(moment: datetime) -> int:
    return math.floor((moment - _EPOCH).total_seconds())


def _bucket_seconds(length: int) -> int:
    at_least = length / MAX_BUCKETS
    return next(
        (seconds for seconds in _BUCKET_SECONDS if seconds >= at_least),
        math.ceil(at_least / _DAY) * _DAY,
    )
