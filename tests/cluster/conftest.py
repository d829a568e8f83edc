"""Fixtures that the tests of commands share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localcluster.paths import ClusterFolder
from tests.cluster.env import NewEnv
from tests.cluster.hosts import Hosts
from tests.cluster.whole_run import WholeRun, complete_run


@pytest.fixture(scope="session")
def whole(new_env: NewEnv) -> Iterator[WholeRun]:
    """A finished run of six pods; tests must not change it."""
    with new_env("whole") as env:
        yield complete_run(env)


@pytest.fixture(scope="session")
def hosts(cluster_folder: ClusterFolder) -> Hosts:
    """The nodes of the session's cluster."""
    return Hosts(cluster_folder)
