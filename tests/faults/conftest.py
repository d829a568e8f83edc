"""A Prefect server for these tests alone, because they kill it, and the sum of what they count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import astuple
from typing import cast

import pytest

from tests.cluster.commands import Kubectl
from tests.faults.harness import Harness
from tests.faults.tally import PROPERTY, Tally


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


@pytest.fixture
def record_tally(request: pytest.FixtureRequest) -> Callable[[Tally], None]:
    """Record what a test counted, for the line at the end."""

    def record(tally: Tally) -> None:
        request.node.user_properties.append((PROPERTY, astuple(tally)))

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the sum of what all tests counted, also those of other processes."""
    tallies = [
        Tally(*cast("tuple[int, ...]", value))
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    if tallies:
        terminalreporter.write_line(str(Tally.total(tallies)))
