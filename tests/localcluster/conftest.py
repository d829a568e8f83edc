from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.localcluster.env import LocalCluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A running cluster that the tests share; each test uses its own object names."""
    shared = LocalCluster(tmp_path_factory.mktemp("shared"), "shared")
    shared.up("--process-hosts", "3")
    yield shared
    shared.down()
    assert shared.processes() == []


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[LocalCluster]:
    """A cluster for one test, not started yet."""
    own = LocalCluster(tmp_path, "fresh")
    yield own
    own.down()
    assert own.processes() == []
    assert list(tmp_path.iterdir()) == []
