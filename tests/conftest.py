"""The real control plane of this test session, and one Prefect server for all its runs.

Each starts when the first test needs it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster.binaries.builder import binary_folder
from localcluster.paths import ClusterFolder
from localcluster.paths import cluster_folder as cluster_folder_of
from tests.cluster.commands import Finished, Kubectl, Mrunners, bare_environment, end
from tests.cluster.credentials import account_kubeconfig
from tests.cluster.env import Env, NewEnv, roles
from tests.cluster.fault_rows import Cost, FaultRow, Figure, add_rows, record_row
from tests.cluster.hosts import HOSTS, HOSTS_OPTIONS, localcluster, push_fake_kperf
from tests.no_deadlines import load_no_deadlines
from tests.prefect.server import StartingServer, wait_until_healthy

# The name under which a test's report carries a line of figures, also from another process.
_FIGURE = "figure"

load_no_deadlines()

# A shell that starts the tests in the background makes them ignore SIGINT. All processes that they
# start inherit that, and a shell cannot trap a signal that was ignored when it started.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A worker of pytest-xdist has the width of the terminal there, and what is piped would honor it.
os.environ.pop("COLUMNS", None)


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the database and the log of the session's Prefect server."""
    return tmp_path_factory.mktemp("prefect-server")


@pytest.fixture(scope="session")
def prefect_process(prefect_home: Path) -> Iterator[StartingServer]:
    """A Prefect server that is still starting."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = {
        **bare_environment(),
        "PREFECT_HOME": str(prefect_home),
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    program = Path(sys.executable).parent / "prefect"
    log = prefect_home / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [program, "server", "start", "--host", "127.0.0.1"],
            env=environ,
            stdout=output,
            stderr=output,
        )
        yield StartingServer(f"http://127.0.0.1:{port}/api", server, log)
        end(server)


@pytest.fixture(scope="session")
def cluster_folder(
    tmp_path_factory: pytest.TempPathFactory, prefect_process: StartingServer
) -> Iterator[ClusterFolder]:
    """A running cluster for this session: of four process hosts, or of two kubelet hosts."""
    del prefect_process  # only so that the server starts at the same time
    state = tmp_path_factory.mktemp("cluster")
    environ = {**os.environ, "MRUNNERS_LOCALCLUSTER_STATE": str(state)}
    folder = cluster_folder_of(f"tests-{uuid.uuid4().hex[:8]}", environ)
    try:
        localcluster(folder, "up", *HOSTS_OPTIONS)
        push_fake_kperf(folder)
        yield folder
    finally:
        localcluster(folder, "down")


@pytest.fixture(scope="session")
def kubectl(cluster_folder: ClusterFolder) -> Kubectl:
    """kubectl as the administrator of the session's cluster."""
    return Kubectl(binary_folder(os.environ) / "kubectl", cluster_folder.kubeconfig)


@pytest.fixture(scope="session")
def prefect_api(prefect_process: StartingServer, kubectl: Kubectl) -> str:
    """The API URL of the session's Prefect server, once it is healthy."""
    del kubectl

    wait_until_healthy(prefect_process)
    return prefect_process.api


@pytest.fixture(scope="session")
def new_env(tmp_path_factory: pytest.TempPathFactory, kubectl: Kubectl, prefect_api: str) -> NewEnv:
    """Creates an Env in a new namespace, for fixtures that several tests share."""
    counter = itertools.count()

    @contextlib.contextmanager
    def make(name: str) -> Iterator[Env]:
        short = re.sub(r"[^a-z0-9]+", "-", name.lower())[:40].strip("-")
        namespace = f"{short}-{next(counter)}"
        folder = tmp_path_factory.mktemp("env")
        kubectl.apply(*roles(namespace))
        namespaced_kubectl = Kubectl(kubectl.program, kubectl.kubeconfig, namespace)
        # Never the administrator's: so every test shows that the example roles are enough.
        kubeconfig = account_kubeconfig(namespaced_kubectl, "mrunners", folder)
        mrunners = Mrunners(
            {
                **bare_environment(),
                "HOME": str(folder),
                "XDG_STATE_HOME": str(folder / "state"),
                "PREFECT_HOME": str(folder / "prefect"),
                "PREFECT_API_URL": prefect_api,
                "KUBECONFIG": str(kubeconfig),
            }
        )
        try:
            yield Env(namespace, mrunners, namespaced_kubectl, folder)
        finally:
            # Its pods must not use the machine during the next test.
            kubectl("delete", "namespace", namespace, "--wait=false")

    return make


@pytest.fixture
def env(new_env: NewEnv, request: pytest.FixtureRequest) -> Iterator[Env]:
    """An Env in a namespace of the test's own."""
    with new_env(request.node.name.removeprefix("test_")) as env:
        yield env


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Adds a line to the figures that are printed at the end. No test asserts a time."""

    def record(line: str) -> None:
        request.node.user_properties.append((_FIGURE, line))

    return record


@pytest.fixture
def cost(request: pytest.FixtureRequest, env: Env) -> Cost:
    """Adds what a fault cost to the table of faults, from what `result` printed after it.

    How many reports there should be, and how many pods were made, is what the cluster says.
    """

    def record(fault: str, result: Finished) -> None:
        coverage = result.report["coverage"]
        jobs = [(job["spec"]["completions"], job["status"]) for job in env.kubectl.objects("jobs")]
        expected = sum(completions for completions, _ in jobs)
        pods = [
            sum(status.get(state, 0) for state in ("active", "succeeded", "failed"))
            for _, status in jobs
        ]
        row = FaultRow(
            fault=fault,
            hosts=HOSTS,
            runs=1,
            expected=expected,
            fetched=coverage["merged"],
            missing=dict(Counter(one["reason"] for one in coverage["missing"])),
            lost=expected - coverage["merged"] - len(coverage["missing"]),
            twice=sum(
                max(0, made - completions)
                for made, (completions, _) in zip(pods, jobs, strict=True)
            ),
            false_success=int(result.code == 0 and coverage["merged"] < expected),
        )
        record_row(request, row)

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures, and keep what faults cost for the table in docs/reliability.md."""
    reports = [
        report
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
    ]
    add_rows(reports)
    for report in reports:
        for name, line in report.user_properties:
            if name == _FIGURE:
                terminalreporter.write_line(str(line))
