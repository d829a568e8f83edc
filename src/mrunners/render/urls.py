"""Shorten request names by the server that all of them share.

It must not shorten anything that tells two requests apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["shared_server", "without_server"]

# kperf's keys: `LIST https://10.0.0.1:6443/api/...` from v0.3.5 on, the URL alone before.
_NAME = re.compile(r"((?:[A-Z_]{1,20} )?)(https?://[^\s/]{1,260})(/.*)", re.DOTALL)


def shared_server(names: Sequence[str]) -> str | None:
    """The `https://host:port` that every name has; None when there is not exactly one."""
    servers = set()
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        servers.add(match[2])
    return servers.pop() if len(servers) == 1 else None


def without_server(name: str, server: str | None) -> str:
    """The name with method and path only; unchanged when there is no shared server."""
    match = _NAME.fullmatch(name)
    if match is None or match[2] != server:
        return name
    return match[1] + match[3]
