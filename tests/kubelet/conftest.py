"""Tests of what only real kubelets do: `make test-kubelet`."""

from __future__ import annotations

import pytest

from localcluster.paths import ClusterFolder
from tests.cluster.hosts import ON_KUBELETS
from tests.kubelet.hosts import KubeletHosts


@pytest.fixture(scope="session")
def hosts(cluster_folder: ClusterFolder) -> KubeletHosts:
    """The kubelet hosts of the session's cluster."""
    assert ON_KUBELETS, "run these tests with `make test-kubelet`"
    return KubeletHosts(cluster_folder)
