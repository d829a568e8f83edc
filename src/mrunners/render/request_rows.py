"""The rows of the tables of requests, the same in every output: also those that only failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mrunners.durations import format_duration
from mrunners.formatting import RequestNames, counted, request_names
from mrunners.reports.analysis.error_timeline import ErrorTimeline
from mrunners.reports.merged import MergedReport

__all__ = [
    "MAX_QUOTED",
    "RequestRow",
    "RequestRows",
    "error_times",
    "names_of_requests",
    "request_rows",
]

# Of how many requests the latency is among the figures to quote: as many as fit beside the others.
MAX_QUOTED = 3


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request of a report.

    Attributes:
        name: The request without the server and the parameters that all of them share; may be
            hostile text.
        samples: Number of its successes; None when it is unknown.
        errors: Number of its failures; None when it is unknown.
        percentiles: Seconds by percentile; empty without a success.
    """

    name: str
    samples: int | None
    errors: int | None
    percentiles: Mapping[float, float]


@dataclass(frozen=True, slots=True)
class RequestRows:
    """All requests of a report.

    Attributes:
        server: The server that all of them share; None when there are several.
        left_out: The query parameters that are in no name, such as `timeout=1m0s`; may be empty.
        total: All requests together.
        rows: Each request, sorted by its name.
    """

    server: str | None
    left_out: str
    total: RequestRow
    rows: tuple[RequestRow, ...]

    def by_frequency(self) -> tuple[RequestRow, ...]:
        """Return the requests that have latencies, those with the most successes first."""
        known = [row for row in self.rows if row.percentiles]
        return tuple(sorted(known, key=lambda row: (-(row.samples or 0), row.name)))

    def first(self, limit: int) -> tuple[RequestRow, ...]:
        """Return at most `limit` rows; none without a success is left out for one with some."""
        numbers = range(len(self.rows))
        chosen = sorted(numbers, key=lambda number: bool(self.rows[number].percentiles))[:limit]
        return tuple(self.rows[number] for number in sorted(chosen))


def names_of_requests(report: MergedReport) -> RequestNames:
    """Return the names of all requests of a report, which each part of it uses."""
    # Those of a class of errors may be known where not every failed request is.
    failed = (one.request for each in report.error_classes.classes for one in each.requests)
    by_url, errors = report.percentile_latencies_by_url, report.errors_by_url
    return request_names(sorted({*(by_url or {}), *(errors or {}), *failed}))


def request_rows(report: MergedReport) -> RequestRows:
    """Return the rows of a report's table of requests."""
    by_url = report.percentile_latencies_by_url or {}
    # Errors that cannot be told apart by request are unknown for each, and known in total.
    errors = report.errors_by_url
    names = sorted({*by_url, *(errors or {})})
    short = names_of_requests(report)
    samples = report.samples_by_url
    return RequestRows(
        server=short.server,
        left_out=short.left_out,
        total=RequestRow(
            "all requests",
            report.samples,
            report.error_count,
            dict(report.percentile_latencies or ()),
        ),
        rows=tuple(
            RequestRow(
                short.names[name],
                samples.get(name) if name in by_url else 0,
                None if errors is None else errors.get(name, 0),
                dict(by_url.get(name, ())),
            )
            for name in names
        ),
    )


def error_times(timeline: ErrorTimeline) -> str:
    """Return when requests failed, in one line."""
    start, most = timeline.peak
    end = start + timeline.bucket_seconds
    text = (
        f"errors from {format_duration(timeline.first_seconds)} to "
        f"{format_duration(timeline.last_seconds)} after the first pod's start, most ({most:,}) "
        f"from {format_duration(start)} to {format_duration(end)}"
    )
    if timeline.undated:
        text += f"; the time of {counted(timeline.undated, 'error')} is unknown"
    return text
