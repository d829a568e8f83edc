"""The `Cluster` Protocol on a real API server: paths, pages, preconditions and retries."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from mrunners.errors import ForbiddenError
from mrunners.kube.flow_control import AT_ONCE
from mrunners.kube.kubeconfig import KubeconfigSource
from mrunners.kube.logs_and_watches import (
    log_request,
    parse_deletions,
    parse_version,
    past_events_request,
    version_request,
)
from mrunners.kube.objects import PLACEMENT_EVENTS, ConfigMap, Event, Job, Node, Placement, Pod
from mrunners.kube.payloads import (
    CONFIG_MAPS,
    EVENTS,
    JOBS,
    NODES,
    PODS,
)
from mrunners.kube.retry import RequestFailure, RetryPolicy
from mrunners.kube.transport import Transport
from mrunners.kube.verbs import Verbs
from mrunners.plan.metadata import Manifest
from mrunners.reports.traffic import Traffic

__all__ = ["KubernetesCluster"]

T = TypeVar("T")

# For a lost node the API server answers 500 for ever, and other nodes' logs are still to be read.
LOG_RETRY_SECONDS = 30.0
# A webhook for pods that is away keeps the pods from starting, and not us from asking.
POD_RETRY_SECONDS = 10.0


class KubernetesCluster:
    """One API server; safe to use from several threads."""

    def __init__(
        self,
        kubeconfig: str | KubeconfigSource = "",
        context: str = "",
        *,
        max_qps: float | None = None,
        warn: Callable[[str], None],
    ) -> None:
        """Read the kubeconfig; nothing is sent yet.

        Args:
            kubeconfig: A path or another source; empty means `KUBECONFIG` or the default file, and
                the pod's token where there is neither.
            context: A context of the kubeconfig; empty means its current one.
            max_qps: How many requests per second this process sends at most to the API server.
            warn: Shows the user one line when an outage begins and one when it ends.

        Raises:
            InvalidInputError: The kubeconfig is missing or broken, or has no such context.
            UnauthorizedError: Its exec plugin gives no credentials.
        """
        self._transport = Transport(kubeconfig, context, max_qps=max_qps, warn=warn)
        self.location = self._transport.location
        self.connections = AT_ONCE
        self._retry_policy = RetryPolicy(monotonic=time.monotonic, sleep=time.sleep, warn=warn)
        self._verbs = Verbs(self._transport, self._retry_policy)

    @property
    def traffic(self) -> Traffic:
        """What was sent and received so far, retries included."""
        return self._transport.counter.traffic

    def now(self) -> datetime:
        """Return the API server's time."""
        return self._transport.now()

    def get_config_map(self, namespace: str, name: str) -> ConfigMap | None:
        """Return the ConfigMap; None when it does not exist."""
        return self._verbs.get(CONFIG_MAPS, namespace, name, ConfigMap.from_json)

    def list_config_maps(self, namespace: str, selector: str) -> list[ConfigMap]:
        """Return the ConfigMaps that a label selector matches."""
        return self._verbs.list_all(
            CONFIG_MAPS, namespace, ConfigMap.from_json, labelSelector=selector
        )

    def create_config_map(self, namespace: str, manifest: Manifest) -> ConfigMap | None:
        """Create a ConfigMap; return None when one of that name exists."""
        return self._verbs.create(CONFIG_MAPS, namespace, manifest, ConfigMap.from_json)

    def dry_run_config_map(self, namespace: str, manifest: Manifest) -> None:
        """Let the API server check the creation of a ConfigMap without storing it."""
        self._verbs.create(CONFIG_MAPS, namespace, manifest, ConfigMap.from_json, dryRun="All")

    def annotate_config_map(
        self, namespace: str, name: str, uid: str, annotations: Mapping[str, str]
    ) -> bool:
        """Add annotations to exactly this object; return False when it no longer exists."""
        body = {"metadata": {"annotations": dict(annotations)}}
        return self._verbs.patch(CONFIG_MAPS, namespace, name, uid, body)

    def delete_config_map(self, namespace: str, name: str, uid: str) -> bool:
        """Delete exactly this object and its dependents; return False when it no longer exists."""
        return self._verbs.delete(CONFIG_MAPS, namespace, name, uid)

    def get_job(self, namespace: str, name: str) -> Job | None:
        """Return the Job; None when it does not exist."""
        return self._verbs.get(JOBS, namespace, name, Job.from_json)

    def list_jobs(self, namespace: str, selector: str) -> list[Job]:
        """Return the Jobs that a label selector matches."""
        parse = functools.partial(Job.from_json, listed=True)
        return self._verbs.list_all(JOBS, namespace, parse, labelSelector=selector)

    def jobs_changed(self, namespace: str, selector: str) -> bool | None:
        """Whether one has changed since `list_jobs`; None when watching Jobs is forbidden."""
        since = self._verbs.versions.get((JOBS, namespace, selector))
        if not since:
            return True
        request = past_events_request(self._transport.server, JOBS, namespace, selector, since)
        try:
            _, body = self._transport.send(request)
        except RequestFailure as failure:
            return None if isinstance(failure.error, ForbiddenError) else True
        return bool(body.strip())

    def create_job(self, namespace: str, manifest: Manifest) -> Job | None:
        """Create a Job; return None when one of that name exists."""
        return self._verbs.create(JOBS, namespace, manifest, Job.from_json)

    def dry_run_job(self, namespace: str, manifest: Manifest) -> Job | None:
        """Return the Job as it would be stored, without storing it."""
        return self._verbs.create(JOBS, namespace, manifest, Job.from_json, dryRun="All")

    def dry_run_pod(self, namespace: str, manifest: Manifest) -> None:
        """Let the API server check the creation of a pod without storing it."""
        self._verbs.create(
            PODS, namespace, manifest, Pod.from_json, POD_RETRY_SECONDS, dryRun="All"
        )

    def annotate_job(
        self, namespace: str, name: str, uid: str, annotations: Mapping[str, str]
    ) -> bool:
        """Add annotations to exactly this Job; return False when it no longer exists."""
        body = {"metadata": {"annotations": dict(annotations)}}
        return self._verbs.patch(JOBS, namespace, name, uid, body)

    def suspend_job(self, namespace: str, name: str, uid: str) -> bool:
        """Suspend exactly this Job, which deletes its pods; return False when it is gone."""
        return self._verbs.patch(JOBS, namespace, name, uid, {"spec": {"suspend": True}})

    def list_pods(self, namespace: str, selector: str) -> list[Pod]:
        """Return the pods that a label selector matches."""
        return self._verbs.list_all(PODS, namespace, Pod.from_json, labelSelector=selector)

    def list_deleted_pods(self, namespace: str, selector: str, since: str) -> list[Pod]:
        """Return the pods that were deleted since a resource version, as they were last."""
        request = past_events_request(self._transport.server, PODS, namespace, selector, since)
        try:
            _, body = self._transport.send(request)
        except RequestFailure:
            return []  # they are missing all the same; only the reason stays unknown
        return parse_deletions(Pod.from_json, body)

    def delete_pod(self, namespace: str, name: str, uid: str) -> bool:
        """Delete exactly this pod; return False when it no longer exists."""
        return self._verbs.delete(PODS, namespace, name, uid)

    def count_schedulable_nodes(self, enough: int) -> int | None:
        """Count the nodes that take pods without tolerations, up to `enough`; None if forbidden."""
        try:
            nodes = self._verbs.iterate(NODES, "", Node.from_json, {})
            return sum(1 for _ in islice((n for n in nodes if n.schedulable), enough))
        except ForbiddenError:
            return None

    def count_nodes(self) -> int | None:
        """Count all nodes by one small request; None when it is forbidden or not said."""
        try:
            return self._verbs.count(NODES, "")
        except ForbiddenError:
            return None

    def server_version(self) -> str | None:
        """Return the API server's version; None when it is not said."""
        request = version_request(self._transport.server)
        try:
            _, body = self._transport.send(request)
            return parse_version(body)
        except RequestFailure:
            return None  # a report without it is as right

    def list_warnings(self, namespace: str) -> list[Event]:
        """Return the namespace's warning events; none when listing them is forbidden."""
        return self._list_events(namespace, Event.from_json, "type=Warning")

    def list_placements(self, namespace: str) -> list[Placement]:
        """Return where the scheduler placed the namespace's pods lately; none when forbidden."""
        return self._list_events(namespace, Placement.from_json, PLACEMENT_EVENTS)

    def read_log(self, namespace: str, pod: str, container: str, limit_bytes: int) -> bytes | None:
        """Return the first bytes of a container's log; None when the pod is gone."""
        request = log_request(self._transport.server, namespace, pod, container, limit_bytes)
        status, body = self._retry_policy.call(
            lambda: self._transport.send(request), limit_seconds=LOG_RETRY_SECONDS
        )
        return None if status == 404 else body

    def _list_events(self, namespace: str, parse: Callable[[Any], T], fields: str) -> list[T]:
        try:
            return self._verbs.list_all(EVENTS, namespace, parse, fieldSelector=fields)
        except ForbiddenError:
            return []  # without events mrunners says less, but nothing wrong
