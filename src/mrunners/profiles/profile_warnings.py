"""Says where kperf does something unexpected with a valid profile, one line for all its specs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mrunners.durations import format_duration
from mrunners.formatting import counted, milliseconds
from mrunners.profiles.expectations import connections_needed, ends_early_by, rate_ceilings
from mrunners.profiles.profile import MAX_CONNS, LoadProfile, LoadProfileSpec
from mrunners.text import spec_names

__all__ = ["profile_warnings"]

# A spec that loses less than this share of its duration is not worth a line.
_EARLY_SHARE: Final = 0.05
# A little less than the 0.6 ms in which an API server on the same machine answers the cheapest
# request (measured).
_FASTEST_ANSWER_SECONDS: Final = 0.0005


def profile_warnings(document: Mapping[str, object], profile: LoadProfile) -> tuple[str, ...]:
    """Return what the author of a profile should know, one line for each kind of surprise.

    Args:
        document: The profile as it was given, with `specs`.
        profile: The same, parsed.
    """
    return (
        *_totals_and_durations(document),
        *_ignored_settings(profile),
        *_first_rate(profile),
        *_early_ends(profile),
        *_few_clients(profile),
    )


def _totals_and_durations(document: Mapping[str, object]) -> Iterator[str]:
    specs = document["specs"]
    assert isinstance(specs, list)
    both = [i for i, spec in enumerate(specs) if spec.get("total") and spec.get("duration")]
    if both:
        yield f"{spec_names(both)}: both total and duration are set; duration is ignored"


def _ignored_settings(profile: LoadProfile) -> Iterator[str]:
    # kperf's runner makes its clients once, out of the first spec (commands/runner/runner.go).
    first = profile.specs[0]
    specs_by_settings: dict[tuple[str, ...], list[int]] = {}
    for index, spec in enumerate(profile.specs):
        if settings := _different_settings(first, spec):
            specs_by_settings.setdefault(settings, []).append(index)
    for settings, specs in specs_by_settings.items():
        yield (
            f"{spec_names(specs)}: {', '.join(settings)}: "
            "kperf uses the first spec's values for all specs"
        )


def _different_settings(first: LoadProfileSpec, spec: LoadProfileSpec) -> tuple[str, ...]:
    settings = {
        "conns": (first.conns, spec.conns),
        "contentType": (first.content_type, spec.content_type),
        "disableHTTP2": (first.disable_http2, spec.disable_http2),
    }
    return tuple(name for name, (used, given) in settings.items() if used != given)


def _first_rate(profile: LoadProfile) -> Iterator[str]:
    first = profile.specs[0]
    held_back = [i for i, ceiling in enumerate(rate_ceilings(profile)) if ceiling is not None]
    if not held_back:
        return
    yield (
        f"{spec_names(held_back)}: kperf limits each connection to the first spec's rate "
        f"({first.rate:g}/s, {counted(first.conns, 'connection')}) and counts that wait as "
        "latency, so these latencies will not be the server's; "
        f"{_remedy(first, profile, held_back)}"
    )


def _remedy(first: LoadProfileSpec, profile: LoadProfile, held_back: Sequence[int]) -> str:
    specs = [profile.specs[index] for index in held_back]
    needed = connections_needed(first, specs)
    if needed is None or needed > MAX_CONNS:
        return "give them a runner of their own"
    fastest = max(spec.rate for spec in specs)
    reason = f"the fastest of them sends {fastest:g}/s"
    if any(spec.client < needed for spec in specs):
        return f"set specs[0].conns and their client to at least {needed} ({reason})"
    return f"set specs[0].conns to at least {needed} ({reason})"


def _early_ends(profile: LoadProfile) -> Iterator[str]:
    early = {
        index: seconds
        for index, spec in enumerate(profile.specs)
        if (seconds := ends_early_by(spec)) > spec.duration * _EARLY_SHARE
    }
    if early:
        worst = max(early, key=lambda index: early[index] / profile.specs[index].duration)
        spec = profile.specs[worst]
        yield (
            f"{spec_names(list(early))}: kperf ends a duration as soon as an idle client would "
            f"wait past its end, here up to {format_duration(early[worst])} of {spec.duration}s "
            f"early ({counted(spec.client, 'client')} at {spec.rate:g}/s); use fewer clients, or "
            "total instead of duration"
        )


def _few_clients(profile: LoadProfile) -> Iterator[str]:
    few = [
        index
        for index, spec in enumerate(profile.specs)
        if spec.rate and spec.client / spec.rate < _FASTEST_ANSWER_SECONDS
    ]
    if few:
        spec = min(
            (profile.specs[index] for index in few), key=lambda spec: spec.client / spec.rate
        )
        yield (
            f"{spec_names(few)}: {counted(spec.client, 'client')} can send {spec.rate:g}/s only if "
            f"each answer takes less than {milliseconds(spec.client / spec.rate)} ms, because a "
            "client waits for its answer; use more clients"
        )
