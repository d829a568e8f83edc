"""Tests on real kubelets: `make test-kubelet`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from localcluster.paths import ClusterFolder
from tests.cluster.commands import Finished
from tests.cluster.fault_rows import FaultRow, record_row
from tests.cluster.hosts import HOSTS, ON_KUBELETS
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


@pytest.fixture
def cost(request: pytest.FixtureRequest) -> Callable[[str, Finished], None]:
    """Adds what a fault cost to the table of faults, from what `result` printed after it."""

    def record(fault: str, result: Finished) -> None:
        coverage = result.report["coverage"]
        unreasoned = [one for one in coverage["missing"] if not one["reason"]]
        row = FaultRow(
            fault=fault,
            hosts=HOSTS,
            runs=1,
            expected=coverage["expected"],
            fetched=coverage["merged"],
            missing=Counter(one["reason"] for one in coverage["missing"]),
            lost=len(unreasoned),
            false_success=int(result.code == 0 and coverage["merged"] < coverage["expected"]),
        )
        record_row(request, row)

    return record


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the figures."""
    if lines := config.stash.get(_FIGURES, []):
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(line)
