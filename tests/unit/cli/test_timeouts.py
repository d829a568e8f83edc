"""The timeout of `wait` holds from the command's start: while it connects and finds the run too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from mrunners.errors import ExitCode, WaitTimeoutError
from mrunners.refs import ClusterRef
from mrunners_cli.exits import exit_code_of
from mrunners_cli.main import cli
from mrunners_tasks.runs import find_run
from tests.fakes import FakeCluster
from tests.unit.env import deploy, planned
from tests.unit.kube.apiserver import ApiServer, refuses, says, serving

SIGNS_IN = {
    "exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-c", "import time; time.sleep(1000)"],
    }
}


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """An API server that returns the tracker of a run, and then is overloaded."""
    cluster = FakeCluster()
    deploy(cluster, planned())
    tracker = {"apiVersion": "v1", **cluster.raw("ConfigMap", "mrunners")}
    with serving() as server:
        server.answers.extend([says(tracker), *[refuses(503)] * 999])
        yield server


def wait(kubeconfig: str) -> Callable[[], object]:
    args = ["wait", "load", "--tracker", "mrunners", "--timeout", "1s", "--kubeconfig", kubeconfig]
    return lambda: cli(args, standalone_mode=False)


@pytest.mark.parametrize(
    ("user", "cause"),
    [
        ({}, "list jobs.batch in namespace load failed"),
        (SIGNS_IN, "did not end within 1s; sign in first"),
    ],
)
def test_a_wait_for_a_run_that_cannot_be_read_ends_at_its_timeout(
    api: ApiServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    user: Mapping[str, object],
    cause: str,
) -> None:
    kubeconfig = api.kubeconfig(tmp_path, **user)
    assert exit_code_of(wait(kubeconfig)) == ExitCode.TIMEOUT
    *_, said, advice = capsys.readouterr().err.splitlines()
    assert said.startswith(
        "error: timed out after 1s: the run of tracker load/mrunners could not be read ("
    )
    assert cause in said
    assert advice == (
        f"  wait for it with: mrunners wait load --tracker mrunners --kubeconfig {kubeconfig}"
    )


def test_the_step_that_finds_a_run_ends_at_the_timeout_of_the_wait_after_it(
    api: ApiServer, tmp_path: Path
) -> None:
    cluster = ClusterRef(api.kubeconfig(tmp_path))
    with pytest.raises(WaitTimeoutError):
        find_run.fn(cluster, "load", "mrunners", "1s")
