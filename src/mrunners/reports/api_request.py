"""What a request of a report asks of the Kubernetes API, in the terms of RBAC.

kperf names a request by its method and URL, such as
`LIST https://10.0.0.1:6443/api/v1/namespaces/load/pods?limit=500`. The path says which resource it
is about (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["ApiRequest", "Scope", "parse_api_request"]

_REQUEST: Final = re.compile(
    r"([A-Z_]+) (?:[a-z][a-z0-9+.-]*://[^/?#]*)?(/[^?#]*)(?:[?#].*)?", re.DOTALL
)
_GROUP_AND_VERSION: Final = re.compile(r"/(?:api/(v[^/]+)|apis/([^/]+)/(v[^/]+))/(.+)", re.DOTALL)

# Of a namespace itself; other names after it are resources in it.
_OF_NAMESPACES: Final = frozenset({"status", "finalize"})

_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE", "APPLY"})
_STREAMING: Final = frozenset({"WATCH", "WATCHLIST", "POD_LOG", "CONNECT"})


class Scope(StrEnum):
    """How many objects a request is about, as the SLOs of Kubernetes have it."""

    RESOURCE = "resource"
    """One object."""

    NAMESPACE = "namespace"
    """Those of one namespace."""

    CLUSTER = "cluster"
    """Those of the whole cluster."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request.

    Attributes:
        verb: kperf's method, such as `LIST` or `WATCHLIST`.
        group: The API group; empty for the core group.
        resource: Its plural, with the subresource if there is one, such as `pods/log`.
        scope: How many objects it is about.
    """

    verb: str
    group: str
    resource: str
    scope: Scope

    @property
    def qualified(self) -> str:
        """The resource as RBAC names it, such as `pods/log` or `deployments.apps/scale`."""
        plural, slash, subresource = self.resource.partition("/")
        return f"{plural}{'.' if self.group else ''}{self.group}{slash}{subresource}"

    @property
    def scoped(self) -> str:
        """Verb, resource and scope, as an objective names a request: `LIST pods cluster`."""
        return f"{self.verb} {self.qualified} {self.scope.value}"

    @property
    def changes(self) -> bool:
        """Whether it changes objects."""
        return self.verb in _CHANGING

    @property
    def streams(self) -> bool:
        """Whether its answer is a stream, whose duration says nothing about the server's speed."""
        return self.verb in _STREAMING


def parse_api_request(name: str) -> ApiRequest | None:
    """Return what a request is about; None when it is not about a resource.

    Args:
        name: Method and URL, as the report names them, or without the server.
    """
    request = _REQUEST.fullmatch(name)
    path = None if request is None else _GROUP_AND_VERSION.fullmatch(request[2])
    if request is None or path is None:
        return None
    parts = path[4].rstrip("/").split("/")
    if not all(parts):
        return None
    namespaced = parts[0] == "namespaces" and len(parts) > 2 and parts[2] not in _OF_NAMESPACES
    plural, *names = parts[2:] if namespaced else parts
    one = bool(names)
    subresource = "/".join(names[1:])
    if one or request[1] == "POST":
        scope = Scope.RESOURCE
    else:
        scope = Scope.NAMESPACE if namespaced else Scope.CLUSTER
    return ApiRequest(
        verb=request[1],
        group=path[2] or "",
        resource=f"{plural}/{subresource}" if subresource else plural,
        scope=scope,
    )
