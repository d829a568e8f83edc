"""One Prefect server of its own for all kills: others' runs must not lose theirs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.commands import Kubectl
from tests.faults.harness import Stage


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, kubectl: Kubectl) -> Iterator[Stage]:
    """A server with the deployment; no worker."""
    stage = Stage(tmp_path_factory.mktemp("faults"), kubectl.kubeconfig)
    try:
        stage.start_server()
        stage.deploy()
        yield stage
    finally:
        stage.end("worker", "server")


@pytest.fixture
def stage(server: Stage) -> Iterator[Stage]:
    """The same, with a worker."""
    server.start_worker()
    yield server
    server.end("worker")
