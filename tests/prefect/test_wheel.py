"""The wheel in a fresh venv without a lock file, inside a project with `tasks` and `flows`."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cluster.commands import CHECKOUT, Finished, Kubectl, bare_environment, end, until
from tests.cluster.env import Env, profile_text
from tests.prefect.server import PrefectServer, StartingServer, wait_until_healthy

_DEPLOYMENTS = """\
name: host
pull: []
deployments:
  - name: installed
    entrypoint: mrunners_flows.new_run.multirunners
    work_pool: {{name: installed}}
    schedules: [{{interval: 20, active: true}}]
    parameters:
      options:
        namespace: {namespace}
        runner_image: ghcr.io/azure/kperf:0.3.5
        service_account: kperf-runner
        runners: ["{runner}"]
"""


@dataclass(frozen=True)
class Host:
    """A project of a user's own, with mrunners installed.

    Attributes:
        folder: it holds packages named `tasks` and `flows`.
        programs: the venv's bin.
    """

    folder: Path
    programs: Path

    def run(self, environ: dict[str, str], program: str, *words: str) -> Finished:
        done = subprocess.run(
            [self.programs / program, *words],
            env=environ,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """The wheel that hatchling builds, with the newest of everything that it allows."""
    folder = tmp_path_factory.mktemp("host")
    source = folder / "source"
    names = ["src", "tasks", "flows", "pyproject.toml", "README.md", "LICENSE"]
    for name in names:
        there = CHECKOUT / name
        if there.is_dir():
            shutil.copytree(there, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            source.mkdir(exist_ok=True)
            shutil.copy(there, source / name)
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    install = [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, str(source)], check=True)
    project = folder / "project"
    for name in ("tasks", "flows"):
        (project / name).mkdir(parents=True)
        (project / name / "__init__.py").write_text('WHOSE = "the host project\'s"\n')
    return Host(project, venv / "bin")


def test_the_hosts_own_packages_are_not_disturbed(host: Host, server: PrefectServer) -> None:
    code = (
        "import tasks, flows, mrunners_flows.new_run, mrunners_tasks; "
        "print(tasks.WHOSE, flows.WHOSE)"
    )
    done = host.run(dict(server.environ), "python", "-c", code)
    assert (done.code, done.stdout) == (0, "the host project's the host project's\n"), done.stderr


@pytest.fixture
def own_server(host: Host, kubectl: Kubectl, tmp_path: Path) -> Iterator[PrefectServer]:
    """A Prefect server of the fresh install, not of this venv."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = {
        **bare_environment(),
        "HOME": str(tmp_path),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "DO_NOT_TRACK": "1",
        "KUBECONFIG": str(kubectl.kubeconfig),
    }
    log, database = tmp_path / "server.log", tmp_path / "prefect" / "prefect.db"
    api = environ["PREFECT_API_URL"]
    with _running(host, environ, log, "server", "start", "--host", "127.0.0.1") as process:
        wait_until_healthy(StartingServer(api, process, log))
        yield PrefectServer(api, database, log, environ, tmp_path)


def test_a_fresh_install_schedules_serves_and_runs(
    host: Host, own_server: PrefectServer, env: Env
) -> None:
    environ = dict(own_server.environ)
    made = host.run(environ, "prefect", "work-pool", "create", "--type", "process", "installed")
    assert made.code == 0, made.stderr
    text = _DEPLOYMENTS.format(namespace=env.namespace, runner=env.quick(2))
    (host.folder / "prefect.yaml").write_text(text)
    done = host.run(environ, "prefect", "--no-prompt", "deploy", "--all")
    assert done.code == 0, done.stdout + done.stderr
    with _running(host, environ, env.folder / "log", "worker", "start", "--pool", "installed"):
        until(
            "a scheduled run completes",
            lambda: any(
                run["state_name"] == "Completed" for run in own_server.runs_in(env.namespace)
            ),
            180,
        )


def test_the_readmes_pipeline_is_strictly_typed_and_runs(
    host: Host, server: PrefectServer, env: Env
) -> None:
    """With the installed wheel alone: no plugin and no setting of ours helps mypy."""
    (pipeline,) = re.findall(
        r"^```python\n(.*?)^```$", (CHECKOUT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    file = host.folder / "pipeline.py"
    file.write_text(pipeline)
    environ = dict(server.environ)
    mypy = f"mypy=={version('mypy')}"
    installed = host.run(environ, "pip", "install", "--quiet", mypy)
    assert installed.code == 0, installed.stderr
    checked = host.run(environ, "mypy", "--strict", "--config-file=", file.name)
    assert checked.code == 0, checked.stdout + checked.stderr
    env.config_map("mixed", load_profile=profile_text(total=50))
    here = pipeline.replace("configmap:///load/", f"configmap:///{env.namespace}/")
    file.write_text(here.replace('namespace="load"', f'namespace="{env.namespace}"'))
    done = host.run({**environ, "KUBECONFIG": str(env.kubectl.kubeconfig)}, "python", file.name)
    assert done.code == 0, done.stdout + done.stderr


@contextmanager
def _running(
    host: Host, environ: dict[str, str], log: Path, *words: str
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("w") as output:
        process = subprocess.Popen(
            [host.programs / "prefect", *words],
            env=environ,
            cwd=host.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            end(process)
