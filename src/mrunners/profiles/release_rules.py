"""Says what in a load profile a release of kperf would ignore or refuse.

It must not guess: for an unknown release it says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from mrunners.profiles.images import LATEST_KNOWN_RELEASE, KperfRelease
from mrunners.profiles.profile import ContentType, LoadProfile, LoadProfileSpec, WeightedRequest
from mrunners.profiles.requests import RequestKind, RequestList, RequestPostDel

__all__ = ["release_problems"]

# The first release that has it, or None for what only kperf's main branch has. Read in
# api/types/load_traffic.go and request/random.go of each tag from v0.0.1 to v0.3.5; every release
# silently ignores keys that it does not know.
_Since = KperfRelease | None

_SEVERAL_SPECS: Final = KperfRelease(0, 3, 5)

_KINDS: Final[dict[RequestKind, _Since]] = {
    RequestKind.STALE_LIST: KperfRelease(0, 0, 1),
    RequestKind.QUORUM_LIST: KperfRelease(0, 0, 1),
    RequestKind.STALE_GET: KperfRelease(0, 0, 1),
    RequestKind.QUORUM_GET: KperfRelease(0, 0, 1),
    RequestKind.GET_POD_LOG: KperfRelease(0, 0, 6),
    RequestKind.WATCH_LIST: KperfRelease(0, 3, 0),
    RequestKind.PATCH: KperfRelease(0, 3, 5),
    RequestKind.POST_DEL: KperfRelease(0, 3, 5),
    RequestKind.PUT: None,
}

_SPEC_FIELDS: Final[dict[str, tuple[_Since, Callable[[LoadProfileSpec], bool]]]] = {
    "rate": (KperfRelease(0, 0, 2), lambda spec: not spec.rate.is_integer()),
    "duration": (KperfRelease(0, 3, 3), lambda spec: spec.duration > 0),
    # Before, there were as many clients as connections.
    "client": (KperfRelease(0, 0, 2), lambda spec: spec.client != spec.conns),
    "contentType": (KperfRelease(0, 0, 2), lambda spec: spec.content_type != ContentType.JSON),
    "disableHTTP2": (KperfRelease(0, 0, 2), lambda spec: spec.disable_http2),
    "maxRetries": (KperfRelease(0, 0, 2), lambda spec: spec.max_retries > 0),
}

_REQUEST_FIELDS: Final[dict[str, tuple[_Since, Callable[[object], bool]]]] = {
    "fieldSelector": (
        KperfRelease(0, 0, 9),
        lambda request: isinstance(request, RequestList) and bool(request.field_selector),
    ),
    "payloadSize": (
        None,
        lambda request: isinstance(request, RequestPostDel) and request.payload_size > 0,
    ),
}


def release_problems(profile: LoadProfile, release: KperfRelease | None) -> list[str]:
    """What a release would not do as the profile says.

    Args:
        profile: a good one.
        release: of the image; None when it is unknown.
    Returns: one line per mistake, with its place; empty when it is unknown.
    """
    if release is None:
        return []
    return [
        f"{place}: needs {_name(since)}, the image is {release}"
        for place, since in _needs(profile)
        if not _has(release, since)
    ]


def _needs(profile: LoadProfile) -> Iterator[tuple[str, _Since]]:
    if len(profile.specs) > 1:
        yield "specs with several entries", _SEVERAL_SPECS
    for index, spec in enumerate(profile.specs):
        for name, (since, uses) in _SPEC_FIELDS.items():
            if uses(spec):
                yield f"specs[{index}].{name}", since
        for number, entry in enumerate(spec.requests):
            yield from _request_needs(f"specs[{index}].requests[{number}]", entry)


def _request_needs(place: str, entry: WeightedRequest) -> Iterator[tuple[str, _Since]]:
    place = f"{place}.{entry.kind}"
    yield place, _KINDS[entry.kind]
    for name, (since, uses) in _REQUEST_FIELDS.items():
        if uses(entry.request):
            yield f"{place}.{name}", since


def _has(release: KperfRelease, since: _Since) -> bool:
    return release > LATEST_KNOWN_RELEASE if since is None else release >= since


def _name(since: _Since) -> str:
    if since is None:
        return f"a kperf release later than {LATEST_KNOWN_RELEASE}"
    return f"kperf {since} or later"
