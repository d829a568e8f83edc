"""Which rights kperf needs for the requests of load profiles, in the terms of RBAC."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mrunners.profiles.profile import LoadProfile, WeightedRequest
from mrunners.profiles.requests import RequestGetPodLog, RequestKind

__all__ = ["Access", "required_access"]

_VERBS: Final = {
    RequestKind.STALE_LIST: ("list",),
    RequestKind.QUORUM_LIST: ("list",),
    RequestKind.WATCH_LIST: ("watch",),
    RequestKind.STALE_GET: ("get",),
    RequestKind.QUORUM_GET: ("get",),
    RequestKind.PUT: ("update",),
    RequestKind.PATCH: ("patch",),
    RequestKind.GET_POD_LOG: ("get",),
    RequestKind.POST_DEL: ("create", "delete"),
}

# Their profile names one object; the others have random names, or none.
_OF_ONE_OBJECT: Final = frozenset(
    {RequestKind.STALE_GET, RequestKind.QUORUM_GET, RequestKind.GET_POD_LOG}
)


@dataclass(frozen=True, slots=True, order=True)
class Access:
    """The right to do one thing.

    Attributes:
        namespace: Empty for a cluster-scoped resource, and for a list over all namespaces.
        group: The API group; empty for the core group.
        resource: Its plural, with the subresource if there is one, such as `pods/log`.
        name: The only object that it is about; empty for all.
        verb: As RBAC names it, such as `list`.
    """

    namespace: str
    group: str
    resource: str
    name: str
    verb: str


def required_access(profiles: Iterable[LoadProfile]) -> list[Access]:
    """Return the rights that the requests of profiles need, each once and sorted."""
    return sorted(
        {
            access
            for profile in profiles
            for spec in profile.specs
            for weighted in spec.requests
            if weighted.shares
            for access in _of_request(weighted)
        }
    )


def _of_request(weighted: WeightedRequest) -> Iterable[Access]:
    request, kind = weighted.request, weighted.kind
    if isinstance(request, RequestGetPodLog):
        group, resource = "", "pods/log"
    else:
        # kperf takes `core` for the core group where its ConfigMaps are written.
        group = "" if request.group == "core" else request.group
        resource = request.resource
    name = str(getattr(request, "name", "")) if kind in _OF_ONE_OBJECT else ""
    for verb in _VERBS[kind]:
        yield Access(request.namespace, group, resource, name, verb)
