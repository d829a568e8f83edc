"""The kinds of requests that a kperf load profile can ask for, as strict models.

It must not know which release of kperf has which kind; that stands in `release_rules`.

The rules are those of api/types/load_traffic.go and request/random.go of Azure/kperf; where kperf
itself would accept a request and then panic or never succeed, the rule here is stricter and says
so. Field names are kperf's, in snake_case.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from mrunners.profiles.json_text import json_problem

__all__ = [
    "MAX_COUNT",
    "PatchType",
    "ProfileModel",
    "Request",
    "RequestGet",
    "RequestGetPodLog",
    "RequestKind",
    "RequestList",
    "RequestPatch",
    "RequestPostDel",
    "RequestPut",
    "RequestStaleList",
    "RequestWatchList",
    "problem_error",
]

# A Go int has 64 bits where kperf runs; 32 are plenty for any count and safe everywhere.
MAX_COUNT: Final = 2**31 - 1
# An object must fit into etcd's 1.5 MiB request; a ConfigMap into 1 MiB.
_MAX_PAYLOAD: Final = 2**20


class ProfileModel(BaseModel):
    """What all parts of a load profile have in common: frozen, strict, no unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )


class RequestKind(StrEnum):
    """The key of a request, as it stands in the profile."""

    STALE_LIST = "staleList"
    QUORUM_LIST = "quorumList"
    WATCH_LIST = "watchList"
    STALE_GET = "staleGet"
    QUORUM_GET = "quorumGet"
    PUT = "put"
    PATCH = "patch"
    GET_POD_LOG = "getPodLog"
    POST_DEL = "postDel"


class PatchType(StrEnum):
    """How the API server applies a patch's body."""

    JSON = "json"
    MERGE = "merge"
    STRATEGIC_MERGE = "strategic-merge"


def problem_error(text: str) -> PydanticCustomError:
    """An error whose message is shown to the user as it stands.

    Args:
        text: the end of a sentence that begins with the place.
    """
    # As a context value, so that braces in the text are not taken for a template.
    return PydanticCustomError("mrunners", "{text}", {"text": text})


def _check_word(text: str) -> str:
    # These become parts of a request's URL; kperf does not check them.
    if any(char.isspace() or not char.isprintable() for char in text):
        raise problem_error("must not contain blanks or control characters")
    return text


def _check_selector(text: str) -> str:
    if any(not char.isprintable() for char in text):
        raise problem_error("must not contain control characters")
    return text


def _check_json(text: str) -> str:
    if problem := json_problem(text):
        raise problem_error(problem)
    return text


_Word = Annotated[str, AfterValidator(_check_word)]
_RequiredWord = Annotated[str, Field(min_length=1), AfterValidator(_check_word)]
_Selector = Annotated[str, AfterValidator(_check_selector)]
_KeySpace = Annotated[int, Field(ge=1, le=MAX_COUNT)]


class _Resource(ProfileModel):
    """Which API resource is meant, as in its URL: group (empty for the core one), version, plural.

    `namespace` is empty for cluster-scoped resources and for lists over all namespaces.
    """

    group: _Word = ""
    version: _RequiredWord
    resource: _RequiredWord
    namespace: _Word = ""


class RequestList(_Resource):
    """LIST; `limit` is the page size, 0 for none, and only the first page is asked for."""

    limit: int = Field(default=0, ge=0, le=MAX_COUNT)
    selector: _Selector = ""
    field_selector: _Selector = ""

    @model_validator(mode="before")
    @classmethod
    def _drop_the_old_spelling(cls, value: object) -> object:
        # kperf up to 0.3.4 read `seletor`. Beside an equal `selector` it is what render_profile
        # writes; alone it is a mistake like any other unknown key.
        if not isinstance(value, Mapping) or "seletor" not in value:
            return value
        if value.get("selector") != value["seletor"]:
            return value
        return {key: item for key, item in value.items() if key != "seletor"}


def _check_no_limit(limit: int) -> int:
    if limit != 0:
        raise problem_error("must be 0 for staleList: the API server's cache ignores pages")
    return limit


class RequestStaleList(RequestList):
    """LIST from the API server's cache (resourceVersion 0), which cannot give pages."""

    # https://github.com/kubernetes/kubernetes/issues/108003
    limit: Annotated[int, AfterValidator(_check_no_limit)] = 0


class RequestWatchList(_Resource):
    """A streaming LIST: a watch with sendInitialEvents, until the bookmark comes."""

    selector: _Selector = ""
    field_selector: _Selector = ""


class RequestGet(_Resource):
    """GET of one object."""

    name: _RequiredWord


class RequestPut(ProfileModel):
    """PUT of a ConfigMap `<name>-<0 … keySpaceSize-1>`, which must exist already.

    `payload_size` is in bytes.
    """

    group: Literal["", "core"] = ""
    version: Literal["v1"]
    resource: Literal["configmaps"]
    # kperf builds the URL with a namespace in any case.
    namespace: _RequiredWord
    name: _RequiredWord
    key_space_size: _KeySpace
    payload_size: int = Field(ge=1, le=_MAX_PAYLOAD)


class RequestPatch(_Resource):
    """PATCH of an object `<name>-<0 … keySpaceSize-1>`."""

    name: _RequiredWord
    # kperf accepts 0 and then panics in crypto/rand.
    key_space_size: _KeySpace
    patch_type: Annotated[PatchType, Field(strict=False)]
    body: Annotated[str, Field(min_length=1), AfterValidator(_check_json)]


class RequestGetPodLog(ProfileModel):
    """GET of a pod's log; `limit_bytes` and `tail_lines` as in `kubectl logs`."""

    namespace: _RequiredWord
    name: _RequiredWord
    container: _Word = ""
    # The API server refuses a negative tail and a limit below 1 (ValidatePodLogOptions).
    tail_lines: int | None = Field(default=None, ge=0, le=MAX_COUNT)
    limit_bytes: int | None = Field(default=None, ge=1, le=MAX_COUNT)


class RequestPostDel(ProfileModel):
    """POST of new pods, and DELETE of some of these again; `payload_size` is in bytes."""

    # kperf has a template for pods alone: 0.3.5 sends an empty body for others, later it panics.
    group: Literal[""] = ""
    version: Literal["v1"]
    resource: Literal["pods"]
    namespace: _RequiredWord
    # Deleting more than is created cannot go on.
    delete_ratio: float = Field(default=0.0, ge=0, le=0.5)
    payload_size: int = Field(default=0, ge=0, le=_MAX_PAYLOAD)


Request = (
    RequestList
    | RequestWatchList
    | RequestGet
    | RequestPut
    | RequestPatch
    | RequestGetPodLog
    | RequestPostDel
)
