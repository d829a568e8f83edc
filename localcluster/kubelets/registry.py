"""A real registry in the namespaces, from which all kubelet hosts pull."""

import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcluster.agent.node import ARCHITECTURES
from localcluster.errors import PlaneError
from localcluster.kubelets.namespaces import Namespaces
from localcluster.processes.identity import Identity

__all__ = ["Registry", "push_all"]

_KPERF = "0.3.5"
_ARCHITECTURE = ARCHITECTURES.get(platform.machine(), platform.machine())
# The repository and tag of each image, its layer, and what a container runs if nothing is said.
# A pod may name any registry: every name leads here.
_IMAGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    f"azure/kperf:{_KPERF}": ("debian", ("--cmd=/bin/bash",)),
    f"azure/kperf-busybox:{_KPERF}": ("busybox", ()),
    f"azure/kperf-scratch:{_KPERF}": ("scratch", ()),
    "pause:3.10": ("pause", ("--entrypoint=/bin/sleep,2147483647",)),
}


@dataclass(frozen=True)
class Registry:
    """The registry of a cluster.

    Attributes:
        namespaces: Of the cluster.
        port: At 127.0.0.1 in the namespaces.
        crane: The program.
    """

    namespaces: Namespaces
    port: int
    crane: Path

    def start(self, folder: Path) -> Identity:
        """Start it. Without manifests, which it keeps in memory, it has no image.

        Args:
            folder: For its blobs and its log.

        Raises:
            PlaneError: It does not answer within 10 s.
        """
        blobs = folder / "registry"
        blobs.mkdir(parents=True, exist_ok=True)
        address = f"127.0.0.1:{self.port}"
        command = [str(self.crane), "registry", "serve", f"--address={address}", f"--disk={blobs}"]
        identity = self.namespaces.start(command, folder, folder / "registry.log")
        deadline = time.monotonic() + 10
        while True:
            try:
                self.namespaces.run(str(self.crane), "catalog", address)
            except PlaneError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return identity

    def push(self, image: str, layer: Path, *options: str, base: str = "") -> None:
        """Make an image of one layer and push it.

        Args:
            image: Repository and tag, such as azure/kperf:0.3.5.
            layer: A tar file, gzipped or not.
            options: Of `crane mutate`, such as --cmd=/bin/sh.
            base: An image of this registry that the layer is added to.

        Raises:
            PlaneError: It failed.
        """
        name = f"127.0.0.1:{self.port}/{image}"
        on = f"--base=127.0.0.1:{self.port}/{base}" if base else "--oci-empty-base"
        self._crane("append", on, f"--new_layer={layer}", f"--new_tag={name}")
        self._crane(
            "mutate", name, f"--tag={name}", f"--set-platform=linux/{_ARCHITECTURE}", *options
        )

    def _crane(self, *arguments: str) -> None:
        self.namespaces.run(str(self.crane), *arguments)


def push_all(registry: Registry, layers: Mapping[str, Path]) -> None:
    """Push every image that kubelet hosts offer.

    Args:
        registry: A running one.
        layers: By name.
    """
    path = "--env=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    for image, (layer, options) in _IMAGES.items():
        registry.push(image, layers[layer], path, *options)
