"""A Prefect server for these tests alone, because they kill it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.commands import Kubectl
from tests.faults.harness import Harness


@pytest.fixture(scope="session")
def harness_without_worker(
    tmp_path_factory: pytest.TempPathFactory, kubectl: Kubectl
) -> Iterator[Harness]:
    """A server with the deployments; no worker."""
    harness = Harness(tmp_path_factory.mktemp("faults"), kubectl.kubeconfig)
    try:
        harness.start_server()
        harness.deploy()
        yield harness
    finally:
        harness.end("worker", "server")


@pytest.fixture
def harness(harness_without_worker: Harness) -> Iterator[Harness]:
    """The same with a worker."""
    harness_without_worker.start_worker()
    yield harness_without_worker
    harness_without_worker.end("worker")
