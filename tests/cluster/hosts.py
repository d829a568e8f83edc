"""On which kind of hosts the cluster tests run, and how their cluster is changed.

`MRUNNERS_TEST_HOSTS=kubelet` runs them on real kubelets, for which a machine needs root.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from localcluster.binaries.builder import binary_folder
from localcluster.kubelets.cluster import namespaces_of
from localcluster.kubelets.record import load_kubelets
from localcluster.kubelets.registry import Registry
from localcluster.paths import ClusterFolder
from tests.cluster.env import FAKE_KPERF

__all__ = ["HOSTS", "HOSTS_OPTIONS", "ON_KUBELETS", "localcluster", "push_fake_kperf", "push_image"]

HOSTS = os.environ.get("MRUNNERS_TEST_HOSTS", "process")
ON_KUBELETS = HOSTS == "kubelet"

_FAKE = Path(__file__).parents[1] / "faults" / "fake_kperf"

HOSTS_OPTIONS = (
    ("--kubelet-hosts", "2")
    if ON_KUBELETS
    else ("--process-hosts", "4", "--image", f"{FAKE_KPERF}=/kperf:{_FAKE}")
)


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
