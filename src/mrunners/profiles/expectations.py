"""Foresees how long a pod runs its profile, and how many samples it reports.

It must not promise: a slow API server makes any run longer.
"""

from __future__ import annotations

import math

from mrunners.profiles.profile import LoadProfile, LoadProfileSpec

__all__ = ["expected_samples", "expected_seconds", "target_clients", "target_rate"]


def expected_seconds(profile: LoadProfile) -> float | None:
    """How long one pod should take, if the API server keeps up.

    Args:
        profile: a good one; its specs run one after the other.
    Returns: seconds; None when a spec has no rate and no duration.
    """
    parts = [_seconds(spec) for spec in profile.specs]
    known = [part for part in parts if part is not None]
    total = math.fsum(known)
    return total if len(known) == len(parts) and math.isfinite(total) else None


def expected_samples(profile: LoadProfile) -> int | None:
    """How many requests one pod should make: latency samples and errors together.

    Args:
        profile: a good one.
    Returns: a number; None when a spec has neither a total nor a rate.
    """
    parts = [_samples(spec) for spec in profile.specs]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def target_rate(profile: LoadProfile) -> float | None:
    """The requests per second asked of one pod, averaged over the time that its specs take.

    Args:
        profile: a good one.
    Returns: a rate; None when a spec has no limit.
    """
    parts = [(spec.rate, _seconds(spec)) for spec in profile.specs]
    seconds = math.fsum(part or 0 for _, part in parts)
    if not all(rate for rate, _ in parts) or not seconds:
        return None
    average = math.fsum(rate * (part or 0) / seconds for rate, part in parts)
    return average if math.isfinite(average) else None


def target_clients(profile: LoadProfile) -> int | None:
    """How many requests one pod may have under way: kperf's clients wait for their answers.

    Args:
        profile: a good one.
    Returns: a number; None when the specs differ in it, or only some of them have a rate: then
        no one number says what the whole profile asks.
    """
    alike = {(spec.client, spec.rate > 0) for spec in profile.specs}
    return profile.specs[0].client if len(alike) == 1 else None


def _seconds(spec: LoadProfileSpec) -> float | None:
    if spec.duration:
        return float(spec.duration)
    return spec.total / spec.rate if spec.rate else None


def _samples(spec: LoadProfileSpec) -> int | None:
    if spec.total:
        return spec.total
    return math.ceil(spec.duration * spec.rate) if spec.rate else None
