"""kperf's runner groups: a load profile, how many runners have it, and where they run.

The fields are those of api/types/runner_group.go of Azure/kperf. `kperf runnergroup run` takes them
at the top of a file; kperf's server has them under `spec`, beside a `name`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, Field, ValidationError

from mrunners.errors import InvalidInputError
from mrunners.names import dns_subdomain_problem, label_key_problem, label_value_problem
from mrunners.profiles.problems import FieldPath, render_problems, validation_problems
from mrunners.profiles.requests import ProfileModel, problem_error
from mrunners.profiles.uri_query import MAX_PODS

__all__ = ["GROUP_KEYS", "GroupedProfile", "RunnerGroup", "split_group"]

_PROFILE: Final = "loadProfile"
# Around the group, as kperf's server has it.
_WRAPPER_KEYS: Final = frozenset({"name", "spec", "status"})


def _checked_name(name: str) -> str:
    if problem := dns_subdomain_problem(name):
        raise problem_error(problem)
    return name


def _checked_affinity(
    affinity: Mapping[str, tuple[str, ...]],
) -> Mapping[str, tuple[str, ...]]:
    for key, values in affinity.items():
        if problem := label_key_problem(key):
            raise problem_error(problem)
        if not values:
            raise problem_error("needs at least one value for each label")
        for value in values:
            if problem := label_value_problem(value):
                raise problem_error(problem)
    return affinity


class RunnerGroup(ProfileModel):
    """What a runner group says beside its load profile.

    Attributes:
        count: Number of runners, here of pods; None when it is left out.
        node_affinity: A pod runs only on nodes that have, for each label, one of its values.
        service_account: The pods' ServiceAccount; None when it is left out.
        owner_reference: Of kperf's own objects; here the tracker owns the Jobs.
    """

    count: int | None = Field(default=None, ge=1, le=MAX_PODS)
    node_affinity: Annotated[
        dict[str, Annotated[tuple[str, ...], Field(strict=False)]],
        AfterValidator(_checked_affinity),
    ] = Field(default_factory=dict)
    service_account: Annotated[str, AfterValidator(_checked_name)] | None = None
    owner_reference: str | None = None


_FIELDS: Final = frozenset(field.alias or name for name, field in RunnerGroup.model_fields.items())
GROUP_KEYS: Final = _FIELDS | _WRAPPER_KEYS | {_PROFILE}
"""The keys that messages about a runner group may name."""


class GroupedProfile(NamedTuple):
    """The document of a load profile, and the group that it was in, if any."""

    profile: object
    group: RunnerGroup | None


def split_group(document: object) -> GroupedProfile:
    """Return the load profile of a document, and the runner group around it.

    Args:
        document: From YAML; anything that is no runner group is returned as it is.

    Raises:
        InvalidInputError: One line per problem of the group.
    """
    fields, place = _group_fields(document)
    if fields is None:
        return GroupedProfile(document, None)
    try:
        group = RunnerGroup.model_validate(
            {key: value for key, value in fields.items() if key != _PROFILE},
            by_alias=True,
            by_name=False,
        )
    except ValidationError as error:
        problems = validation_problems(error, _known_keys, show_contents=True)
        lines = render_problems(problems, single_spec=False)
        raise InvalidInputError(f"{place}{line}" for line in lines) from None
    return GroupedProfile(fields[_PROFILE], group)


def _group_fields(document: object) -> tuple[Mapping[str, object] | None, str]:
    """Return the mapping that has the group's fields, and where it is; None without a group."""
    if not isinstance(document, Mapping):
        return None, ""
    if _PROFILE in document:
        return document, ""
    inner = document.get("spec")
    if isinstance(inner, Mapping) and _PROFILE in inner and document.keys() <= _WRAPPER_KEYS:
        return inner, "spec."
    return None, ""


def _known_keys(path: FieldPath) -> Iterable[str]:
    return () if path else sorted(_FIELDS | {_PROFILE})
