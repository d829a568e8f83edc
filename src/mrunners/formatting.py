"""Numbers, units and request names as people read them, in every output alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = [
    "PERCENTILES",
    "RequestNames",
    "byte_size",
    "counted",
    "grouped",
    "milliseconds",
    "per_second",
    "percent",
    "percentile_name",
    "profile_names",
    "request_names",
    "shared_server",
    "without_query",
    "without_server",
]

# kperf, metrics/utils.go, BuildPercentileLatencies.
PERCENTILES: Final = (0.0, 0.5, 0.9, 0.95, 0.99, 1.0)

UNKNOWN: Final = "-"

_BYTE_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")

# kperf's keys: `LIST https://10.0.0.1:6443/api/...` from v0.3.5 on, the URL alone before.
_REQUEST: Final = re.compile(r"((?:[A-Z_]{1,20} )?)(https?://[^\s/]{1,260})(/.*)", re.DOTALL)


def grouped(count: int | None) -> str:
    """Return `1,234,567`; `-` when the count is unknown."""
    return UNKNOWN if count is None else f"{count:,}"


def counted(count: int, noun: str) -> str:
    """Return `1 pod` or `1,200 pods`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def percent(share: float) -> str:
    """Return a share as `42%`, `4.2%` or `<0.01%`.

    Never `0%` for something, and never `100%` for less than all.
    """
    value = share * 100
    if value == 0 or value >= 100:
        return f"{value:.0f}%"
    if value < 0.01:
        return "<0.01%"
    if value < 0.995:
        return f"{value:.2g}%"
    if value < 9.95:
        return f"{value:.1f}%"
    return f"{value:.0f}%" if value < 99 else f"{min(value, 99.99):.2f}%"


def milliseconds(seconds: float | None) -> str:
    """Return a latency in milliseconds with about three significant digits.

    Returns:
        `0.042`, `1.23`, `45.6`, `1,234`; `-` when it is unknown.
    """
    if seconds is None:
        return UNKNOWN
    value = seconds * 1000
    # The bounds are where rounding to the digits on their left would add a digit.
    if value < 0.9995:
        return f"{value:.3f}"
    if value < 9.995:
        return f"{value:.2f}"
    if value < 99.95:
        return f"{value:.1f}"
    return f"{value:,.0f}"


def per_second(events: float | None) -> str:
    """Return a rate such as `20.1` or `1,234`; `-` when it is unknown."""
    if events is None:
        return UNKNOWN
    return f"{events:,.1f}" if events < 99.95 else f"{events:,.0f}"


def byte_size(size: int) -> str:
    """Return `512 B` or `1.5 MiB`: binary units, one decimal from KiB on."""
    if size < 1024:
        return f"{size} B"
    value = float(size)
    unit = 0
    while value >= 1023.95 and unit < len(_BYTE_UNITS) - 1:
        value /= 1024
        unit += 1
    return f"{value:,.1f} {_BYTE_UNITS[unit]}"


def percentile_name(p: float) -> str:
    """Return `min`, `p50`, `p99` or `max`."""
    if p <= 0:
        return "min"
    return "max" if p >= 1 else f"p{p * 100:g}"


def shared_server(requests: Sequence[str]) -> str | None:
    """Return the `https://host:port` that all requests have in common, if there is exactly one."""
    servers = set()
    for request in requests:
        match = _REQUEST.fullmatch(request)
        if match is None:
            return None
        servers.add(match[2])
    return servers.pop() if len(servers) == 1 else None


def without_server(request: str, server: str | None) -> str:
    """Return method and path of a request; unchanged when it is not one of that server."""
    match = _REQUEST.fullmatch(request)
    if match is None or match[2] != server:
        return request
    return match[1] + match[3]


@dataclass(frozen=True, slots=True)
class RequestNames:
    """Requests as tables name them, without what they share.

    Attributes:
        server: The `https://host:port` of all requests; None when there are several.
        left_out: The parameters that no name has, such as `timeout=1m0s`; empty when there are
            none.
        names: The short name of each request; no two are equal.
    """

    server: str | None
    left_out: str
    names: Mapping[str, str]


def request_names(requests: Iterable[str]) -> RequestNames:
    """Return short names of all requests of a report.

    Left out are the server, the query parameters that two or more requests all have, and the
    timeout, which is the client's and not a part of the load (client-go appends `timeout=1m0s`).
    """
    every = list(dict.fromkeys(requests))
    server = shared_server(every)
    local = {request: without_server(request, server) for request in every}
    queries = [_parameters(name) for name in local.values()]
    shared = set.intersection(*map(set, queries)) if len(queries) > 1 else set()
    timeouts = {part for parts in queries for part in parts if part.startswith("timeout=")}
    if len(timeouts) == 1:
        shared |= timeouts
    names = {request: _without_parameters(name, shared) for request, name in local.items()}
    if not shared or len(set(names.values())) < len(names):
        return RequestNames(server, "", local)
    order = dict.fromkeys(part for parts in queries for part in parts if part in shared)
    return RequestNames(server, "&".join(order), names)


def _parameters(request: str) -> list[str]:
    query = request.partition("?")[2]
    return query.split("&") if query else []


def _without_parameters(request: str, shared: set[str]) -> str:
    left = "&".join(part for part in _parameters(request) if part not in shared)
    return without_query(request) + (f"?{left}" if left else "")


def profile_names(uris: Sequence[str]) -> list[str]:
    """Return a short name of each runner URI's load profile: `list.yaml`, `mixed`.

    Profiles that have the same name in different places get as much of their path as it takes to
    tell them apart.
    """
    paths = [uri.partition("://")[2].partition("?")[0].strip("/") or uri for uri in uris]
    parts = {path: path.split("/") for path in paths}
    longest = max(map(len, parts.values()), default=1)
    for count in range(1, longest + 1):
        names = {path: "/".join(segments[-count:]) for path, segments in parts.items()}
        if len(set(names.values())) == len(names):
            break
    return [names[path] for path in paths]


def without_query(request: str) -> str:
    """Return a request up to its `?`, such as `LIST /api/v1/pods`."""
    return request.partition("?")[0]
