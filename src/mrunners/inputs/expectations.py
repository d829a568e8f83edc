"""Foresees how long a pod runs its profile, and how many samples it reports.

It must not promise: a slow API server makes any run longer.
"""

from __future__ import annotations

import math

from mrunners.inputs.profile import LoadProfile, LoadProfileSpec

__all__ = ["expected_samples", "expected_seconds"]


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


def _seconds(spec: LoadProfileSpec) -> float | None:
    if spec.duration:
        return float(spec.duration)
    return spec.total / spec.rate if spec.rate else None


def _samples(spec: LoadProfileSpec) -> int | None:
    if spec.total:
        return spec.total
    return math.ceil(spec.duration * spec.rate) if spec.rate else None
