"""Local clusters for benchmarks, and namespaces in them."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from localcluster.binaries.builder import binary_folder
from tests.cluster.commands import Kubectl, bare_environment, until
from tests.localcluster.env import LocalCluster

__all__ = ["Bench", "bench_cluster"]


@dataclass(frozen=True)
class Bench:
    """A cluster for one benchmark alone.

    Attributes:
        folder: A folder for files, deleted at the end.
        cluster: The cluster.
        kubectl: The program as administrator.
    """

    folder: Path
    cluster: LocalCluster
    kubectl: Kubectl

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables of commands that use the cluster."""
        return {
            **bare_environment(),
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.kubectl.kubeconfig),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "DO_NOT_TRACK": "1",
        }

    def program(self, name: str) -> Path:
        """Return the path of a program that was built with the cluster."""
        return binary_folder(os.environ) / name

    @contextlib.contextmanager
    def namespace(self) -> Iterator[Kubectl]:
        """Create a namespace; delete it at the end, so that the next run begins like this one."""
        name = f"bench-{uuid.uuid4().hex[:8]}"
        self.kubectl("create", "namespace", name)
        inside = Kubectl(self.kubectl.program, self.kubectl.kubeconfig, name)
        try:
            until("the ServiceAccount exists", lambda: "default" in inside.names("serviceaccounts"))
            yield inside
        finally:
            self.kubectl("delete", "namespace", name, "--wait=true")


@contextlib.contextmanager
def bench_cluster(*options: str) -> Iterator[Bench]:
    """Start a cluster with these options of `localcluster up`; stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="mrunners-bench-") as name:
        folder = Path(name)
        cluster = LocalCluster(folder / "clusters", f"bench-{uuid.uuid4().hex[:8]}")
        try:
            cluster.up(*options)
            yield Bench(
                folder,
                cluster,
                Kubectl(binary_folder(os.environ) / "kubectl", cluster.folder / "kubeconfig"),
            )
        finally:
            cluster.down()
