"""The kinds of requests that mrunners sends, told apart by method and path alone."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

__all__ = ["RequestKind", "kind_of"]


class RequestKind(StrEnum):
    """What a request is for; the rows of the matrix."""

    DRY_RUN = "dry-run"
    CREATE_TRACKER = "create-tracker"
    CREATE_JOB = "create-job"
    PATCH_TRACKER = "patch-tracker"
    DELETE_TRACKER = "delete-tracker"
    PATCH_JOB = "patch-job"
    DELETE_POD = "delete-pod"
    GET_CONFIG_MAP = "get-configmap"
    LIST_CONFIG_MAPS = "list-configmaps"
    LIST_JOBS = "list-jobs"
    LIST_PODS = "list-pods"
    LIST_EVENTS = "list-events"
    LIST_NODES = "list-nodes"
    READ_LOG = "read-log"

    @property
    def lists(self) -> bool:
        """Whether the answer is a list."""
        return self.value.startswith("list-")

    @property
    def of_late_pods(self) -> bool:
        """Whether it is sent only when pods have not started in time."""
        return self in (RequestKind.PATCH_JOB, RequestKind.DELETE_POD)


_LISTS = {
    "configmaps": RequestKind.LIST_CONFIG_MAPS,
    "jobs": RequestKind.LIST_JOBS,
    "pods": RequestKind.LIST_PODS,
    "events": RequestKind.LIST_EVENTS,
}
_CHANGES = {
    ("POST", "configmaps"): RequestKind.CREATE_TRACKER,
    ("POST", "jobs"): RequestKind.CREATE_JOB,
    ("PATCH", "configmaps"): RequestKind.PATCH_TRACKER,
    ("DELETE", "configmaps"): RequestKind.DELETE_TRACKER,
    ("PATCH", "jobs"): RequestKind.PATCH_JOB,
    ("DELETE", "pods"): RequestKind.DELETE_POD,
}


def kind_of(method: str, target: str) -> RequestKind | None:
    """Return the kind of a request; None for one that only follows another, such as GET of a Job.

    Args:
        method: The HTTP method.
        target: The path with its query.
    """
    url = urlsplit(target)
    if (method, url.path) == ("GET", "/api/v1/nodes"):
        return RequestKind.LIST_NODES
    if "watch" in parse_qs(url.query):
        return None
    resource, *names = url.path.partition("/namespaces/")[2].split("/")[1:] or [""]
    if method == "POST" and "dryRun" in parse_qs(url.query):
        return RequestKind.DRY_RUN
    if method != "GET":
        return _CHANGES.get((method, resource))
    if not names:
        return _LISTS.get(resource)
    if names[1:] == ["log"]:
        return RequestKind.READ_LOG
    return RequestKind.GET_CONFIG_MAP if resource == "configmaps" else None
