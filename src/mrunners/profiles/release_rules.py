"""What a kperf release needs to run a load profile as it is written.

Every release silently ignores keys that it does not know, and some lose what they know. Nothing is
reported for an unknown release; one that is newer than the newest known counts as having all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from mrunners.profiles.images import LATEST_KNOWN_RELEASE, KperfRelease
from mrunners.profiles.overrides import ProfileOverrides
from mrunners.profiles.profile import ContentType, LoadProfile, LoadProfileSpec, WeightedRequest
from mrunners.profiles.requests import (
    RequestGet,
    RequestKind,
    RequestList,
    RequestPostDel,
    RequestWatchList,
)
from mrunners.text import listed

__all__ = ["RELEASE_FACTS", "ReleaseFact", "override_problems", "release_problems"]

Part = TypeVar("Part", LoadProfile, LoadProfileSpec, WeightedRequest)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFact(Generic[Part]):
    """A part of load profiles that some releases do not run.

    Attributes:
        part: As messages name it; of a request, without its kind.
        since: The first release that runs it; None when only kperf's main branch does.
        lost_in: The release that lost it until `since`, where earlier ones ran it.
        otherwise: What the other releases do.
        source: The file of Azure/kperf in which the release differs from the one before.
        uses: Whether a profile, a spec or a request has the part.
    """

    part: str
    since: KperfRelease | None
    lost_in: KperfRelease | None = None
    otherwise: str
    source: str
    uses: Callable[[Part], bool]

    def holds_in(self, release: KperfRelease) -> bool:
        """Whether a release runs the part."""
        if self.lost_in is not None and release < self.lost_in:
            return True
        return release > LATEST_KNOWN_RELEASE if self.since is None else release >= self.since

    @property
    def needed(self) -> str:
        """What to use, such as `kperf 0.3.5 or later`."""
        if self.since is None:
            return f"a kperf release later than {LATEST_KNOWN_RELEASE}"
        return f"kperf {self.since} or later"


_TYPES: Final = "api/types/load_traffic.go"
_BUILDERS: Final = "request/random.go"
_COMMAND: Final = "cmd/kperf/commands/runner/runner.go"
_IGNORED: Final = "ignore it"
_REFUSED: Final = "exit with an error"
_NOT_FOUND: Final = "request another path, and get 404 for each"

_OF_PROFILES: Final[tuple[ReleaseFact[LoadProfile], ...]] = (
    ReleaseFact(
        part="specs with several entries",
        since=KperfRelease(0, 3, 5),
        otherwise="read `spec` alone",
        source=_TYPES,
        uses=lambda profile: len(profile.specs) > 1,
    ),
)

_OF_SPECS: Final[tuple[ReleaseFact[LoadProfileSpec], ...]] = (
    ReleaseFact(
        part="rate",
        since=KperfRelease(0, 0, 2),
        otherwise="refuse a fraction",
        source=_TYPES,
        uses=lambda spec: not spec.rate.is_integer(),
    ),
    ReleaseFact(
        part="duration",
        since=KperfRelease(0, 3, 3),
        otherwise=_IGNORED,
        source=_TYPES,
        uses=lambda spec: spec.duration > 0,
    ),
    ReleaseFact(
        part="client",
        since=KperfRelease(0, 0, 2),
        otherwise="have as many clients as connections",
        source=_TYPES,
        uses=lambda spec: spec.client != spec.conns,
    ),
    ReleaseFact(
        part="contentType",
        since=KperfRelease(0, 0, 2),
        otherwise=_IGNORED,
        source=_TYPES,
        uses=lambda spec: spec.content_type != ContentType.JSON,
    ),
    ReleaseFact(
        part="disableHTTP2",
        since=KperfRelease(0, 0, 2),
        otherwise=_IGNORED,
        source=_TYPES,
        uses=lambda spec: spec.disable_http2,
    ),
    ReleaseFact(
        part="maxRetries",
        since=KperfRelease(0, 0, 2),
        otherwise=_IGNORED,
        source=_TYPES,
        uses=lambda spec: spec.max_retries > 0,
    ),
)


def _kind(
    kind: RequestKind, since: KperfRelease | None, source: str = _TYPES
) -> ReleaseFact[WeightedRequest]:
    return ReleaseFact(
        part=kind,
        since=since,
        otherwise=_REFUSED,
        source=source,
        uses=lambda entry: entry.kind is kind,
    )


_KINDS: Final = (
    _kind(RequestKind.GET_POD_LOG, KperfRelease(0, 0, 6)),
    _kind(RequestKind.WATCH_LIST, KperfRelease(0, 3, 0)),
    _kind(RequestKind.PATCH, KperfRelease(0, 3, 5)),
    _kind(RequestKind.POST_DEL, KperfRelease(0, 3, 5)),
    # Its fields are known from the beginning, and no release sends it.
    _kind(RequestKind.PUT, None, _BUILDERS),
)


def _is_custom(group: str) -> bool:
    """Whether no API of Kubernetes itself can be in a group; those are in groups of k8s.io."""
    return "." in group and not group.endswith(".k8s.io")


_FIELDS: Final[tuple[ReleaseFact[WeightedRequest], ...]] = (
    ReleaseFact(
        part="group",
        since=KperfRelease(0, 2, 0),
        otherwise=_NOT_FOUND,
        source=_BUILDERS,
        uses=lambda entry: (
            isinstance(entry.request, RequestList | RequestGet) and bool(entry.request.group)
        ),
    ),
    ReleaseFact(
        part="group of custom resources",
        since=KperfRelease(0, 3, 2),
        otherwise="fail each watchList, for they decode built-in kinds only",
        source="request/client.go",
        uses=lambda entry: (
            isinstance(entry.request, RequestWatchList) and _is_custom(entry.request.group)
        ),
    ),
    ReleaseFact(
        part="fieldSelector",
        since=KperfRelease(0, 0, 9),
        otherwise=_IGNORED,
        source=_TYPES,
        uses=lambda entry: (
            isinstance(entry.request, RequestList) and bool(entry.request.field_selector)
        ),
    ),
    ReleaseFact(
        part="payloadSize",
        since=None,
        otherwise=_IGNORED,
        source=_TYPES,
        uses=lambda entry: (
            isinstance(entry.request, RequestPostDel) and entry.request.payload_size > 0
        ),
    ),
    ReleaseFact(
        part="namespace",
        since=KperfRelease(0, 3, 5),
        lost_in=KperfRelease(0, 2, 0),
        otherwise=_NOT_FOUND,
        source=_BUILDERS,
        uses=lambda entry: isinstance(entry.request, RequestGet) and bool(entry.request.namespace),
    ),
)

RELEASE_FACTS: Final[tuple[ReleaseFact[Any], ...]] = (*_OF_PROFILES, *_OF_SPECS, *_KINDS, *_FIELDS)
"""All that differs between the releases for a valid profile, from v0.0.1 to the newest known."""


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
    paths: dict[tuple[str, str], list[str]] = {}
    for place, part, needed in _needs(profile, release):
        paths.setdefault((part, needed), []).append(f"{place}{part}")
    return [
        f"{listed(alike, 1)}: needs {needed}, but the image is kperf {release}"
        for (_, needed), alike in paths.items()
    ]


def override_problems(
    overrides: ProfileOverrides, release: KperfRelease | None
) -> Iterator[tuple[str, str]]:
    """Yield what a run sets over its load profiles that a release would ignore or refuse.

    Args:
        overrides: Of the run.
        release: Of the image; None when it is unknown.

    Yields:
        The field, and the end of a sentence that begins with it.
    """
    values = overrides.model_dump(exclude_none=True)
    spec = LoadProfileSpec.model_construct(**values)
    for fact in _OF_SPECS:
        if release is None or fact.part not in values or fact.holds_in(release):
            continue
        if fact.uses(spec):
            yield fact.part, f"needs {fact.needed}, but the image is kperf {release}"


def _needs(profile: LoadProfile, release: KperfRelease) -> Iterator[tuple[str, str, str]]:
    """Yield where a part is that a release does not run, its name, and what it needs."""
    of_profiles = [fact for fact in _OF_PROFILES if not fact.holds_in(release)]
    of_specs = [fact for fact in _OF_SPECS if not fact.holds_in(release)]
    kinds = [fact for fact in _KINDS if not fact.holds_in(release)]
    fields = [fact for fact in _FIELDS if not fact.holds_in(release)]
    for fact in of_profiles:
        if fact.uses(profile):
            yield "", fact.part, fact.needed
    for spec_index, spec in enumerate(profile.specs):
        place = f"specs[{spec_index}]."
        for of_spec in of_specs:
            if of_spec.uses(spec):
                yield place, of_spec.part, of_spec.needed
        for index, entry in enumerate(spec.requests):
            for kind in kinds:
                if kind.uses(entry):
                    yield f"{place}requests[{index}].", kind.part, kind.needed
            for field in fields:
                if field.uses(entry):
                    yield f"{place}requests[{index}].", f"{entry.kind}.{field.part}", field.needed
