"""Parses load profiles and runner groups, and warns where kperf does something unexpected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from pydantic import BaseModel, ValidationError

from mrunners.errors import InvalidInputError
from mrunners.profiles.overrides import NO_OVERRIDES, ProfileOverrides, overridden
from mrunners.profiles.problems import (
    FieldPath,
    Problem,
    in_document_order,
    render_problems,
    rule_problems,
    validation_problems,
)
from mrunners.profiles.profile import LoadProfile, LoadProfileSpec, WeightedRequest
from mrunners.profiles.profile_warnings import profile_warnings
from mrunners.profiles.rendering import LEAST_REQUEST_BYTES, rendered_size_problem
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
from mrunners.profiles.runner_groups import GROUP_KEYS, RunnerGroup, split_group
from mrunners.profiles.yaml_strict import load_documents

__all__ = ["ParsedDocument", "parse_documents"]

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


def _keys_of(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items())


_TOP_KEYS: Final = _keys_of(LoadProfile) | {"spec"}
_PARTS: Final[list[type[BaseModel]]] = [
    LoadProfileSpec,
    WeightedRequest,
    *_MODEL_OF_KIND.values(),
]
_KEYS: Final = _TOP_KEYS.union(*(_keys_of(part) for part in _PARTS))


# Every object of Kubernetes has both, and so has a kubeconfig.
_MANIFEST_KEYS: Final = frozenset({"apiVersion", "kind"})
# A word like `spec` or `version` is in many files; no other file has a list of these.
_ENTRY_KEYS: Final = frozenset({*_MODEL_OF_KIND, "shares"})

# Of branches of kperf that were never released.
_MODE_KEYS: Final = frozenset({"mode", "modeConfig"})
_REPLAY_KEYS: Final = frozenset({"runnerCount", "connsPerRunner", "clientsPerRunner"})


class ParsedDocument(NamedTuple):
    """A valid profile of one document.

    Attributes:
        profile: With all defaults filled in.
        warnings: What its author should know, one line each.
        group: The runner group that it was in, if any.
    """

    profile: LoadProfile
    warnings: tuple[str, ...]
    group: RunnerGroup | None = None


def parse_documents(
    text: bytes | str, overrides: ProfileOverrides = NO_OVERRIDES
) -> tuple[ParsedDocument, ...]:
    """Parse load profiles and runner groups, one in each YAML document.

    Args:
        text: YAML of at least one document.
        overrides: What replaces values of each profile.

    Returns:
        In the order of the documents; at least one.

    Raises:
        InvalidInputError: One line per error, in the order of the text, each with its field's path,
            such as `specs[0].requests[2].staleList.limit: must be 0 for staleList`, and behind
            `loadProfile: ` and `document 2 of 3: ` where there are such.
    """
    documents = load_documents(text, what="the load profile", known_keys=_KEYS | GROUP_KEYS)
    parsed: list[ParsedDocument] = []
    problems: list[str] = []
    for number, document in enumerate(documents, start=1):
        place = f"document {number} of {len(documents)}: " if len(documents) > 1 else ""
        try:
            parsed.append(_parse_document(document, overrides))
        except InvalidInputError as error:
            problems += [f"{place}{problem}" for problem in error.problems]
    if problems:
        raise InvalidInputError(problems)
    return tuple(parsed)


def _parse_document(document: object, overrides: ProfileOverrides) -> ParsedDocument:
    content, group = split_group(document)
    try:
        profile, warnings = _parse_profile(content, overrides)
    except InvalidInputError as error:
        if group is None:
            raise
        raise InvalidInputError(f"loadProfile: {problem}" for problem in error.problems) from None
    if group is not None and group.owner_reference is not None:
        warnings = (*warnings, "ownerReference: is ignored; the tracker owns the Jobs")
    return ParsedDocument(profile, warnings, group)


def _parse_profile(
    document: object, overrides: ProfileOverrides
) -> tuple[LoadProfile, tuple[str, ...]]:
    """Return the profile of a document with `spec` or `specs`, or both when equal; and warnings."""
    if not isinstance(document, dict):
        raise InvalidInputError("the load profile must be a mapping with 'version' and 'specs'")
    if document.keys() >= _MANIFEST_KEYS:
        raise InvalidInputError(
            "this is a Kubernetes manifest, not a load profile; name a ConfigMap as "
            "configmap:///NAMESPACE/NAME"
        )
    if unreleased := _unreleased(document):
        raise InvalidInputError(f"{unreleased}, which no kperf release runs (up to 0.3.5)")
    if not _TOP_KEYS & document.keys():
        raise InvalidInputError(
            f"this is not a load profile: it has none of its keys ({', '.join(sorted(_TOP_KEYS))})"
        )
    single_spec = "spec" in document and "specs" not in document
    # A lone `spec` becomes `specs`, in its place; beside `specs` it is compared below.
    with_specs = {
        ("specs" if single_spec and key == "spec" else key): ([value] if key == "spec" else value)
        for key, value in document.items()
        if single_spec or key != "spec"
    }
    if problem := rendered_size_problem(_least_size(with_specs), at_least=True):
        raise InvalidInputError(problem)
    profile, problems = _validate(with_specs)
    if "spec" in document and not single_spec and not problems:
        problems = _spec_problems(document["spec"], profile)
    if overrides != NO_OVERRIDES and not problems:
        with_specs = overridden(with_specs, overrides)
        profile, problems = _validate(with_specs)
    if problems or profile is None:
        ordered = in_document_order(problems, with_specs)
        raise InvalidInputError(render_problems(ordered, single_spec=single_spec))
    return profile, profile_warnings(with_specs, profile)


def _unreleased(document: Mapping[str, object]) -> str:
    """Return what a profile of a branch of kperf is, if it is one: without it, it is no profile."""
    specs = document.get("specs")
    for spec in (document.get("spec"), *(specs if isinstance(specs, list) else ())):
        if isinstance(spec, Mapping):
            if _MODE_KEYS & spec.keys():
                return "the load profile has request modes (mode, modeConfig)"
            if _REPLAY_KEYS & spec.keys():
                return "the load profile replays recorded requests (runnerCount, connsPerRunner)"
    return ""


def _validate(document: dict[str, object]) -> tuple[LoadProfile | None, list[Problem]]:
    profile: LoadProfile | None = None
    problems: list[Problem] = []
    try:
        # Aliases only: kperf would not understand `content_type`.
        profile = LoadProfile.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        shown = _looks_like_a_profile(document)
        problems = validation_problems(error, _known_keys, show_contents=shown)
    # Again by hand: pydantic skips a model's own rules where one of its fields is invalid.
    return profile, list(dict.fromkeys([*problems, *rule_problems(document)]))


def _looks_like_a_profile(document: Mapping[str, object]) -> bool:
    """Whether messages may show what is in a file: it has a request, or what is meant as one."""
    return not _MANIFEST_KEYS & document.keys() and any(
        isinstance(entry, Mapping) and _ENTRY_KEYS & entry.keys()
        for requests in _request_lists(document)
        for entry in requests
    )


def _spec_problems(spec: object, profile: LoadProfile | None) -> list[Problem]:
    # A profile that kperf 0.3.4 and 0.3.5 read alike has both keys, so both are allowed.
    alone, problems = _validate({"version": 1, "specs": [spec]})
    if not problems and alone is not None and profile is not None and alone.specs == profile.specs:
        return []
    text = "differs from 'specs'; give one of them, or the same single spec in both"
    return [Problem(("spec",), text)]


def _least_size(document: Mapping[str, object]) -> int:
    """Return what the requests of a profile take at least as rendered, valid or not."""
    specs = document.get("specs")
    copies = 2 if isinstance(specs, list) and len(specs) == 1 else 1  # `spec` and `specs`
    return copies * LEAST_REQUEST_BYTES * sum(map(len, _request_lists(document)))


def _request_lists(document: Mapping[str, object]) -> list[list[object]]:
    """Return the `requests` of all specs that have such a list."""
    specs = document.get("specs")
    return [
        spec["requests"]
        for spec in (specs if isinstance(specs, list) else ())
        if isinstance(spec, Mapping) and isinstance(spec.get("requests"), list)
    ]


def _known_keys(path: FieldPath) -> Iterable[str]:
    models: list[type[BaseModel]] = [LoadProfile, LoadProfileSpec, WeightedRequest]
    keys = [part for part in path if isinstance(part, str)]
    model = models[len(keys)] if len(keys) < len(models) else _MODEL_OF_KIND[keys[2]]
    return _TOP_KEYS if model is LoadProfile else _keys_of(model)
