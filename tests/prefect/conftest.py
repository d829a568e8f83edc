"""A Prefect server with the project's deployments, and one process worker for all of them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.commands import CHECKOUT, Kubectl, bare_environment, end
from tests.prefect.server import POOL, PrefectServer, program


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, prefect_api: str, prefect_home: Path
) -> PrefectServer:
    """The session's Prefect server."""
    folder = tmp_path_factory.mktemp("prefect-client")
    environ = {
        **bare_environment(),
        "HOME": str(folder),
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": prefect_api,
        "DO_NOT_TRACK": "1",
    }
    return PrefectServer(
        prefect_api, prefect_home / "prefect.db", prefect_home / "log", environ, folder
    )


@pytest.fixture(scope="session")
def deployed(server: PrefectServer) -> PrefectServer:
    """The server with the work pool and the project's deployments."""
    # The commands in the README may have created one already, if all tests share a server.
    created = server.prefect("work-pool", "create", "--overwrite", "--type", "process", POOL)
    assert created.code == 0, created.stderr
    clean = server.folder / "deployments"
    clean.mkdir()
    (clean / "prefect.yaml").write_text((CHECKOUT / "prefect.yaml").read_text())
    done = server.prefect("deploy", "--all", cwd=clean)
    assert done.code == 0, done.stdout + done.stderr
    return server


@pytest.fixture(scope="session")
def worker(deployed: PrefectServer, kubectl: Kubectl) -> Iterator[PrefectServer]:
    """The server with the deployments and with a worker that runs them."""
    environ = {
        **deployed.environ,
        "KUBECONFIG": str(kubectl.kubeconfig),
        "XDG_STATE_HOME": str(deployed.folder / "state"),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }
    with (deployed.folder / "worker.log").open("w") as log:
        process = subprocess.Popen(
            [program("prefect"), "worker", "start", "--pool", POOL, "--type", "process"],
            env=environ,
            cwd=deployed.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            yield deployed
        finally:
            end(process)
