"""Strict models of the requests in a load profile.

The rules are those of api/types/load_traffic.go and request/random.go of Azure/kperf. Where kperf
would accept a request and then panic or never succeed, the rule here is stricter, and a comment
says so. Field names are kperf's, in snake_case. Which release has which request is in
`release_rules`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

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
    "json_problem",
    "problem_error",
]

# A Go int has 64 bits where kperf runs; 32 are plenty for any count and safe everywhere.
MAX_COUNT: Final = 2**31 - 1
# An object must fit into etcd's 1.5 MiB request; a ConfigMap into 1 MiB.
_MAX_PAYLOAD: Final = 2**20


class ProfileModel(BaseModel):
    """Base of all parts of a load profile: frozen, strict, without unknown keys."""

    model_config = ConfigDict(
        defer_build=True,
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )


class RequestKind(StrEnum):
    """The key of a request in the profile."""

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
    """How the API server applies the body of a patch."""

    JSON = "json"
    MERGE = "merge"
    STRATEGIC_MERGE = "strategic-merge"


def problem_error(text: str) -> PydanticCustomError:
    """Return an error whose message the user sees unchanged.

    Args:
        text: The end of a sentence that begins with the field's path.
    """
    # As a context value, because pydantic would take braces in the text for a template.
    return PydanticCustomError("mrunners", "{text}", {"text": text})


def _validate_url_part(text: str) -> str:
    # kperf builds URLs out of these and does not check them.
    if any(char.isspace() or not char.isprintable() for char in text):
        raise problem_error("must not contain blanks or control characters")
    return text


def _validate_selector(text: str) -> str:
    if any(not char.isprintable() for char in text):
        raise problem_error("must not contain control characters")
    return text


def _validate_json(text: str) -> str:
    if problem := json_problem(text):
        raise problem_error(problem)
    return text


def _validate_group(text: str) -> str:
    # kperf would request /apis/core/…, which does not exist, and get 404 for each.
    if text == "core":
        raise problem_error("must be left out for the core API")
    return text


_UrlPart = Annotated[str, AfterValidator(_validate_url_part)]
_Group = Annotated[_UrlPart, AfterValidator(_validate_group)]
_RequiredUrlPart = Annotated[str, Field(min_length=1), AfterValidator(_validate_url_part)]
_Selector = Annotated[str, AfterValidator(_validate_selector)]
_KeySpace = Annotated[int, Field(ge=1, le=MAX_COUNT)]


class _Resource(ProfileModel):
    """An API resource, as in its URL.

    Attributes:
        group: Empty for the core group.
        version: Such as `v1`.
        resource: The plural, such as `pods`.
        namespace: Empty for cluster-scoped resources and for lists over all namespaces.
    """

    group: _Group = ""
    version: _RequiredUrlPart
    resource: _RequiredUrlPart
    namespace: _UrlPart = ""


class RequestList(_Resource):
    """LIST; `limit` is the page size, 0 for no pages. kperf requests only the first page."""

    limit: int = Field(default=0, ge=0, le=MAX_COUNT)
    selector: _Selector = ""
    field_selector: _Selector = ""

    @model_validator(mode="before")
    @classmethod
    def _read_old_spelling(cls, value: object) -> object:
        # kperf up to 0.3.4 reads `seletor` alone. Beside an equal `selector` it is what
        # render_profile writes; beside another one it is refused as an unknown key.
        if not isinstance(value, Mapping) or "seletor" not in value:
            return value
        if "selector" in value:
            if value["selector"] != value["seletor"]:
                return value
            return {key: item for key, item in value.items() if key != "seletor"}
        return {("selector" if key == "seletor" else key): item for key, item in value.items()}


def _validate_no_limit(limit: int) -> int:
    if limit != 0:
        raise problem_error("must be 0 for staleList: the API server's cache ignores pages")
    return limit


class RequestStaleList(RequestList):
    """LIST from the API server's cache (resourceVersion 0), which has no pages."""

    # https://github.com/kubernetes/kubernetes/issues/108003
    limit: Annotated[int, AfterValidator(_validate_no_limit)] = 0


class RequestWatchList(_Resource):
    """A streaming LIST: a watch with sendInitialEvents, until the bookmark arrives."""

    selector: _Selector = ""
    field_selector: _Selector = ""


class RequestGet(_Resource):
    """GET of one object."""

    name: _RequiredUrlPart


class RequestPut(ProfileModel):
    """PUT of a ConfigMap `<name>-<0 … keySpaceSize-1>`, which must exist.

    `payload_size` is in bytes.
    """

    group: Literal["", "core"] = ""
    version: Literal["v1"]
    resource: Literal["configmaps"]
    # kperf's URL always has a namespace.
    namespace: _RequiredUrlPart
    name: _RequiredUrlPart
    key_space_size: _KeySpace
    payload_size: int = Field(ge=1, le=_MAX_PAYLOAD)


class RequestPatch(_Resource):
    """PATCH of an object `<name>-<0 … keySpaceSize-1>`."""

    name: _RequiredUrlPart
    # kperf accepts 0 and then panics in crypto/rand.
    key_space_size: _KeySpace
    patch_type: Annotated[PatchType, Field(strict=False)]
    body: Annotated[str, Field(min_length=1), AfterValidator(_validate_json)]


class RequestGetPodLog(ProfileModel):
    """GET of a pod's log; `limit_bytes` and `tail_lines` as in `kubectl logs`."""

    namespace: _RequiredUrlPart
    name: _RequiredUrlPart
    container: _UrlPart = ""
    # The API server refuses a negative tail and a limit below 1 (ValidatePodLogOptions).
    tail_lines: int | None = Field(default=None, ge=0, le=MAX_COUNT)
    limit_bytes: int | None = Field(default=None, ge=1, le=MAX_COUNT)


class RequestPostDel(ProfileModel):
    """POST of new pods, and DELETE of some of them; `payload_size` is in bytes."""

    # kperf has a template for pods only. For other resources, 0.3.5 sends an empty body, and later
    # versions panic.
    group: Literal[""] = ""
    version: Literal["v1"]
    resource: Literal["pods"]
    namespace: _RequiredUrlPart
    # Above 0.5, kperf would delete more pods than it creates.
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


# Python's decoder recurses; Go's stops at 10,000 levels. No patch needs more than these.
_MAX_DEPTH: Final = 100
# The closing quote is optional: a string that must end would be tried again from each quote in it.
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKET: Final = re.compile(r"[\[\]{}]")


def json_problem(text: str) -> str | None:
    """Return why a text is not JSON.

    Args:
        text: The whole JSON document; white space around it is fine.

    Returns:
        The end of a sentence, such as `is not valid JSON: …`; None when the text is JSON.
    """
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > _MAX_DEPTH:
            return f"is nested more than {_MAX_DEPTH} levels deep"
    try:
        # Numbers stay text: int() refuses long ones, and nobody needs their values.
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_reject_constant)
    except json.JSONDecodeError as error:
        return f"is not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}"
    except ValueError as error:
        return f"is not valid JSON: {error}"
    return None


def _reject_constant(constant: str) -> None:
    # Python's decoder would accept NaN, Infinity and -Infinity.
    raise ValueError(f"{constant} is not a JSON value")
