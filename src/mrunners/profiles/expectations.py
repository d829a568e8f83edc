"""What one pod will do with its load profile, if the API server keeps up: time, samples, rate."""

from __future__ import annotations

import math

from mrunners.profiles.profile import LoadProfile, LoadProfileSpec

__all__ = ["expected_samples", "expected_seconds", "target_clients", "target_rate"]


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


def _spec_seconds(spec: LoadProfileSpec) -> float | None:
    if spec.duration:
        return float(spec.duration)
    return spec.total / spec.rate if spec.rate else None


def _spec_samples(spec: LoadProfileSpec) -> int | None:
    if spec.total:
        return spec.total
    return math.ceil(spec.duration * spec.rate) if spec.rate else None
