"""Reads a load profile out of YAML and tells all of its mistakes together.

It must not fetch the text nor know the image; a wrong profile is refused whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from pydantic import BaseModel, ValidationError

from mrunners.errors import InvalidInputError
from mrunners.profiles.problems import (
    Place,
    Problem,
    explain,
    in_document_order,
    render_problems,
    rule_problems,
)
from mrunners.profiles.profile import LoadProfile, LoadProfileSpec, WeightedRequest
from mrunners.profiles.requests import (
    ProfileModel,
    RequestGet,
    RequestGetPodLog,
    RequestKind,
    RequestList,
    RequestPatch,
    RequestPostDel,
    RequestPut,
    RequestWatchList,
)
from mrunners.profiles.yaml_strict import load_yaml

__all__ = ["ParsedProfile", "parse_profile", "profile_warnings"]

_MODEL_OF_KIND: Final[dict[str, type[ProfileModel]]] = {
    RequestKind.STALE_LIST: RequestList,
    RequestKind.QUORUM_LIST: RequestList,
    RequestKind.WATCH_LIST: RequestWatchList,
    RequestKind.STALE_GET: RequestGet,
    RequestKind.QUORUM_GET: RequestGet,
    RequestKind.PUT: RequestPut,
    RequestKind.PATCH: RequestPatch,
    RequestKind.GET_POD_LOG: RequestGetPodLog,
    RequestKind.POST_DEL: RequestPostDel,
}


class ParsedProfile(NamedTuple):
    """A good profile, and what its author should still know."""

    profile: LoadProfile
    warnings: tuple[str, ...]


def parse_profile(text: bytes | str, *, what: str = "the load profile") -> ParsedProfile:
    """Read a load profile.

    Args:
        text: YAML with `spec` or `specs`, or both when they say the same.
        what: what to call the whole of it in messages.
    Returns: the profile with all defaults filled in, and warnings, one line each.
    Raises: InvalidInputError: one line per mistake, in the order of the text, each with its place,
        such as `specs[0].requests[2].staleList.limit: must be 0 for staleList`.
    """
    document = load_yaml(text, what=what)
    if not isinstance(document, dict):
        raise InvalidInputError(f"{what} must be a mapping with 'version' and 'specs'")
    if "loadProfile" in document:
        raise InvalidInputError(
            f"{what} is a kperf runner group; take what stands under its 'loadProfile'"
        )
    single = "spec" in document and "specs" not in document
    wrapped = {
        ("specs" if single and key == "spec" else key): ([value] if key == "spec" else value)
        for key, value in document.items()
        if single or key != "spec"
    }
    profile, problems = _validate(wrapped)
    if "spec" in document and not single and not problems:
        problems = _compare(document["spec"], profile)
    if problems or profile is None:
        ordered = in_document_order(problems, wrapped)
        raise InvalidInputError(render_problems(ordered, single_spec=single))
    return ParsedProfile(profile, tuple(profile_warnings(wrapped, profile)))


def _validate(document: dict[str, object]) -> tuple[LoadProfile | None, list[Problem]]:
    profile: LoadProfile | None = None
    problems: list[Problem] = []
    try:
        # Aliases only: kperf would not understand `content_type`.
        profile = LoadProfile.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        problems = explain(error, _known_keys)
    # Once more by hand: pydantic skips a model's own rules where one of its fields is wrong.
    return profile, list(dict.fromkeys([*problems, *rule_problems(document)]))


def _compare(spec: object, profile: LoadProfile | None) -> list[Problem]:
    # Both keys are what a file needs that kperf 0.3.4 and 0.3.5 are to understand alike.
    alone, problems = _validate({"version": 1, "specs": [spec]})
    if not problems and alone is not None and profile is not None and alone.specs == profile.specs:
        return []
    text = "says something else than 'specs'; give one of them, or both with the same single spec"
    return [Problem(("spec",), text)]


def _known_keys(place: Place) -> Iterable[str]:
    models: list[type[BaseModel]] = [LoadProfile, LoadProfileSpec, WeightedRequest]
    names = [part for part in place if isinstance(part, str)]
    model = models[len(names)] if len(names) < len(models) else _MODEL_OF_KIND[names[2]]
    known = [field.alias or name for name, field in model.model_fields.items()]
    return [*known, "spec"] if model is LoadProfile else known


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
