"""Records of what one kperf runner measured; samples are in columns, 8 bytes each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrunners.reports.latency_column import LatencyColumn

__all__ = ["KperfReport", "Percentiles", "RequestError", "SpecFigures"]

# ((0, seconds), (0.5, seconds), ...), as kperf prints them.
Percentiles = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class RequestError:
    """One failed request, as kperf recorded it.

    Attributes:
        method: HTTP verb or kperf's pseudo-method; empty up to v0.3.4, which did not print it.
        url: The URL as requested; empty in v0.1.7, which did not print it. The last segment of a
            DELETE or PATCH is `:name`.
        timestamp: RFC 3339 with nanoseconds, kept as text because datetime would round it.
        duration_seconds: Time from sending the request to the error.
        type: `http`, `http2-protocol`, `connection` or `unknown`.
        code: The HTTP status; 0 unless the type is `http`.
        message: The error's text; empty when the type is `http`.
    """

    method: str
    url: str
    timestamp: str
    duration_seconds: float
    type: str
    code: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecFigures:
    """What one spec of a load profile measured in one pod.

    Attributes:
        requests: Number of successes and errors together; None when it is unknown.
        duration_ns: From its start to its last answer, in nanoseconds.
        busy_seconds: The time that its clients spent waiting for answers, summed over clients;
            None without raw data.
        shortest_seconds: The shortest wait for an answer; None when it is unknown.
        longest_seconds: The longest one.
    """

    requests: int | None
    duration_ns: int
    busy_seconds: float | None
    shortest_seconds: float | None
    longest_seconds: float | None

    @property
    def duration_seconds(self) -> float:
        """From the spec's start to its last answer."""
        return self.duration_ns / 1e9


@dataclass(frozen=True, slots=True)
class KperfReport:
    """One runner's report, of any release of kperf.

    Attributes:
        total: The *configured* number of requests, summed over specs; 0 in duration mode.
        duration_ns: How long the load ran, in nanoseconds; summed over specs, as kperf does.
        samples: Number of successful requests; None when it is unknown (duration mode without raw
            data).
        error_stats: Number of failed requests by kperf's key of the error, such as `http/403`.
        errors: Every failed request; empty without raw data.
        received_bytes: Body bytes read from the API server (watchList responses are not counted).
        latencies_by_url: Seconds of each success, ascending; None without raw data.
        percentiles: As kperf printed them; None when it printed none.
        percentiles_by_url: As kperf printed them; empty when it printed none.
        unknown_keys: Keys of the report that this release of mrunners does not know.
        specs: The figures of each spec, in the order of the profile.
    """

    total: int
    duration_ns: int
    samples: int | None
    error_stats: Mapping[str, int]
    errors: tuple[RequestError, ...]
    received_bytes: int
    latencies_by_url: Mapping[str, LatencyColumn] | None
    percentiles: Percentiles | None
    percentiles_by_url: Mapping[str, Percentiles]
    unknown_keys: tuple[str, ...] = ()
    specs: tuple[SpecFigures, ...] = ()

    @property
    def error_count(self) -> int:
        """Number of failed requests of all classes."""
        return sum(self.error_stats.values())

    @property
    def nothing_succeeded(self) -> bool:
        """Whether no request succeeded, be it that each failed or that none was sent."""
        return self.samples == 0
