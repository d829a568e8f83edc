"""Reports made here, of every number that kperf can print and a test cluster would not cause.

The seed is fixed: a failure is the same one tomorrow.
"""

from __future__ import annotations

import random

from tests.unit.reports.build import Json, error, flat, multi, printed

__all__ = ["made_reports"]

URLS = ("LIST https://api/v1/pods", "POD_LOG https://api/ü?container=a&b=<c>", "WATCHLIST x")
ERRORS = (
    ("http/429", {"type": "http", "code": 429}),
    ("http/500", {"type": "http", "code": 500}),
    ("connection/net/http: TLS handshake timeout", {"type": "connection", "code": 0}),
    ("connection/context deadline exceeded <x>", {"type": "connection", "code": 0}),
    ("http2-protocol/http2: client connection lost", {"type": "http2-protocol", "code": 0}),
    ("unknown/", {"type": "unknown", "code": 0}),
)


def made_reports(count: int) -> list[bytes]:
    """Both forms in turn: flat ones as up to 0.3.4, and those of 0.3.5 with several specs."""
    chance = random.Random(20260103)
    return [_flat(chance) if number % 2 else _multi(chance) for number in range(count)]


def _flat(chance: random.Random) -> bytes:
    return printed(_load(chance))


def _multi(chance: random.Random) -> bytes:
    specs = [_load(chance) for _ in range(chance.randint(1, 3))]
    together = flat(_pooled(specs), total=sum(_number(spec["total"]) for spec in specs))
    together["duration"] = f"{sum(_seconds(spec) for spec in specs)}s"
    together["totalReceivedBytes"] = sum(_number(spec["totalReceivedBytes"]) for spec in specs)
    failed: list[object] = []
    stats: dict[str, int] = {}
    for spec in specs:
        failed += spec["errors"] if isinstance(spec["errors"], list) else []
        for key, seen in _mapping(spec["errorStats"]).items():
            stats[key] = stats.get(key, 0) + _number(seen)
    return printed(multi(*specs, aggregated=together | {"errors": failed, "errorStats": stats}))


def _load(chance: random.Random) -> Json:
    # Few samples make each percentile another one; equal ones must not confuse either.
    latencies = {
        url: [_latency(chance) for _ in range(chance.choice((1, 2, 19, 20, 21, 100, 777)))]
        for url in chance.sample(URLS, chance.randint(1, len(URLS)))
    }
    chosen = chance.choices(ERRORS, k=chance.randint(1, 9))
    samples = sum(map(len, latencies.values()))
    load = flat(latencies, total=samples + len(chosen), duration=f"{chance.randint(1, 99)}s")
    load["totalReceivedBytes"] = chance.randrange(2**40)
    load["errors"] = [
        error(**facts, message="" if facts["type"] == "http" else key.partition("/")[2])
        for key, facts in chosen
    ]
    keys = [key for key, _ in chosen]
    return load | {"errorStats": {key: keys.count(key) for key in keys}}


def _latency(chance: random.Random) -> float:
    # From nanoseconds, which Go writes with an exponent, to a minute; 1.0 it writes as 1.
    return chance.choice((0.25, 1.0, chance.lognormvariate(-5, 3), chance.randrange(1, 900) * 1e-9))


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


def _seconds(load: Json) -> int:
    return int(str(load["duration"]).removesuffix("s"))
