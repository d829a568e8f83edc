"""What one pod will do with its load profile, if the API server keeps up: time, samples, rate.

kperf's runner makes its connections once, out of the first spec, and client-go gives each of them
a limiter of the first spec's rate with ten tokens (commands/runner/runner.go; client-go,
rest/config.go, DefaultBurst). Client number n uses connection n modulo `conns`. A request that has
waited for the pod's own limiter waits for its connection's too, and kperf counts that second wait
as latency. So a spec that is faster than the first spec's rate, times the connections that its
clients use, never reaches its rate, and its latencies are not the server's. (Measured with kperf
0.3.5: rates of 10 and then 20 on one connection give 10 per second, and a median of 200 ms with two
clients where the server answers within 1 ms.)

A spec with a duration ends when a client would have to wait for the limiter past the end: the
limiter refuses such a wait, and kperf then ends the whole spec (request/schedule.go). Every idle
client waits for a token of its own, so the load ends up to `client` / `rate` seconds early.
(Measured: 5 s at 10 per second with 50 clients end after one request.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from mrunners.profiles.profile import LoadProfile, LoadProfileSpec

__all__ = [
    "connections_needed",
    "ends_early_by",
    "expected_samples",
    "expected_seconds",
    "rate_ceilings",
    "target_clients",
    "target_rate",
]

# client-go's DefaultBurst: a connection that was idle lets so many requests pass at once.
_CONNECTION_BURST: Final = 10


def expected_seconds(profile: LoadProfile) -> float | None:
    """Return how long one pod should take; its specs run one after the other.

    Returns:
        Seconds; None when a spec has no rate and no duration.
    """
    seconds = [_spec_seconds(spec) for spec in profile.specs]
    known = [value for value in seconds if value is not None]
    total = math.fsum(known)
    return total if len(known) == len(seconds) and math.isfinite(total) else None


def expected_samples(profile: LoadProfile) -> int | None:
    """Return how many requests one pod should make: latency samples and errors together.

    Returns:
        A number; None when a spec has neither a total nor a rate.
    """
    samples = [_spec_samples(spec) for spec in profile.specs]
    known = [value for value in samples if value is not None]
    return sum(known) if len(known) == len(samples) else None


def target_rate(profile: LoadProfile) -> float | None:
    """Return one pod's rate limit, averaged over the time that its specs take.

    Returns:
        Requests per second; None when a spec has no limit.
    """
    limits = [(spec.rate, _spec_seconds(spec) or 0) for spec in profile.specs]
    total_seconds = math.fsum(seconds for _, seconds in limits)
    if not all(rate for rate, _ in limits) or not total_seconds:
        return None
    average = math.fsum(rate * seconds / total_seconds for rate, seconds in limits)
    return average if math.isfinite(average) else None


def target_clients(profile: LoadProfile) -> int | None:
    """Return how many requests one pod may have in flight: each kperf client waits for its answer.

    Returns:
        A number; None when no single number describes the profile, because its specs have
        different numbers of clients or only some of them have a rate limit.
    """
    combinations = {(spec.client, spec.rate > 0) for spec in profile.specs}
    return profile.specs[0].client if len(combinations) == 1 else None


def rate_ceilings(profile: LoadProfile) -> tuple[float | None, ...]:
    """Return the most requests per second that the first spec's limiters let each spec send.

    Returns:
        For each spec, in order; None when those limiters do not hold it back.
    """
    first = profile.specs[0]
    faster = {index for index, spec in enumerate(profile.specs) if _is_faster(first, spec)}
    # What passes at once while a connection has tokens left is not held back.
    excess = math.fsum(_excess(first, profile.specs[index]) for index in faster)
    if excess <= _CONNECTION_BURST:
        faster = set()
    return tuple(
        _ceiling(first, spec) if index in faster else None
        for index, spec in enumerate(profile.specs)
    )


def connections_needed(first: LoadProfileSpec, specs: Sequence[LoadProfileSpec]) -> int | None:
    """Return how many connections, and at least as many clients, would let the specs pass.

    Returns:
        A number; None when no number does, because one of the specs has no rate limit.
    """
    needed = [_connections_for(first.rate, spec) for spec in specs]
    known = [count for count in needed if count is not None]
    return max(known, default=1) if len(known) == len(needed) else None


def ends_early_by(spec: LoadProfileSpec) -> float:
    """Return how many seconds before its duration kperf may end a spec; 0 when it does not."""
    if not spec.duration or not spec.rate:
        return 0.0
    return min(spec.client / spec.rate, float(spec.duration))


def _spec_seconds(spec: LoadProfileSpec) -> float | None:
    if spec.duration:
        return float(spec.duration)
    return spec.total / spec.rate if spec.rate else None


def _spec_samples(spec: LoadProfileSpec) -> int | None:
    if spec.total:
        return spec.total
    return math.ceil(spec.duration * spec.rate) if spec.rate else None


def _is_faster(first: LoadProfileSpec, spec: LoadProfileSpec) -> bool:
    """Whether the spec sends faster through one of the connections than their limiter allows."""
    if first.rate == 0:
        return False
    return spec.rate == 0 or spec.rate * _fullest_share(first, spec) > first.rate


def _fullest_share(first: LoadProfileSpec, spec: LoadProfileSpec) -> float:
    """Return the share of the clients, and so of the requests, on the connection with the most."""
    return math.ceil(spec.client / first.conns) / spec.client


def _ceiling(first: LoadProfileSpec, spec: LoadProfileSpec) -> float:
    together = first.rate * min(first.conns, spec.client)
    return min(together, spec.rate) if spec.rate else together


def _excess(first: LoadProfileSpec, spec: LoadProfileSpec) -> float:
    """Return how many requests of a spec come to one connection before it has tokens for them."""
    if not spec.total and not spec.rate:
        return math.inf
    requests = spec.total or spec.rate * spec.duration
    seconds = requests / spec.rate if spec.rate else 0.0
    return requests * _fullest_share(first, spec) - first.rate * seconds


def _connections_for(rate: float, spec: LoadProfileSpec) -> int | None:
    if not spec.rate:
        return None
    clients_per_connection = math.floor(rate * spec.client / spec.rate)
    if clients_per_connection == 0:
        # Exact, because the quotient of floats may be infinite.
        return math.ceil(Fraction(spec.rate) / Fraction(rate))
    return math.ceil(spec.client / clients_per_connection)
