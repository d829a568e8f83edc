"""What a kperf release needs to run a load profile as it is written.

Every release silently ignores keys that it does not know. Nothing is reported for an unknown
release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from mrunners.profiles.images import LATEST_KNOWN_RELEASE, KperfRelease
from mrunners.profiles.profile import ContentType, LoadProfile, LoadProfileSpec, WeightedRequest
from mrunners.profiles.requests import (
    RequestGet,
    RequestKind,
    RequestList,
    RequestPostDel,
)
from mrunners.text import listed

__all__ = ["release_problems"]

# The first release with a feature; None when only kperf's main branch has it. From
# api/types/load_traffic.go and request/random.go of each tag from v0.0.1 to v0.3.5.
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
    # Earlier releases have as many clients as connections.
    "client": (KperfRelease(0, 0, 2), lambda spec: spec.client != spec.conns),
    "contentType": (KperfRelease(0, 0, 2), lambda spec: spec.content_type != ContentType.JSON),
    "disableHTTP2": (KperfRelease(0, 0, 2), lambda spec: spec.disable_http2),
    "maxRetries": (KperfRelease(0, 0, 2), lambda spec: spec.max_retries > 0),
}

_REQUEST_FIELDS: Final[dict[str, tuple[_Since, Callable[[object], bool]]]] = {
    # Earlier releases request /apis/v1/… and get 404 for each.
    "group": (
        KperfRelease(0, 2, 0),
        lambda request: isinstance(request, RequestList | RequestGet) and bool(request.group),
    ),
    "fieldSelector": (
        KperfRelease(0, 0, 9),
        lambda request: isinstance(request, RequestList) and bool(request.field_selector),
    ),
    "payloadSize": (
        None,
        lambda request: isinstance(request, RequestPostDel) and request.payload_size > 0,
    ),
}

# 0.2.0 lost the namespace of a GET, which then asks for /api/v1/configmaps/NAME and gets 404;
# 0.3.5 has it again.
_NAMESPACE_OF_GET_LOST: Final = KperfRelease(0, 2, 0)
_NAMESPACE_OF_GET_FOUND: Final = KperfRelease(0, 3, 5)


def release_problems(profile: LoadProfile, release: KperfRelease | None) -> list[str]:
    """Return which parts of a profile a release would ignore or refuse.

    Args:
        profile: The load profile.
        release: Of the image; None when it is unknown.

    Returns:
        One line per kind of part, with the path of the first such field and the number of the
        others; empty when the release is unknown.
    """
    if release is None:
        return []
    # A profile has thousands of requests, and one line says what all of a kind need.
    paths: dict[tuple[str, _Since], list[str]] = {}
    for path, field, since in _needs(profile, release):
        if not _is_included(since, release):
            paths.setdefault((field, since), []).append(f"{path}{field}")
    return [
        f"{listed(alike, 1)}: needs {_show_since(since)}, but the image is kperf {release}"
        for (_, since), alike in paths.items()
    ]


def _needs(profile: LoadProfile, release: KperfRelease) -> Iterator[tuple[str, str, _Since]]:
    """Yield the path to each field that needs a release, the field, and the release."""
    if len(profile.specs) > 1:
        yield "", "specs with several entries", _SEVERAL_SPECS
    for spec_index, spec in enumerate(profile.specs):
        for name, (since, uses) in _SPEC_FIELDS.items():
            if uses(spec):
                yield f"specs[{spec_index}].", name, since
        for index, entry in enumerate(spec.requests):
            for field, since in _request_needs(entry, release):
                yield f"specs[{spec_index}].requests[{index}].", field, since


def _request_needs(entry: WeightedRequest, release: KperfRelease) -> Iterator[tuple[str, _Since]]:
    kind = entry.kind
    yield kind, _KINDS[kind]
    for name, (since, uses) in _REQUEST_FIELDS.items():
        if uses(entry.request):
            yield f"{kind}.{name}", since
    if (
        isinstance(entry.request, RequestGet)
        and entry.request.namespace
        and release >= _NAMESPACE_OF_GET_LOST
    ):
        yield f"{kind}.namespace", _NAMESPACE_OF_GET_FOUND


def _is_included(since: _Since, release: KperfRelease) -> bool:
    return release > LATEST_KNOWN_RELEASE if since is None else release >= since


def _show_since(since: _Since) -> str:
    if since is None:
        return f"a kperf release later than {LATEST_KNOWN_RELEASE}"
    return f"kperf {since} or later"
