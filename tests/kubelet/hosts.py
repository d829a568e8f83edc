"""What tests do to kubelet hosts: kill and repair their daemons, and push images."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass

from localcluster.kubelets.record import KubeletRecord, load_kubelets
from localcluster.paths import ClusterFolder
from localcluster.processes.identity import is_alive
from localcluster.processes.signals import send_signal
from tests.cluster.hosts import HOSTS_OPTIONS, localcluster, push_image

__all__ = ["KubeletHosts"]


@dataclass(frozen=True)
class KubeletHosts:
    """The kubelet hosts of the session's cluster.

    Attributes:
        cluster: The cluster's folder.
    """

    cluster: ClusterFolder

    def kill(self, daemon: str) -> None:
        """Kill a daemon such as `kubelet-1`; its containers run on."""
        identity = self._record.daemons[daemon]
        send_signal(identity, signal.SIGKILL)
        while is_alive(identity):
            time.sleep(0.02)

    def freeze(self, daemon: str) -> None:
        """Stop a daemon without ending it, as when a machine hangs."""
        send_signal(self._record.daemons[daemon], signal.SIGSTOP)

    def thaw(self, daemon: str) -> None:
        """Let a frozen daemon go on."""
        send_signal(self._record.daemons[daemon], signal.SIGCONT)

    def repair(self, *options: str) -> None:
        """Start all daemons that do not run, and wait until the nodes are ready."""
        localcluster(self.cluster, "up", *HOSTS_OPTIONS, *options)

    def log_bytes(self, namespace: str, pod: str, container: str = "runner") -> int:
        """Return the size of all files of a container's log on its node."""
        found = self.cluster.kubelets.glob(f"*/logs/{namespace}_{pod}_*/{container}/*.log*")
        return sum(path.stat().st_size for path in found)

    def push(self, image: str, files: Mapping[str, bytes], base: str = "azure/kperf:0.3.5") -> str:
        """Push an image with some more programs than its base; return its name for a pod."""
        push_image(self.cluster, image, files, base)
        return f"ghcr.io/{image}"

    @property
    def _record(self) -> KubeletRecord:
        record = load_kubelets(self.cluster)
        assert record is not None
        return record
