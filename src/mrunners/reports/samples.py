"""What one kperf runner measured, as plain records that hold millions of samples cheaply.

It must not parse or merge: `kperf_report` fills these records and `merge` reads them.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["KperfReport", "Percentiles", "RequestError"]

# ((0, seconds), (0.5, seconds), ...), as kperf prints them.
Percentiles = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class RequestError:
    """One failed request, as kperf recorded it.

    Attributes:
        method: HTTP verb or kperf's pseudo-method; empty up to v0.2.0, which did not print it.
        url: as requested.
        timestamp: RFC 3339 with nanoseconds, kept as text because datetime would round it.
        duration_seconds: from sending the request to the error.
        type: `http`, `http2-protocol`, `connection` or `unknown`.
        code: the HTTP status; 0 unless the type is `http`.
        message: the error's text; empty when the type is `http`.
    """

    method: str
    url: str
    timestamp: str
    duration_seconds: float
    type: str
    code: int
    message: str


@dataclass(frozen=True, slots=True)
class KperfReport:
    """One runner's report, whichever release printed it.

    Attributes:
        total: the *configured* number of requests, summed over specs; 0 in duration mode.
        duration_ns: how long the load ran, in nanoseconds; summed over specs, as kperf does.
        samples: successful requests; None when it cannot be known (no raw data, duration mode).
        error_stats: kperf's key of each class of error (`http/403`) to its count.
        errors: every failed request; empty without raw data.
        received_bytes: body bytes read from the API server (watchList responses are not counted).
        latencies_by_url: seconds of each success, ascending; None when there is no raw data.
        percentiles: as kperf printed them; None when it printed none.
        percentiles_by_url: as kperf printed them; empty when it printed none.
        unknown_keys: keys of the report that this release does not read.
    """

    total: int
    duration_ns: int
    samples: int | None
    error_stats: Mapping[str, int]
    errors: tuple[RequestError, ...]
    received_bytes: int
    latencies_by_url: Mapping[str, array[float]] | None
    percentiles: Percentiles | None
    percentiles_by_url: Mapping[str, Percentiles]
    unknown_keys: tuple[str, ...] = ()

    @property
    def error_count(self) -> int:
        """Failed requests, whatever their class."""
        return sum(self.error_stats.values())

    @property
    def nothing_succeeded(self) -> bool:
        """Whether requests were sent and every one of them failed."""
        return self.samples == 0 and self.error_count > 0
