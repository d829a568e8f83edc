"""The `Cluster` Protocol: what mrunners needs of an API server.

The real client implements it, and so does the tests' fake. The module imports no client library,
so everything that decides can be tested without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from mrunners.kube.objects import ConfigMap, Event, Job, Placement, Pod
from mrunners.plan.metadata import Manifest
from mrunners.refs import ClusterLocation
from mrunners.reports.traffic import Traffic

__all__ = ["Cluster"]


class Cluster(Protocol):
    """One API server, reduced to the few requests that a run needs.

    Every method retries transient failures, as long as the command's retry policy allows, and
    raises a `mrunners.errors.ClusterError` for the rest. A get returns None for 404, and a create
    for 409, because both are facts to decide on and not errors.
    """

    @property
    def location(self) -> ClusterLocation:
        """Where the cluster is, and which context names it."""

    @property
    def traffic(self) -> Traffic:
        """What was sent and received so far, by verb, retries included."""

    @property
    def connections(self) -> int:
        """How many requests can be sent at once, each by a thread of its own."""

    def now(self) -> datetime:
        """Return the API server's time, because the ages of its objects count by its clock."""

    def get_config_map(self, namespace: str, name: str) -> ConfigMap | None:
        """Return the ConfigMap; None when it does not exist."""

    def list_config_maps(self, namespace: str, selector: str) -> list[ConfigMap]:
        """Return the ConfigMaps that a label selector matches; those of all namespaces for ""."""

    def create_config_map(self, namespace: str, manifest: Manifest) -> ConfigMap | None:
        """Create a ConfigMap; return None when one of that name exists.

        A request whose answer is lost is sent again. None can therefore also mean that the first
        request succeeded, so the caller has to compare the existing object with the manifest.
        """

    def dry_run_config_map(self, namespace: str, manifest: Manifest) -> None:
        """Let the API server check the creation of a ConfigMap without storing it.

        Raises:
            InvalidInputError: The namespace does not exist.
            ClusterError: The creation would be refused.
        """

    def annotate_config_map(
        self, namespace: str, name: str, uid: str, annotations: Mapping[str, str]
    ) -> bool:
        """Add annotations to exactly this object.

        Returns:
            False when the object no longer exists, or another one has its name.
        """

    def delete_config_map(self, namespace: str, name: str, uid: str) -> bool:
        """Delete exactly this object, and its dependents in the background.

        Returns:
            False when the object no longer exists, or another one has its name.
        """

    def get_job(self, namespace: str, name: str) -> Job | None:
        """Return the Job; None when it does not exist."""

    def list_jobs(self, namespace: str, selector: str) -> list[Job]:
        """Return the Jobs that a label selector matches; those of all namespaces for ""."""

    def jobs_changed(self, namespace: str, selector: str) -> bool | None:
        """Whether a Job that a label selector matches has changed since `list_jobs` read them.

        It takes a second, and hardly anything of the API server when nothing has changed.

        Returns:
            True also when the API server cannot say; None when watching Jobs is forbidden.
        """

    def create_job(self, namespace: str, manifest: Manifest) -> Job | None:
        """Create a Job; return None when one of that name exists, as `create_config_map` does."""

    def dry_run_job(self, namespace: str, manifest: Manifest) -> Job | None:
        """Return the Job as the API server would store it; None when one of that name exists.

        Nothing is stored.

        Raises:
            ClusterError: The creation would be refused.
        """

    def dry_run_pod(self, namespace: str, manifest: Manifest) -> None:
        """Let the API server check the creation of a pod without storing it.

        Raises:
            ClusterError: The creation would be refused.
        """

    def annotate_job(
        self, namespace: str, name: str, uid: str, annotations: Mapping[str, str]
    ) -> bool:
        """Add annotations to exactly this Job.

        Returns:
            False when the Job no longer exists, or another one has its name.
        """

    def suspend_job(self, namespace: str, name: str, uid: str) -> bool:
        """Suspend exactly this Job: its controller deletes the pods that have not ended.

        Returns:
            False when the Job no longer exists, or another one has its name.
        """

    def list_pods(self, namespace: str, selector: str) -> list[Pod]:
        """Return the pods that a label selector matches."""

    def list_deleted_pods(self, namespace: str, selector: str, since: str) -> list[Pod]:
        """Return the pods that a label selector matches and that were deleted, as they were last.

        Args:
            namespace: Theirs.
            selector: The label selector.
            since: The resource version after which they were deleted.

        Returns:
            None of them when watching pods is forbidden, or the API server has forgotten them.
        """

    def delete_pod(self, namespace: str, name: str, uid: str) -> bool:
        """Delete exactly this pod.

        Returns:
            False when the pod no longer exists, or another one has its name.
        """

    def count_schedulable_nodes(self, enough: int) -> int | None:
        """Count the nodes that take pods without tolerations.

        Args:
            enough: Where to stop counting; a cluster may have thousands.

        Returns:
            None when listing nodes is forbidden.
        """

    def count_nodes(self) -> int | None:
        """Count all nodes, by one small request; None when it is forbidden or not said."""

    def server_version(self) -> str | None:
        """Return the API server's version, such as `v1.37.2`; None when it is not said."""

    def list_warnings(self, namespace: str) -> list[Event]:
        """Return the namespace's warning events; none when listing them is forbidden."""

    def list_placements(self, namespace: str) -> list[Placement]:
        """Return where the scheduler placed the namespace's pods lately; none when forbidden."""

    def read_log(self, namespace: str, pod: str, container: str, limit_bytes: int) -> bytes | None:
        """Return the first bytes of a container's log; None when the pod is gone.

        Raises:
            ClusterError: The log cannot be read; also when the pod's node is unreachable.
        """
