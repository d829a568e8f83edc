"""Random reports with all the numbers that kperf can print and a test cluster would not cause.

The seed is fixed, so that a failure can be reproduced.
"""

from __future__ import annotations

import random

from tests.factories.reports import Json, error, flat, multi, printed

URLS = ("LIST https://api/v1/pods", "POD_LOG https://api/ü?container=a&b=<c>", "WATCHLIST x")
ERRORS = (
    ("http/429", {"type": "http", "code": 429}),
    ("http/500", {"type": "http", "code": 500}),
    ("connection/net/http: TLS handshake timeout", {"type": "connection", "code": 0}),
    ("connection/context deadline exceeded <x>", {"type": "connection", "code": 0}),
    ("http2-protocol/http2: client connection lost", {"type": "http2-protocol", "code": 0}),
    ("unknown/", {"type": "unknown", "code": 0}),
)


def random_reports(count: int) -> list[bytes]:
    """Return reports of both formats in turn: several specs as of 0.3.5, and flat ones before."""
    rng = random.Random(20260103)
    return [_flat(rng) if number % 2 else _multi(rng) for number in range(count)]


def _flat(rng: random.Random) -> bytes:
    return printed(_spec(rng))


def _multi(rng: random.Random) -> bytes:
    specs = [_spec(rng) for _ in range(rng.randint(1, 3))]
    aggregated = flat(_pooled(specs), total=sum(_number(spec["total"]) for spec in specs))
    aggregated["duration"] = f"{sum(_seconds(spec) for spec in specs)}s"
    aggregated["totalReceivedBytes"] = sum(_number(spec["totalReceivedBytes"]) for spec in specs)
    errors: list[object] = []
    stats: dict[str, int] = {}
    for spec in specs:
        errors += spec["errors"] if isinstance(spec["errors"], list) else []
        for key, count in _mapping(spec["errorStats"]).items():
            stats[key] = stats.get(key, 0) + _number(count)
    return printed(multi(*specs, aggregated=aggregated | {"errors": errors, "errorStats": stats}))


def _spec(rng: random.Random) -> Json:
    # With few samples the percentiles are different ones; equal samples must do no harm either.
    latencies = {
        url: [_latency(rng) for _ in range(rng.choice((1, 2, 19, 20, 21, 100, 777)))]
        for url in rng.sample(URLS, rng.randint(1, len(URLS)))
    }
    chosen = rng.choices(ERRORS, k=rng.randint(1, 9))
    samples = sum(map(len, latencies.values()))
    spec = flat(latencies, total=samples + len(chosen), duration=f"{rng.randint(1, 99)}s")
    spec["totalReceivedBytes"] = rng.randrange(2**40)
    spec["errors"] = [
        error(**fields, message="" if fields["type"] == "http" else key.partition("/")[2])
        for key, fields in chosen
    ]
    keys = [key for key, _ in chosen]
    return spec | {"errorStats": {key: keys.count(key) for key in keys}}


def _latency(rng: random.Random) -> float:
    # From nanoseconds, which Go writes with an exponent, to a minute; Go writes 1.0 as 1.
    return rng.choice((0.25, 1.0, rng.lognormvariate(-5, 3), rng.randrange(1, 900) * 1e-9))


def _pooled(specs: list[Json]) -> dict[str, list[float]]:
    pools: dict[str, list[float]] = {}
    for spec in specs:
        for url, samples in _mapping(spec["latenciesByURL"]).items():
            assert isinstance(samples, list)
            pools.setdefault(url, []).extend(samples)
    return pools


def _mapping(value: object) -> Json:
    assert isinstance(value, dict)
    return value


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


def _seconds(spec: Json) -> int:
    return int(str(spec["duration"]).removesuffix("s"))
