"""Parse and merge flat kperf reports: whole ones up to v0.3.4, a spec or the aggregate since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mrunners.durations import format_go_duration, parse_go_duration
from mrunners.reports import json_fields as fields
from mrunners.reports.latency_column import LatencyColumn
from mrunners.reports.merged import FlatSummary
from mrunners.reports.percentiles import percentile_latencies
from mrunners.reports.samples import KperfReport, Percentiles, RequestError
from mrunners.reports.strict_json import JsonObject

__all__ = ["FlatReport", "columns_by_url", "merge_flat", "parse_flat", "pool_raw"]

_KEYS = {
    "total",
    "duration",
    "errors",
    "errorStats",
    "totalReceivedBytes",
    "latenciesByURL",
    "percentileLatencies",
    "percentileLatenciesByURL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatReport:
    """One flat report that is consistent in itself; the fields are those of KperfReport.

    Attributes:
        samples: Number of successes; None when the report has percentiles but no raw data, so that
            the samples cannot be counted.
    """

    total: int
    duration_ns: int
    samples: int | None
    error_stats: Mapping[str, int]
    errors: tuple[RequestError, ...]
    received_bytes: int
    latencies_by_url: Mapping[str, LatencyColumn] | None
    percentiles: Percentiles
    percentiles_by_url: Mapping[str, Percentiles]
    unknown_keys: tuple[str, ...]

    @property
    def error_count(self) -> int:
        """Number of failed requests of all classes."""
        return sum(self.error_stats.values())


def parse_flat(document: JsonObject) -> FlatReport:
    """Parse and check one flat report.

    Raises:
        UnusableReportError: With the reason `invalid-report`, and the field that is wrong.
    """
    latencies = {
        url: fields.ascending_seconds(samples, "latenciesByURL")
        for url, samples in fields.mapping(document, "latenciesByURL").items()
    }
    percentiles = fields.percentiles(document.get("percentileLatencies"), "percentileLatencies")
    # Go omits empty fields, so a report without percentiles had no sample that could be raw.
    has_raw = "latenciesByURL" in document or not percentiles
    report = FlatReport(
        total=fields.count(document, "total"),
        duration_ns=_duration_ns(fields.text(document, "duration")),
        samples=sum(map(len, latencies.values())) if has_raw else None,
        error_stats=_error_stats(document),
        errors=tuple(_error(error) for error in fields.items(document, "errors")),
        received_bytes=fields.count(document, "totalReceivedBytes"),
        latencies_by_url=latencies if has_raw else None,
        percentiles=percentiles,
        percentiles_by_url={
            url: fields.percentiles(pairs, "percentileLatenciesByURL")
            for url, pairs in fields.mapping(document, "percentileLatenciesByURL").items()
        },
        unknown_keys=tuple(sorted(set(document) - _KEYS)),
    )
    _require_error_agreement(report, has_raw="latenciesByURL" in document or bool(report.errors))
    return report


def _duration_ns(text: str) -> int:
    # Go's longest duration has 29 characters; a longer text is not worth parsing.
    try:
        duration_ns = parse_go_duration(text) if len(text) <= 64 else -1
    except ValueError as error:
        raise fields.invalid("duration is not a Go duration") from error
    if duration_ns < 0:
        raise fields.invalid("duration is negative or too long")
    return duration_ns


def _error_stats(document: JsonObject) -> dict[str, int]:
    stats = fields.mapping(document, "errorStats")
    counts = {}
    for key in stats:
        if type(stats[key]) is not int:
            raise fields.invalid("errorStats has a count that is not a whole number")
        counts[key] = fields.count(stats, key)
    return counts


def _error(value: object) -> RequestError:
    if not isinstance(value, dict):
        raise fields.invalid("errors has an element that is not an object")
    return RequestError(
        method=fields.text(value, "method", default=""),  # since v0.3.5
        url=fields.text(value, "url", default=""),  # since v0.1.8
        timestamp=fields.text(value, "timestamp"),
        duration_seconds=fields.seconds(value.get("duration"), "an error's duration"),
        type=fields.text(value, "type"),
        code=fields.count(value, "code", default=0),
        message=fields.text(value, "message", default=""),  # v0.1.7 omits an empty one
    )


def _require_error_agreement(report: FlatReport, *, has_raw: bool) -> None:
    if has_raw and len(report.errors) != report.error_count:
        raise fields.invalid(
            f"errors has {len(report.errors)} entries, errorStats counts {report.error_count}"
        )


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
    columns = columns_by_url(reports)
    samples = [report.samples for report in reports]
    return FlatSummary(
        total=None if None in samples else sum(count or 0 for count in samples),
        duration=format_go_duration(max((report.duration_ns for report in reports), default=0)),
        error_stats=dict(sorted(error_stats.items())),
        received_bytes=sum(report.received_bytes for report in reports),
        percentile_latencies=(
            None
            if columns is None
            else percentile_latencies([c for of_url in columns.values() for c in of_url])
        ),
        percentile_latencies_by_url=(
            None
            if columns is None
            else {url: percentile_latencies(of_url) for url, of_url in columns.items()}
        ),
    )


def pool_raw(reports: Sequence[KperfReport]) -> dict[str, list[float]] | None:
    """Return all samples of each URL, ascending; None when any report has no raw data."""
    columns = columns_by_url(reports)
    if columns is None:
        return None
    # A stable sort merges columns that are sorted already.
    return {
        url: np.sort(np.concatenate([c.read() for c in of_url]), kind="stable").tolist()
        for url, of_url in columns.items()
    }


def columns_by_url(reports: Sequence[KperfReport]) -> dict[str, list[LatencyColumn]] | None:
    """Group the reports' own columns by URL, without copying a sample.

    Returns:
        The columns by URL, sorted by URL; None when any report has no raw data.
    """
    columns: dict[str, list[LatencyColumn]] = {}
    for report in reports:
        if report.latencies_by_url is None:
            return None
        for url, column in report.latencies_by_url.items():
            columns.setdefault(url, []).append(column)
    return dict(sorted(columns.items()))
