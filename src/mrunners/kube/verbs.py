"""Get, create, patch, delete and list on the objects of any kind, with pages and retries."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from mrunners.errors import ApiStatusError
from mrunners.kube.payloads import (
    Kind,
    delete_options,
    parse_object,
    parse_page,
    parse_records,
    parse_single,
)
from mrunners.kube.responses import RequestInfo, conflict_failure
from mrunners.kube.retry import RetryPolicy
from mrunners.kube.transport import Request, Transport
from mrunners.plan.metadata import Manifest

__all__ = ["Verbs"]

T = TypeVar("T")

# The default of kubectl's --chunk-size.
PAGE_SIZE = 500

# A continue token is valid for minutes, and even the longest list is read in seconds.
LIST_RESTARTS = 3


class Verbs:
    """The API server's verbs; safe to use from several threads.

    Attributes:
        versions: The resource version of each list that was read last, by kind, namespace and
            label selector.
    """

    def __init__(self, transport: Transport, retry_policy: RetryPolicy) -> None:
        """Send nothing yet.

        Args:
            transport: Sends each request.
            retry_policy: Decides whether one is sent again.
        """
        self._transport, self._retry_policy = transport, retry_policy
        self.versions: dict[tuple[Kind, str, str], str] = {}

    def get(self, kind: Kind, namespace: str, name: str, parse: Callable[[Any], T]) -> T | None:
        """Return an object's record; None when the object does not exist."""
        request = self._request("get", "GET", kind, namespace, name, absent=frozenset({404}))
        return self._call(request, functools.partial(parse_single, request.info, kind, parse))

    def create(
        self,
        kind: Kind,
        namespace: str,
        manifest: Manifest,
        parse: Callable[[Any], T],
        limit: float | None = None,
        **query: str,
    ) -> T | None:
        """Create an object, and return its record; None when one of that name exists.

        Args:
            kind: Its kind.
            namespace: Its namespace.
            manifest: What is sent.
            parse: Makes the record.
            limit: For how many seconds it is tried again; None leaves it to the retry policy.
            query: More of the query, such as `dryRun`.
        """
        query = {"fieldValidation": "Strict", **query}
        request = self._request(
            "create", "POST", kind, namespace, query=query, body=manifest, absent=frozenset({409})
        )
        parser = functools.partial(parse_single, request.info, kind, parse)
        return self._call(request, parser, limit)

    def patch(
        self, kind: Kind, namespace: str, name: str, uid: str, body: Mapping[str, Any]
    ) -> bool:
        """Merge a patch into exactly this object; return False when it no longer exists."""
        # The UID in a patch is a precondition: on another object of that name it answers 409.
        metadata = {**body.get("metadata", {}), "uid": uid}
        body = {**body, "metadata": metadata}
        absent, merge = frozenset({404, 409}), "application/merge-patch+json"
        request = self._request(
            "patch", "PATCH", kind, namespace, name, body=body, content_type=merge, absent=absent
        )
        return self._changed(request, kind.name)

    def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> bool:
        """Delete exactly this object; return False when it no longer exists."""
        body, absent = delete_options(uid), frozenset({404, 409})
        request = self._request("delete", "DELETE", kind, namespace, name, body=body, absent=absent)
        return self._changed(request, "Status", kind.name)

    def _changed(self, request: Request, *kinds: str) -> bool:
        """Send a request; return False for a status in its `absent`."""
        return self._call(request, lambda b: parse_object(request.info, b, *kinds)) is not None

    def count(self, kind: Kind, namespace: str) -> int | None:
        """Return how many objects of a kind there are; None where the API server does not say."""
        request = self._request("list", "GET", kind, namespace, query={"limit": "1"})
        page = self._call(request, lambda body: parse_page(request.info, body, kind.name))
        assert page is not None  # the request names no status as absent
        if page.token and page.remaining is None:
            return None
        return len(page.items) + (page.remaining or 0)

    def list_all(
        self, kind: Kind, namespace: str, parse: Callable[[Any], T], **query: str
    ) -> list[T]:
        """Return the records of all objects that a query selects; it starts again if need be."""
        for _ in range(LIST_RESTARTS):
            try:
                return list(self.iterate(kind, namespace, parse, query))
            except ApiStatusError as error:
                if error.status != 410:  # the continue token expired: start again
                    raise
        return list(self.iterate(kind, namespace, parse, query))

    def iterate(
        self, kind: Kind, namespace: str, parse: Callable[[Any], T], query: Mapping[str, str]
    ) -> Iterator[T]:
        """Yield the records of what a query selects; the next page is read only when needed."""
        token = ""
        while True:
            page = {**query, "limit": str(PAGE_SIZE)}
            if token:
                page["continue"] = token
            request = self._request("list", "GET", kind, namespace, query=page)
            answer = self._call(
                request, functools.partial(parse_records, request.info, kind, parse)
            )
            assert answer is not None  # the request names no status as absent
            items, read = answer
            yield from items
            if not (token := read.token):
                self.versions[kind, namespace, query.get("labelSelector", "")] = read.version
                return

    def _request(
        self,
        verb: str,
        method: str,
        kind: Kind,
        namespace: str,
        name: str = "",
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        content_type: str = "application/json",
        absent: frozenset[int] = frozenset(),
    ) -> Request:
        return Request(
            info=RequestInfo(self._transport.server, verb, kind.resource, namespace, name),
            method=method,
            path=kind.path(namespace, name),
            query=query or {},
            body=body,
            content_type=content_type,
            absent=absent,
        )

    def _call(
        self, request: Request, parse: Callable[[bytes], T], limit: float | None = None
    ) -> T | None:
        """Send a request, again also if its answer is broken; None for an `absent` status."""

        def attempt() -> T | None:
            status, body = self._transport.send(request)
            if status not in request.absent:
                return parse(body)
            if (failure := conflict_failure(request.info, status, body)) is not None:
                raise failure
            return None

        return self._retry_policy.call(attempt, limit_seconds=limit)
