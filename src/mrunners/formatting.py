"""Numbers, units and request names as people read them, in every output alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

__all__ = [
    "byte_size",
    "counted",
    "grouped",
    "milliseconds",
    "per_second",
    "percent",
    "percentile_name",
    "shared_server",
    "without_query",
    "without_server",
]

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


def without_query(request: str) -> str:
    """Return a request up to its `?`, such as `LIST /api/v1/pods`."""
    return request.partition("?")[0]
