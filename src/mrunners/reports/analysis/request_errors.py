"""Count failed requests by the request that failed, named as in kperf's latencies.

Only counts are kept, never the failed requests themselves, of which a run can have millions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from operator import attrgetter

from mrunners.records import Record
from mrunners.reports.samples import KperfReport

__all__ = ["RequestErrors", "errors_by_request", "requests_by_key"]

_REQUEST = attrgetter("method", "url")
_KEY_AND_REQUEST = attrgetter("type", "code", "message", "method", "url")


class RequestErrors(Record):
    """How often one request failed; it is named as in `percentileLatenciesByURL`."""

    request: str
    count: int


def errors_by_request(reports: Iterable[KperfReport]) -> dict[str, int] | None:
    """Return the number of failed requests of each request, sorted by its name.

    Args:
        reports: All merged reports.

    Returns:
        Empty when nothing failed; None when the request of any failed one is unknown: kperf 0.1.7
        does not print it, and there is none without raw data.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for report in reports:
        if len(report.errors) != report.error_count:
            return None
        counts.update(map(_REQUEST, report.errors))
    if any(not url for _, url in counts):
        return None
    return {_name(method, url): count for (method, url), count in sorted(counts.items())}


def requests_by_key(report: KperfReport) -> Mapping[str, Mapping[str, int]]:
    """Return the number of failed requests by key of `errorStats`, then by request.

    Failed requests whose request is unknown are left out.
    """
    by_key: dict[str, Counter[str]] = {}
    # Counted first, because there are few different ones among many.
    for (kind, code, message, method, url), count in Counter(
        map(_KEY_AND_REQUEST, report.errors)
    ).items():
        # As in kperf, metrics/utils.go, BuildErrorStatsGroupByType.
        key = f"{kind}/{code if kind == 'http' else message}"
        if url:
            by_key.setdefault(key, Counter())[_name(method, url)] += count
    return by_key


def _name(method: str, url: str) -> str:
    # kperf's latencies have the URL alone up to 0.3.4, and its errors have no method then.
    return f"{method} {url}" if method else url
