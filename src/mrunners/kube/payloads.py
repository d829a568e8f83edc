"""What is requested of an API server, and pure functions that find it in the body of a success.

A proxy or a sign-in page may answer with other JSON, and that is never taken for an object that
does not exist or for an empty list. Such an answer is transient. What readers of a single object
share is here too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from mrunners.kube.responses import RequestInfo, unusable_answer

__all__ = [
    "CONFIG_MAPS",
    "EVENTS",
    "JOBS",
    "NODES",
    "PODS",
    "Kind",
    "Page",
    "Raw",
    "optional_time",
    "parse_object",
    "parse_page",
    "parse_record",
    "parse_records",
    "parse_single",
    "read_time",
    "reason_and_message",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a kind is found.

    Attributes:
        name: Of one object.
        prefix: Of the paths of its API group and version.
        plural: In paths.
        resource: As in RBAC.
    """

    name: str
    prefix: str
    plural: str
    resource: str

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of an object, or without a name of the list; empty means no namespace."""
        scope = f"/namespaces/{namespace}" if namespace else ""
        path = f"{self.prefix}{scope}/{self.plural}"
        return f"{path}/{name}" if name else path


CONFIG_MAPS = Kind("ConfigMap", "/api/v1", "configmaps", "configmaps")
JOBS = Kind("Job", "/apis/batch/v1", "jobs", "jobs.batch")
PODS = Kind("Pod", "/api/v1", "pods", "pods")
NODES = Kind("Node", "/api/v1", "nodes", "nodes")
EVENTS = Kind("Event", "/api/v1", "events", "events")


def delete_options(uid: str) -> dict[str, object]:
    """Return the body that deletes exactly one object, and its dependents in the background."""
    return {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Background",
        "preconditions": {"uid": uid},
    }


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list.

    Attributes:
        items: The objects, as JSON.
        token: Continues the list; empty on its last page.
        version: The resource version of the whole list, the same on each page; may be empty.
        remaining: How many objects follow; None where the API server does not say.
    """

    items: tuple[Any, ...]
    token: str
    version: str = ""
    remaining: int | None = None


def parse_object(info: RequestInfo, body: bytes, *kinds: str) -> Mapping[str, Any]:
    """Return the object in a body.

    Args:
        info: The request.
        body: JSON.
        *kinds: What the object may be; a Status must report success.

    Raises:
        RequestFailure: The body holds no such object.
    """
    document = _document(info, body)
    kind = document.get("kind")
    if kind not in kinds:
        raise unusable_answer(info, f"it sent {_described(kind)} instead of a {kinds[0]}")
    if kind == "Status":
        if document.get("status") != "Success":
            raise unusable_answer(info, "it sent a Status that does not report success")
        return document
    meta = document.get("metadata")
    if not isinstance(meta, dict) or (info.name and meta.get("name") != info.name):
        raise unusable_answer(info, f"it sent a {kind} that is not {info.name or 'complete'}")
    return document


def parse_page(info: RequestInfo, body: bytes, kind: str) -> Page:
    """Return the page of a list in a body.

    Args:
        info: The request.
        body: JSON.
        kind: That of the items.

    Raises:
        RequestFailure: The body holds no list of that kind.
    """
    document = _document(info, body)
    if document.get("kind") != f"{kind}List":
        raise unusable_answer(
            info, f"it sent {_described(document.get('kind'))} instead of a {kind}List"
        )
    meta, items = document.get("metadata"), document.get("items", "missing")
    # An API server writes a list without items as [] or null, but always writes it.
    if not isinstance(meta, dict) or not isinstance(items, list | None):
        raise unusable_answer(info, f"it sent a {kind}List without items")
    version, remaining = str(meta.get("resourceVersion") or ""), meta.get("remainingItemCount")
    return Page(
        tuple(items or ()),
        str(meta.get("continue") or ""),
        version,
        remaining if isinstance(remaining, int) else None,
    )


def parse_record(info: RequestInfo, parse: Callable[[Any], T], raw: object) -> T:
    """Return an object's record.

    Raises:
        RequestFailure: The object lacks a field that every object of its kind has.
    """
    try:
        return parse(raw)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise unusable_answer(info, "it sent an object without the fields of its kind") from error


def parse_single(info: RequestInfo, kind: Kind, parse: Callable[[Any], T], body: bytes) -> T:
    """Return the record of the one object in a body.

    Raises:
        RequestFailure: The body holds no such object, or it lacks a field.
    """
    return parse_record(info, parse, parse_object(info, body, kind.name))


def parse_records(
    info: RequestInfo, kind: Kind, parse: Callable[[Any], T], body: bytes
) -> tuple[list[T], Page]:
    """Return the records of a page of a list, and the page.

    Raises:
        RequestFailure: The body holds no such page, or one of its objects lacks a field.
    """
    page = parse_page(info, body, kind.name)
    return [parse_record(info, parse, item) for item in page.items], page


def _document(info: RequestInfo, body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise unusable_answer(info, "it sent text that is not JSON") from error
    if not isinstance(document, dict):
        raise unusable_answer(info, "it sent JSON that is not an object")
    return document


def _described(kind: object) -> str:
    return f"a {kind}" if isinstance(kind, str) and kind.isalnum() else "JSON of no kind"


# JSON as the API server sent it; it does not leave this package.
Raw = Mapping[str, Any]


def read_time(text: str) -> datetime:
    """Return the time that a field of Kubernetes has, in RFC 3339."""
    return datetime.fromisoformat(text)


def optional_time(text: str | None) -> datetime | None:
    """Return a time that may be absent."""
    return None if text is None else read_time(text)


def reason_and_message(condition: Raw) -> str:
    """Return `reason: message` of a condition, or the one that it has."""
    return ": ".join(filter(None, (condition.get("reason"), condition.get("message"))))
