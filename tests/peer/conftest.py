"""One control plane for the peer's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peer.group_server import PeerCluster, peer_cluster


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeerCluster]:
    """A real API server and the real controllers, without nodes."""
    with peer_cluster(tmp_path_factory.mktemp("peer")) as cluster:
        yield cluster
