"""Says what a good load profile will do otherwise than its author may think.

It must not refuse anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mrunners.profiles.profile import LoadProfile, LoadProfileSpec

__all__ = ["profile_warnings"]


def profile_warnings(document: Mapping[str, object], profile: LoadProfile) -> Iterator[str]:
    """What the author of a profile should know.

    Args:
        document: the profile as loaded from YAML, with `specs`.
        profile: the same, read.
    Returns: one line each, with its place.
    """
    given = document["specs"]
    first = profile.specs[0]
    for index, spec in enumerate(profile.specs):
        place = f"specs[{index}]"
        if isinstance(given, list) and given[index].get("total") and given[index].get("duration"):
            yield f"{place}: both total and duration are set; duration is ignored"
        # kperf's runner makes its clients once, out of the first spec (commands/runner/runner.go).
        if ignored := _settings_of_the_first_spec(first, spec):
            yield f"{place}: {', '.join(ignored)}: kperf takes the first spec's for all specs"
        if first.rate > 0 and (spec.rate == 0 or spec.rate > first.rate * first.conns):
            yield (
                f"{place}.rate: kperf also holds each connection to the first spec's rate, "
                "and the wait would count as latency; put the fastest spec first"
            )


def _settings_of_the_first_spec(first: LoadProfileSpec, spec: LoadProfileSpec) -> list[str]:
    pairs = {
        "conns": (first.conns, spec.conns),
        "contentType": (first.content_type, spec.content_type),
        "disableHTTP2": (first.disable_http2, spec.disable_http2),
    }
    return [name for name, (one, other) in pairs.items() if one != other]
