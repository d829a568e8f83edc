"""kperf's reports as JSON documents, written by hand and not by the code under test."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Json = dict[str, object]


def percentiles(samples: list[float]) -> list[list[float]]:
    """Return kperf's percentiles, computed in the simplest way."""
    ordered = sorted(samples)
    pairs = []
    for p in (0, 0.5, 0.9, 0.95, 0.99, 1):
        product = len(ordered) * p
        index = int(product) if product == int(product) else int(product) + 1
        pairs.append([p, ordered[max(index - 1, 0)]])
    return pairs


def flat(
    latencies: dict[str, list[float]] | None = None,
    *,
    errors: int = 0,
    total: int | None = None,
    duration: str = "10s",
    received: int = 1000,
    raw: bool = True,
) -> Json:
    """Return a flat report as kperf prints it, by default with three samples of one request."""
    latencies = {"LIST https://api/pods": [0.001, 0.002, 0.25]} if latencies is None else latencies
    pooled = [sample for samples in latencies.values() for sample in samples]
    document: Json = {
        "total": len(pooled) + errors if total is None else total,
        "duration": duration,
        "totalReceivedBytes": received,
    }
    if errors:
        document["errorStats"] = {"http/403": errors}
        if raw:
            document["errors"] = [error() for _ in range(errors)]
    if pooled:
        document["percentileLatencies"] = percentiles(pooled)
        document["percentileLatenciesByURL"] = {u: percentiles(s) for u, s in latencies.items()}
        if raw:
            document["latenciesByURL"] = {url: sorted(s) for url, s in latencies.items()}
    return document


def error(**changes: object) -> Json:
    """Return an entry of `errors`; `changes` replace its keys."""
    return {
        "method": "LIST",
        "url": "https://api/pods",
        "timestamp": "2026-01-02T03:04:05.123456789Z",
        "duration": 0.01,
        "type": "http",
        "code": 403,
        "message": "",
        **changes,
    }


def failures(
    request: str,
    key: str,
    count: int,
    *,
    second: float = 0.1,
    every: float = 0,
    lasting: float = 0.01,
) -> list[Json]:
    """Return entries of `errors` of one request, all with the same key of `errorStats`.

    The first one is `second` seconds after START, and each further one `every` seconds later.
    """
    method, _, url = request.partition(" ")
    kind, _, message = key.partition("/")
    fields: Json = {"type": kind, "code": 0, "message": message}
    if kind == "http":
        fields = {"type": kind, "code": int(message), "message": ""}
    return [
        error(
            method=method,
            url=url,
            timestamp=(START + timedelta(seconds=second + number * every)).isoformat(),
            duration=lasting,
            **fields,
        )
        for number in range(count)
    ]


def multi(*specs: Json, aggregated: Json) -> Json:
    """Return a report of several specs, as kperf prints it since v0.3.5."""
    return {"perSpecResults": list(specs), "aggregated": aggregated}


def printed(document: Json) -> bytes:
    """Return a report's text, indented as kperf does."""
    return json.dumps(document, indent=2).encode() + b"\n"
