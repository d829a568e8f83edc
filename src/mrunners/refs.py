"""What names a cluster and a run; neither needs to exist."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ClusterLocation", "ClusterRef", "RunRef"]


@dataclass(frozen=True, slots=True)
class ClusterRef:
    """Names a cluster, as the user gave it.

    Attributes:
        kubeconfig: A path, a Prefect block in flows, or empty: `KUBECONFIG` or the default file,
            and in a pod without either the pod's token.
        context: A context of the kubeconfig; empty means its current one.
        max_qps: How many requests per second it is to be sent at most; empty means no limit.
    """

    kubeconfig: str = ""
    context: str = ""
    max_qps: str = ""


@dataclass(frozen=True, slots=True)
class ClusterLocation:
    """Where a cluster turned out to be.

    Attributes:
        server: The API server's URL.
        context: The kubeconfig's context; empty means the pod's own cluster.
        namespace: The context's namespace, or the pod's own; empty when the context sets none.
    """

    server: str
    context: str = ""
    namespace: str = ""

    def __str__(self) -> str:
        """Return the server and how it was chosen."""
        chosen = f"context {self.context}" if self.context else "the pod's own cluster"
        return f"{self.server} ({chosen})"


@dataclass(frozen=True, slots=True, order=True)
class RunRef:
    """Names a run.

    Attributes:
        namespace: The Kubernetes namespace of the tracker and its Jobs.
        tracker: The name of the tracker, a ConfigMap.
    """

    namespace: str
    tracker: str

    def __str__(self) -> str:
        """Return `namespace/tracker`."""
        return f"{self.namespace}/{self.tracker}"
