"""One control plane for the tests that compare mrunners with kperf's own merge."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peer.group_server import PeerCluster, peer_cluster


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeerCluster]:
    """Start a real API server and the real controllers, without nodes."""
    with peer_cluster(tmp_path_factory.mktemp("peer")) as cluster:
        yield cluster
