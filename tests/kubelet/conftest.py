"""Tests on real kubelets: `make test-kubelet`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from localcluster.paths import ClusterFolder
from tests.cluster.hosts import ON_KUBELETS
from tests.kubelet.hosts import KubeletHosts

_FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def hosts(cluster_folder: ClusterFolder) -> KubeletHosts:
    """The kubelet hosts of the session's cluster."""
    assert ON_KUBELETS, "run these tests with `make test-kubelet`"
    return KubeletHosts(cluster_folder)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Adds a line to the figures that are printed at the end. No test asserts a time."""
    return request.config.stash.setdefault(_FIGURES, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the figures."""
    if lines := config.stash.get(_FIGURES, []):
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(line)
