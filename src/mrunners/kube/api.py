"""What mrunners needs of a cluster, as a Protocol: the real client and the tests' fake keep to it.

It must not import a client, so that all that decides can be tested without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from mrunners.kube.objects import ConfigMap, Event, Job, Pod
from mrunners.plan.metadata import Manifest

__all__ = ["Cluster"]


class Cluster(Protocol):
    """One API server, seen through the few verbs that a run needs.

    Every method retries what may pass, within the patience of the command, and raises a
    `mrunners.errors.ClusterError` for the rest. `get_*` return None and `create_*` return None
    where the answer is 404 or 409: both are facts to decide on, not errors.
    """

    @property
    def requests(self) -> int:
        """How many requests were sent so far, retries included."""

    def now(self) -> datetime:
        """The API server's own clock: ages of its objects are never judged by ours."""

    def get_config_map(self, namespace: str, name: str) -> ConfigMap | None:
        """The ConfigMap, or None."""

    def list_config_maps(self, namespace: str, selector: str) -> list[ConfigMap]:
        """The ConfigMaps that a label selector matches."""

    def create_config_map(self, namespace: str, manifest: Manifest) -> ConfigMap | None:
        """Create it; None when one of that name exists.

        After an ambiguous answer the request is sent again, so None may also mean that our own
        first request was carried out: compare what is there.
        """

    def dry_run_config_map(self, namespace: str, manifest: Manifest) -> None:
        """Let the API server do all that it does on creating it, but for keeping it.

        Raises: InvalidInputError: there is no such namespace. ClusterError: it would be refused.
        """

    def annotate_config_map(
        self, namespace: str, name: str, uid: str, annotations: Mapping[str, str]
    ) -> bool:
        """Add annotations to exactly this object; False when it is gone or another."""

    def delete_config_map(self, namespace: str, name: str, uid: str) -> bool:
        """Delete exactly this object, dependents in the background; False when it is gone."""

    def get_job(self, namespace: str, name: str) -> Job | None:
        """The Job, or None."""

    def list_jobs(self, namespace: str, selector: str) -> list[Job]:
        """The Jobs that a label selector matches, by one LIST."""

    def create_job(self, namespace: str, manifest: Manifest) -> Job | None:
        """Create it; None when one of that name exists (see create_config_map)."""

    def list_pods(self, namespace: str, selector: str) -> list[Pod]:
        """The pods that a label selector matches."""

    def list_warnings(self, namespace: str) -> list[Event]:
        """The namespace's warning events about Jobs and pods; empty when listing is forbidden."""

    def read_log(self, namespace: str, pod: str, *, limit_bytes: int) -> bytes | None:
        """The runner container's log, its first limit_bytes; None when the pod is gone.

        Raises: ClusterError: also when the node that has the log cannot be reached.
        """
