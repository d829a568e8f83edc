"""Tests on real kubelets: `make test-kubelet`."""

from __future__ import annotations

import os

import pytest

from localcluster.binaries.builder import binary_folder
from localcluster.paths import ClusterFolder
from tests.cluster.hosts import ON_KUBELETS
from tests.kubelet.hosts import KubeletHosts


@pytest.fixture(scope="session")
def hosts(
    cluster_folder: ClusterFolder, tmp_path_factory: pytest.TempPathFactory
) -> KubeletHosts:
    """The kubelet hosts of the session's cluster."""
    assert ON_KUBELETS, "run these tests with `make test-kubelet`"
    scratch = tmp_path_factory.mktemp("layers")
    return KubeletHosts(cluster_folder, binary_folder(os.environ), scratch)
