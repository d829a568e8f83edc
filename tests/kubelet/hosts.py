"""What tests do to kubelet hosts: kill and repair their daemons, and push images."""

from __future__ import annotations

import io
import signal
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcluster.kubelets.cluster import namespaces_of
from localcluster.kubelets.record import KubeletRecord, load_kubelets
from localcluster.kubelets.registry import Registry
from localcluster.paths import ClusterFolder
from localcluster.processes.identity import is_alive
from localcluster.processes.signals import send_signal
from tests.cluster.hosts import HOSTS_OPTIONS, localcluster

__all__ = ["KubeletHosts"]


@dataclass(frozen=True)
class KubeletHosts:
    """The kubelet hosts of the session's cluster.

    Attributes:
        cluster: The cluster's folder.
        bin_folder: The built binaries.
        scratch: A folder for layers.
    """

    cluster: ClusterFolder
    bin_folder: Path
    scratch: Path

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

    def log_bytes(self, namespace: str, pod: str) -> int:
        """Return the size of all files of a container's log on its node."""
        found = self.cluster.kubelets.glob(f"*/logs/{namespace}_{pod}_*/runner/*.log*")
        return sum(path.stat().st_size for path in found)

    def push(self, image: str, files: Mapping[str, bytes], base: str = "azure/kperf:0.3.5") -> str:
        """Push an image with some more programs; return its name.

        Args:
            image: Repository and tag.
            files: The content of each, by its path.
            base: The image below.
        """
        layer = self.scratch / f"{image.replace('/', '-').replace(':', '-')}.tar"
        with tarfile.open(layer, "w") as archive:
            for path, content in files.items():
                info = tarfile.TarInfo(path.lstrip("/"))
                info.mode, info.size = 0o755, len(content)
                archive.addfile(info, io.BytesIO(content))
        record = self._record
        crane = self.bin_folder / "crane"
        registry = Registry(namespaces_of(record), record.registry_port, crane)
        registry.push(image, layer, base=base)
        return f"ghcr.io/{image}"

    @property
    def _record(self) -> KubeletRecord:
        record = load_kubelets(self.cluster)
        assert record is not None
        return record
