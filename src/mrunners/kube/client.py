"""The `Cluster` Protocol on a real API server: paths, pages, preconditions and retries."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from mrunners.errors import ApiStatusError, ForbiddenError
from mrunners.kube.kubeconfig import KubeconfigSource
from mrunners.kube.objects import ConfigMap, Event, Job, Node, Pod
from mrunners.kube.responses import RequestInfo, conflict_failure, no_response
from mrunners.kube.retry import RetryPolicy
from mrunners.kube.transport import Request, Transport
from mrunners.plan.metadata import CONTAINER, Manifest

__all__ = ["KubernetesCluster"]

T = TypeVar("T")

# The default of kubectl's --chunk-size.
PAGE_SIZE = 500

# For a lost node the API server answers 500 for ever, and other nodes' logs are still to be read.
LOG_RETRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where a kind is found.

    Attributes:
        prefix: Of the paths of its API group and version.
        plural: In paths.
        resource: As in RBAC.
    """

    prefix: str
    plural: str
    resource: str


CONFIG_MAPS = _Kind("/api/v1", "configmaps", "configmaps")
JOBS = _Kind("/apis/batch/v1", "jobs", "jobs.batch")
PODS = _Kind("/api/v1", "pods", "pods")
NODES = _Kind("/api/v1", "nodes", "nodes")
EVENTS = _Kind("/api/v1", "events", "events")


class KubernetesCluster:
    """One API server; safe to use from several threads."""

    def __init__(
        self,
        kubeconfig: str | KubeconfigSource = "",
        context: str = "",
        *,
        warn: Callable[[str], None],
    ) -> None:
        """Read the kubeconfig; nothing is sent yet.

        Args:
            kubeconfig: A path or another source; empty means the pod's token where there is one,
                else `KUBECONFIG` or the default file.
            context: A context of the kubeconfig; empty means its current one.
            warn: Shows the user one line when an outage begins and one when it ends.

        Raises:
            InvalidInputError: The kubeconfig is missing or broken, or has no such context.
        """
        self._transport = Transport(kubeconfig, context)
        self._retry_policy = RetryPolicy(monotonic=time.monotonic, sleep=time.sleep, warn=warn)

    @property
    def requests(self) -> int:
        """How many requests were sent so far, retries included."""
        return self._transport.requests

    def now(self) -> datetime:
        """Return the API server's time."""
        return self._transport.now()

    def get_config_map(self, namespace: str, name: str) -> ConfigMap | None:
        """Return the ConfigMap; None when it does not exist."""
        raw = self._get(CONFIG_MAPS, namespace, name)
        return None if raw is None else ConfigMap.from_json(raw)

    def list_config_maps(self, namespace: str, selector: str) -> list[ConfigMap]:
        """Return the ConfigMaps that a label selector matches."""
        return self._list(CONFIG_MAPS, namespace, ConfigMap.from_json, labelSelector=selector)

    def create_config_map(self, namespace: str, manifest: Manifest) -> ConfigMap | None:
        """Create a ConfigMap; return None when one of that name exists."""
        raw = self._create(CONFIG_MAPS, namespace, manifest)
        return None if raw is None else ConfigMap.from_json(raw)

    def dry_run_config_map(self, namespace: str, manifest: Manifest) -> None:
        """Let the API server check the creation of a ConfigMap without storing it."""
        self._create(CONFIG_MAPS, namespace, manifest, dryRun="All")

    def annotate_config_map(
        self, namespace: str, name: str, uid: str, annotations: Mapping[str, str]
    ) -> bool:
        """Add annotations to exactly this object; return False when it no longer exists."""
        body = {"metadata": {"annotations": dict(annotations)}}
        return self._patch(CONFIG_MAPS, namespace, name, uid, body)

    def delete_config_map(self, namespace: str, name: str, uid: str) -> bool:
        """Delete exactly this object and its dependents; return False when it no longer exists."""
        return self._delete(CONFIG_MAPS, namespace, name, uid)

    def get_job(self, namespace: str, name: str) -> Job | None:
        """Return the Job; None when it does not exist."""
        raw = self._get(JOBS, namespace, name)
        return None if raw is None else Job.from_json(raw)

    def list_jobs(self, namespace: str, selector: str) -> list[Job]:
        """Return the Jobs that a label selector matches."""
        return self._list(JOBS, namespace, Job.from_json, labelSelector=selector)

    def create_job(self, namespace: str, manifest: Manifest) -> Job | None:
        """Create a Job; return None when one of that name exists."""
        raw = self._create(JOBS, namespace, manifest)
        return None if raw is None else Job.from_json(raw)

    def annotate_job(
        self, namespace: str, name: str, uid: str, annotations: Mapping[str, str]
    ) -> bool:
        """Add annotations to exactly this Job; return False when it no longer exists."""
        body = {"metadata": {"annotations": dict(annotations)}}
        return self._patch(JOBS, namespace, name, uid, body)

    def suspend_job(self, namespace: str, name: str, uid: str) -> bool:
        """Suspend exactly this Job, which deletes its pods; return False when it is gone."""
        return self._patch(JOBS, namespace, name, uid, {"spec": {"suspend": True}})

    def list_pods(self, namespace: str, selector: str) -> list[Pod]:
        """Return the pods that a label selector matches."""
        return self._list(PODS, namespace, Pod.from_json, labelSelector=selector)

    def delete_pod(self, namespace: str, name: str, uid: str) -> bool:
        """Delete exactly this pod; return False when it no longer exists."""
        return self._delete(PODS, namespace, name, uid)

    def count_schedulable_nodes(self, enough: int) -> int | None:
        """Count the nodes that take pods without tolerations, up to `enough`.

        Returns:
            None when listing nodes is forbidden.
        """
        try:
            nodes = map(Node.from_json, self._pages(NODES, "", {}))
            return sum(1 for _ in islice((n for n in nodes if n.schedulable), enough))
        except ForbiddenError:
            return None

    def list_warnings(self, namespace: str) -> list[Event]:
        """Return the namespace's warning events; none when listing them is forbidden."""
        try:
            return self._list(EVENTS, namespace, Event.from_json, fieldSelector="type=Warning")
        except ForbiddenError:
            return []  # a diagnosis without events says less, but nothing wrong

    def read_log(self, namespace: str, pod: str, *, limit_bytes: int) -> bytes | None:
        """Return the first bytes of the runner container's log; None when the pod is gone."""
        request = Request(
            info=RequestInfo(self._transport.server, "get", "pods/log", namespace, pod),
            method="GET",
            path=f"/api/v1/namespaces/{namespace}/pods/{pod}/log",
            # In a pod with an injected sidecar, a request that names no container gets a 400.
            query={"container": CONTAINER, "limitBytes": str(limit_bytes)},
            absent=frozenset({404}),
            limit_bytes=limit_bytes,
        )
        status, body = self._retry_policy.call(
            lambda: self._transport.send(request), limit_seconds=LOG_RETRY_SECONDS
        )
        return None if status == 404 else body

    def _get(self, kind: _Kind, namespace: str, name: str) -> Any:
        return self._json(
            self._request("get", "GET", kind, namespace, name, absent=frozenset({404}))
        )

    def _create(self, kind: _Kind, namespace: str, manifest: Manifest, **query: str) -> Any:
        return self._json(
            self._request(
                "create",
                "POST",
                kind,
                namespace,
                query={"fieldValidation": "Strict", **query},
                body=manifest,
                absent=frozenset({409}),
            )
        )

    def _patch(
        self, kind: _Kind, namespace: str, name: str, uid: str, body: Mapping[str, Any]
    ) -> bool:
        # The UID in a patch is a precondition: on another object of that name it answers 409.
        metadata = {**body.get("metadata", {}), "uid": uid}
        request = self._request(
            "patch",
            "PATCH",
            kind,
            namespace,
            name,
            body={**body, "metadata": metadata},
            content_type="application/merge-patch+json",
            absent=frozenset({404, 409}),
        )
        return self._json(request) is not None

    def _delete(self, kind: _Kind, namespace: str, name: str, uid: str) -> bool:
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": uid},
        }
        absent = frozenset({404, 409})
        request = self._request("delete", "DELETE", kind, namespace, name, body=body, absent=absent)
        return self._json(request) is not None

    def _list(
        self, kind: _Kind, namespace: str, parse: Callable[[Any], T], **query: str
    ) -> list[T]:
        while True:
            try:
                return [parse(item) for item in self._pages(kind, namespace, query)]
            except ApiStatusError as error:
                if error.status != 410:  # the continue token expired: start again
                    raise

    def _pages(self, kind: _Kind, namespace: str, query: Mapping[str, str]) -> Iterator[Any]:
        token = ""
        while True:
            page = {**query, "limit": str(PAGE_SIZE)}
            if token:
                page["continue"] = token
            raw = self._json(self._request("list", "GET", kind, namespace, query=page))
            yield from raw.get("items") or []
            token = (raw.get("metadata") or {}).get("continue") or ""
            if not token:
                return

    def _request(
        self,
        verb: str,
        method: str,
        kind: _Kind,
        namespace: str,
        name: str = "",
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        content_type: str = "application/json",
        absent: frozenset[int] = frozenset(),
    ) -> Request:
        scope = f"/namespaces/{namespace}" if namespace else ""
        path = f"{kind.prefix}{scope}/{kind.plural}"
        return Request(
            info=RequestInfo(self._transport.server, verb, kind.resource, namespace, name),
            method=method,
            path=f"{path}/{name}" if name else path,
            query=query or {},
            body=body,
            content_type=content_type,
            absent=absent,
        )

    def _json(self, request: Request) -> Any:
        """Send a request with retries.

        Returns:
            The response's JSON; None for a status in `request.absent`.
        """

        def attempt() -> Any:
            status, body = self._transport.send(request)
            if status in request.absent:
                if (failure := conflict_failure(request.info, status, body)) is not None:
                    raise failure
                return None
            try:
                return json.loads(body)
            except (ValueError, RecursionError) as error:
                raise no_response(
                    request.info, f"the body of its {status} response is not JSON"
                ) from error

        return self._retry_policy.call(attempt)
