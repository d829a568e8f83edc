"""Requests whose answers are neither objects nor lists: logs, a watch's events, the version."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from mrunners.kube.payloads import PODS, Kind
from mrunners.kube.responses import RequestInfo
from mrunners.kube.transport import Request
from mrunners.text import printable

__all__ = [
    "log_request",
    "parse_deletions",
    "parse_version",
    "past_events_request",
    "version_request",
]

T = TypeVar("T")

_VERSION_BYTES = 64 * 1024

# More events than that have more to say about other pods.
_EVENTS_BYTES = 16 * 1024 * 1024


def log_request(server: str, namespace: str, pod: str, container: str, limit_bytes: int) -> Request:
    """Return the request for the first bytes of a container's log."""
    return Request(
        info=RequestInfo(server, "get", "pods/log", namespace, pod),
        method="GET",
        path=f"{PODS.prefix}/namespaces/{namespace}/{PODS.plural}/{pod}/log",
        query={"container": container, "limitBytes": str(limit_bytes)},
        absent=frozenset({404}),
        limit_bytes=limit_bytes,
    )


def past_events_request(
    server: str, kind: Kind, namespace: str, selector: str, since: str
) -> Request:
    """Return the request for what happened to objects since a resource version.

    It is a watch that ends after a second.
    """
    query = {"labelSelector": selector, "resourceVersion": since}
    return Request(
        info=RequestInfo(server, "watch", kind.resource, namespace, ""),
        method="GET",
        path=kind.path(namespace),
        query={"watch": "true", "timeoutSeconds": "1", **query},
        limit_bytes=_EVENTS_BYTES,
    )


def parse_deletions(parse: Callable[[Any], T], body: bytes) -> list[T]:
    """Return the records of the objects whose deletion is among the events of a watch.

    Args:
        parse: Makes a record.
        body: One event per line; what follows a line that is none, or is cut off, is left out.
    """
    deleted = []
    for line in body.splitlines():
        try:
            event = json.loads(line)
            if event["type"] == "DELETED":
                deleted.append(parse(event["object"]))
        except (LookupError, TypeError, AttributeError, ValueError, RecursionError):
            break
    return deleted


def version_request(server: str) -> Request:
    """Return the request for the API server's version, which everyone may ask for by default."""
    return Request(
        info=RequestInfo(server, "get", "/version", ""),
        method="GET",
        path="/version",
        limit_bytes=_VERSION_BYTES,
    )


def parse_version(body: bytes) -> str | None:
    """Return the version in an answer, such as `v1.37.2`; None when there is none."""
    try:
        version = json.loads(body)["gitVersion"]
    except (LookupError, TypeError, ValueError, RecursionError):
        return None
    return printable(version, 100) if isinstance(version, str) and version else None
