"""Strict models of a load profile; an instance has every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, Field, model_validator
from pydantic.alias_generators import to_snake

from mrunners.profiles.problems import kinds_problem, shares_problem
from mrunners.profiles.requests import (
    MAX_COUNT,
    ProfileModel,
    Request,
    RequestGet,
    RequestGetPodLog,
    RequestKind,
    RequestList,
    RequestPatch,
    RequestPostDel,
    RequestPut,
    RequestStaleList,
    RequestWatchList,
    problem_error,
)

__all__ = [
    "DEFAULT_TOTAL",
    "MAX_CONNS",
    "ContentType",
    "LoadProfile",
    "LoadProfileSpec",
    "WeightedRequest",
]

# kperf's command line sets it when neither total nor duration is given.
DEFAULT_TOTAL: Final = 1000
# kperf itself writes 'no limit' as this rate.
_MAX_RATE: Final = 2**31 - 1
# Each connection takes a source port of the pod.
MAX_CONNS: Final = 65_535
_MAX_CLIENTS: Final = 1_000_000

_Entry = TypeVar("_Entry")

_FIELD_OF_KIND: Final = {kind: to_snake(kind) for kind in RequestKind}


def _validate_not_empty(entries: tuple[_Entry, ...]) -> tuple[_Entry, ...]:
    # min_length would not do: pydantic counts only valid entries, and would report an invalid one
    # twice.
    if not entries:
        raise problem_error("must have at least one entry")
    return entries


class ContentType(StrEnum):
    """The encoding of the API server's responses."""

    JSON = "json"
    PROTOBUF = "protobuf"


class WeightedRequest(ProfileModel):
    """One request and its weight (`shares`) among the others of the spec."""

    shares: int = Field(default=0, ge=0, le=MAX_COUNT)
    stale_list: RequestStaleList | None = None
    quorum_list: RequestList | None = None
    watch_list: RequestWatchList | None = None
    stale_get: RequestGet | None = None
    quorum_get: RequestGet | None = None
    put: RequestPut | None = None
    patch: RequestPatch | None = None
    get_pod_log: RequestGetPodLog | None = None
    post_del: RequestPostDel | None = None

    @model_validator(mode="after")
    def _validate_one_kind(self) -> WeightedRequest:
        if problem := kinds_problem(list(self._requests())):
            raise problem_error(problem)
        return self

    @property
    def kind(self) -> RequestKind:
        """The kind of the request."""
        return next(iter(self._requests()))

    @property
    def request(self) -> Request:
        """The request itself."""
        return self._requests()[self.kind]

    def _requests(self) -> dict[RequestKind, Request]:
        return {
            kind: request
            for kind in RequestKind
            if (request := getattr(self, _FIELD_OF_KIND[kind])) is not None
        }


class LoadProfileSpec(ProfileModel):
    """One phase of the load.

    Attributes:
        rate: Requests per second of the whole pod; 0 is no limit.
        total: Number of requests; 0 when `duration` decides.
        duration: Seconds; 0 when `total` decides. Exactly one of the two is greater than 0.
        conns: Number of connections.
        client: Number of clients that share them.
        content_type: Encoding of the responses.
        disable_http2: Use HTTP/1.1.
        max_retries: Retries after a response 429 with Retry-After.
        requests: kperf chooses among them at random, by their shares.
    """

    rate: float = Field(default=0.0, ge=0, le=_MAX_RATE)
    total: int = Field(default=0, ge=0, le=MAX_COUNT)
    duration: int = Field(default=0, ge=0, le=MAX_COUNT)
    conns: int = Field(default=1, ge=1, le=MAX_CONNS)
    client: int = Field(default=1, ge=1, le=_MAX_CLIENTS)
    content_type: Annotated[ContentType, Field(strict=False)] = ContentType.JSON
    disable_http2: bool = Field(default=False, alias="disableHTTP2")
    max_retries: int = Field(default=0, ge=0, le=MAX_COUNT)
    requests: Annotated[
        tuple[WeightedRequest, ...], Field(strict=False), AfterValidator(_validate_not_empty)
    ]

    @model_validator(mode="before")
    @classmethod
    def _choose_total_or_duration(cls, value: object) -> object:
        # kperf does this for the first spec only: it refuses a later spec without either, and ends
        # one with both at whichever comes first. Here the same rule applies to every spec.
        if not isinstance(value, Mapping):
            return value
        total, duration = value.get("total", 0), value.get("duration", 0)
        if _is_zero(total) and _is_zero(duration):
            return {**value, "total": DEFAULT_TOTAL}
        if _is_count(total) and _is_count(duration):
            return {**value, "duration": 0}
        return value

    @model_validator(mode="after")
    def _validate_shares(self) -> LoadProfileSpec:
        if problem := shares_problem([request.shares for request in self.requests]):
            raise problem_error(problem)
        return self


class LoadProfile(ProfileModel):
    """A load profile; its specs run one after the other."""

    version: Literal[1]
    description: str = ""
    specs: Annotated[
        tuple[LoadProfileSpec, ...], Field(strict=False), AfterValidator(_validate_not_empty)
    ]


def _is_zero(value: object) -> bool:
    return type(value) is int and value == 0


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value <= MAX_COUNT
