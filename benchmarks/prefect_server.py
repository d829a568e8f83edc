"""A Prefect server for benchmarks alone."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.commands import bare_environment, end, until

__all__ = ["count_responses", "prefect_server"]

# uvicorn's access log: `127.0.0.1:40000 - "POST /api/… HTTP/1.1" 201`.
_RESPONSE = re.compile(r'"[A-Z]+ [^"]* HTTP/[\d.]+" (\d{3})')


@contextlib.contextmanager
def prefect_server(folder: Path) -> Iterator[tuple[str, Path]]:
    """Start a Prefect server; yield its API URL and its log, which has a line per response."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = {
        **bare_environment(),
        "PREFECT_HOME": str(folder / "server"),
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    prefect = str(Path(sys.executable).parent / "prefect")
    command = [prefect, "server", "start", "--log-level", "INFO"]
    log = folder / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, env=environ, stdout=out, stderr=out)
        try:
            api = f"http://127.0.0.1:{port}/api"
            until("the Prefect server is healthy", lambda: _healthy(api), 120)
            yield api, log
        finally:
            end(server)


def _healthy(api: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=5) as response:  # noqa: S310  http
            return bool(response.status == 200)
    except OSError:
        return False


def count_responses(log: Path) -> tuple[int, int]:
    """Return how many responses the Prefect API sent, and how many were 500 or above."""
    codes = [int(code) for code in _RESPONSE.findall(log.read_text(errors="replace"))]
    return len(codes), sum(code >= 500 for code in codes)
