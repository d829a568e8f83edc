"""What tests do to kubelet hosts beside losing a node: kill any of their daemons."""

from __future__ import annotations

import signal
from collections.abc import Mapping

from localcluster.kubelets.record import KubeletRecord, load_kubelets
from localcluster.lifecycle.record import load_record
from localcluster.processes.signals import send_signal
from tests.cluster.hosts import Hosts, kill, push_image

__all__ = ["KubeletHosts"]


class KubeletHosts(Hosts):
    """The kubelet hosts of the session's cluster."""

    def kill(self, daemon: str) -> None:
        """Kill a daemon such as `containerd-1`; its containers run on."""
        kill(self._record.daemons[daemon])

    def push_onto(self, base: str, image: str, files: Mapping[str, bytes]) -> str:
        """Push an image with some more programs than its base; return its name for a pod."""
        push_image(self.cluster, image, files, base)
        return f"ghcr.io/{image}"

    def kill_component(self, name: str) -> None:
        """Kill a part of the control plane, such as kube-apiserver."""
        kill(load_record(self.cluster).components[name])

    def freeze(self, daemon: str) -> None:
        """Stop a daemon without ending it, as when a machine hangs."""
        send_signal(self._record.daemons[daemon], signal.SIGSTOP)

    def thaw(self, daemon: str) -> None:
        """Let a frozen daemon go on."""
        send_signal(self._record.daemons[daemon], signal.SIGCONT)

    @property
    def _record(self) -> KubeletRecord:
        record = load_kubelets(self.cluster)
        assert record is not None
        return record
