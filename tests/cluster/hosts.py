"""On which kind of hosts the cluster tests run, and what tests do to these hosts.

`MRUNNERS_TEST_HOSTS=kubelet` runs them on real kubelets, for which a machine needs root.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcluster.agent.path_rewrite import rewrite_paths
from localcluster.binaries.builder import binary_folder
from localcluster.kubelets.cluster import namespaces_of
from localcluster.kubelets.record import load_kubelets
from localcluster.kubelets.registry import Registry
from localcluster.lifecycle.record import load_record
from localcluster.paths import ClusterFolder
from localcluster.processes.identity import Identity, is_alive
from localcluster.processes.signals import send_signal
from tests.cluster.env import FAKE_KPERF

__all__ = [
    "HOSTS",
    "HOSTS_OPTIONS",
    "ON_KUBELETS",
    "Hosts",
    "kill",
    "localcluster",
    "push_fake_kperf",
    "push_image",
]

HOSTS = os.environ.get("MRUNNERS_TEST_HOSTS", "process")
ON_KUBELETS = HOSTS == "kubelet"

_FAKE = Path(__file__).parents[1] / "faults" / "fake_kperf"

HOSTS_OPTIONS = (
    ("--kubelet-hosts", "2")
    if ON_KUBELETS
    else ("--process-hosts", "4", "--image", f"{FAKE_KPERF}=/kperf:{_FAKE}")
)


@dataclass(frozen=True)
class Hosts:
    """The nodes of the session's cluster, of whichever kind they are.

    Attributes:
        cluster: The cluster's folder.
    """

    cluster: ClusterFolder

    @property
    def names(self) -> set[str]:
        """The names of the nodes."""
        return {f"kubelet-{i}" for i in (1, 2)} if ON_KUBELETS else set(self._agents)

    def lose(self, node: str) -> None:
        """Kill a node's kubelet, or what acts for it; its containers run on."""
        kill(_kubelet(self.cluster, node) if ON_KUBELETS else self._agents[node])

    def repair(self, *options: str) -> None:
        """Start everything that does not run, and wait until the nodes are ready."""
        localcluster(self.cluster, "up", *HOSTS_OPTIONS, *options)

    def log_bytes(self, pod: Mapping[str, Any], container: str = "runner") -> int:
        """Return the size of all files of a container's log on its node."""
        metadata = pod["metadata"]
        if ON_KUBELETS:
            name = f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"
            found = self.cluster.kubelets.glob(f"*/logs/{name}/{container}/*.log*")
        else:
            host = self.cluster.host(pod["spec"]["nodeName"])
            found = (host.pods / metadata["uid"]).glob(f"containers/{container}/*/log*")
        return sum(path.stat().st_size for path in found)

    def push(self, image: str, files: Mapping[str, bytes]) -> str:
        """Offer an image with some more programs than kperf's; return its name for a pod.

        On process hosts, the next `repair` withdraws it.
        """
        name = f"ghcr.io/{image}"
        if ON_KUBELETS:
            push_image(self.cluster, image, files)
            return name
        folder = self.cluster.path.parent / "images" / image.replace("/", "_")
        folder.mkdir(parents=True, exist_ok=True)
        paths = {path: str(folder / path.lstrip("/")) for path in files}
        for path, content in files.items():
            # A process host replaces the paths in commands only, and not in scripts.
            script = content.startswith(b"#!")
            text = rewrite_paths(content.decode(), paths).encode() if script else content
            Path(paths[path]).write_bytes(text)
            Path(paths[path]).chmod(0o755)
        paths = {"/kperf": str(binary_folder(os.environ) / "kperf")} | paths
        self.repair(*(f"--image={name}={path}:{file}" for path, file in paths.items()))
        return name

    @property
    def _agents(self) -> Mapping[str, Identity]:
        return load_record(self.cluster).agents


def kill(process: Identity) -> None:
    """Kill a process and wait until it has ended."""
    send_signal(process, signal.SIGKILL)
    while is_alive(process):
        time.sleep(0.02)


def _kubelet(folder: ClusterFolder, name: str) -> Identity:
    record = load_kubelets(folder)
    assert record is not None
    return record.daemons[name]


def localcluster(folder: ClusterFolder, command: str, *options: str) -> None:
    """Run a command of the local cluster.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    environ = {**os.environ, "MRUNNERS_LOCALCLUSTER_STATE": str(folder.path.parent)}
    words = [sys.executable, "-m", "localcluster", command, "--name", folder.name, *options]
    subprocess.run(words, env=environ, check=True, stdout=subprocess.DEVNULL)


def push_fake_kperf(folder: ClusterFolder) -> None:
    """Give kubelet hosts the image that process hosts have by an option."""
    if ON_KUBELETS:
        push_image(folder, FAKE_KPERF, {"/kperf": _FAKE.read_bytes()})


def push_image(
    folder: ClusterFolder, image: str, files: Mapping[str, bytes], base: str = "azure/kperf:0.3.5"
) -> None:
    """Push an image with some more programs into the registry of kubelet hosts.

    Args:
        folder: The cluster's.
        image: Repository and tag; a pod may name any registry before it.
        files: The content of each program, by its path.
        base: The image below.
    """
    record = load_kubelets(folder)
    assert record is not None
    crane = binary_folder(os.environ) / "crane"
    registry = Registry(namespaces_of(record), record.registry_port, crane)
    with tempfile.NamedTemporaryFile(suffix=".tar") as layer:
        with tarfile.open(fileobj=layer, mode="w") as archive:
            for path, content in files.items():
                info = tarfile.TarInfo(path.lstrip("/"))
                info.mode, info.size = 0o755, len(content)
                archive.addfile(info, io.BytesIO(content))
        layer.flush()
        registry.push(image, Path(layer.name), base=base)
