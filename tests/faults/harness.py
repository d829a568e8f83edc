"""A Prefect server, a worker and flow runs that a test can hold at a step, kill and start again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.commands import CHECKOUT, bare_environment, end, until
from tests.cluster.env import KPERF, Env
from tests.faults.held_flow import FOLDER_VARIABLE
from tests.prefect.server import (
    FINAL,
    PrefectServer,
    StartingServer,
    program,
    wait_until_healthy,
)

__all__ = ["Harness"]

POOL = "faults"
DEPLOYMENTS = f"""\
name: faults
pull: []
deployments:
- name: held
  entrypoint: tests.faults.held_flow.multirunners
  work_pool: {{name: {POOL}}}
- name: nights
  entrypoint: tests.faults.held_flow.multirunners
  work_pool: {{name: {POOL}}}
  concurrency_limit: {{limit: 1, collision_strategy: CANCEL_NEW}}
"""

# Several flows start at once, while the machine may also run other tests.
SECONDS = 240.0

# How many characters of a log are shown.
LOG_END = 10_000


@dataclass
class Harness:
    """The processes that a test kills and restarts.

    Attributes:
        folder: The folder of the server, the worker and the files that hold steps.
        kubeconfig: The kubeconfig of the worker.
    """

    folder: Path
    kubeconfig: Path
    _port: int = 0
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def server(self) -> PrefectServer:
        """The Prefect server."""
        home = self.folder / "server"
        return PrefectServer(self._api, home / "prefect.db", home, self._environ, self.folder)

    @property
    def server_environ(self) -> dict[str, str]:
        """The environment variables with which the command line uses this server."""
        return {"PREFECT_API_URL": self._api}

    def start_server(self) -> None:
        """Start or restart the server, with the same address and database."""
        if not self._port:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                self._port = probe.getsockname()[1]
        environ = {
            **bare_environment(),
            "PREFECT_HOME": str(self.folder / "server"),
            "PREFECT_SERVER_API_PORT": str(self._port),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        }
        self._start("server", environ, "server", "start", "--host", "127.0.0.1")
        process, log = self._processes["server"], self.folder / "server.log"
        wait_until_healthy(StartingServer(self._api, process, log))

    def deploy(self) -> None:
        """Create the work pool and the deployments."""
        created = self.server.prefect("work-pool", "create", "--type", "process", POOL)
        assert created.code == 0, created.stderr
        (self.folder / "prefect.yaml").write_text(DEPLOYMENTS)
        done = self.server.prefect("deploy", "--all")
        assert done.code == 0, done.stdout + done.stderr

    def start_worker(self) -> None:
        """Start the only worker."""
        environ = {**self._flow_environ, "PREFECT_WORKER_QUERY_SECONDS": "1"}
        self._start("worker", environ, "worker", "start", "--pool", POOL, "--type", "process")

    def hold_at(
        self,
        step: str,
        env: Env,
        *runners: str,
        policy: Mapping[str, str] | None = None,
        deployment: str = "held",
    ) -> str:
        """Trigger a run that will be held at a step; return its ID."""
        folder = self.folder / env.namespace
        folder.mkdir()
        (folder / "step").write_text(step)
        return self.trigger(env, *runners, policy=policy, deployment=deployment)

    def trigger(
        self,
        env: Env,
        *runners: str,
        policy: Mapping[str, str] | None = None,
        deployment: str = "held",
    ) -> str:
        """Trigger a run; return its ID."""
        options = {
            "namespace": env.namespace,
            "runner_image": KPERF,
            "runners": runners,
            "service_account": "kperf-runner",
        }
        return self.server.trigger(
            f"multirunners/{deployment}", options=options, policy=dict(policy or {})
        )

    def execute(self, run_id: str) -> subprocess.Popen[bytes]:
        """Execute a flow run without a worker, as in the pod of a Kubernetes worker."""
        environ = {**self._flow_environ, "PREFECT__FLOW_RUN_ID": run_id}
        with (self.folder / "execute.log").open("a") as log:
            return subprocess.Popen(
                [program("prefect"), "flow-run", "execute"],
                env=environ,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_until_held(self, env: Env) -> int:
        """Wait until the run in this namespace is held; return the pid of its process.

        Raises:
            AssertionError: It has ended instead, or was not held in time.
        """
        path = self.folder / env.namespace / "held"

        def held() -> bool:
            runs = self.server.runs_in(env.namespace)
            ended = [run["state"] for run in runs if run["state_type"] in FINAL]
            assert not ended, f"{env.namespace} ended before it was held: {ended}"
            return path.exists()

        try:
            until(f"{env.namespace} is held", held, SECONDS, pause=0.5)
        except AssertionError as error:
            states = [run["state"] for run in self.server.runs_in(env.namespace)]
            # Of a worker, or of a flow run that was executed without one.
            logs = [self.folder / name for name in ("worker.log", "execute.log")]
            ends = "\n".join(log.read_text()[-LOG_END:] for log in logs if log.exists())
            raise AssertionError(f"{error}; its flow runs: {states}\n{ends}") from error
        return int(path.read_text())

    def release(self, env: Env) -> None:
        """Let the run in this namespace continue."""
        (self.folder / env.namespace / "step").unlink()

    def kill(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the server or the worker, and wait until it has ended."""
        process = self._processes.pop(name)
        process.send_signal(number)
        process.wait(SECONDS)

    def end(self, *names: str) -> None:
        """End the server, the worker or both, if they still run."""
        for name in names:
            if name in self._processes:
                end(self._processes.pop(name))

    def _start(self, name: str, environ: Mapping[str, str], *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("a") as log:
            self._processes[name] = subprocess.Popen(
                [program("prefect"), *arguments],
                env=dict(environ),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def _api(self) -> str:
        return f"http://127.0.0.1:{self._port}/api"

    @property
    def _flow_environ(self) -> dict[str, str]:
        """The environment of a process that runs flows."""
        return {
            **self._environ,
            "KUBECONFIG": str(self.kubeconfig),
            "XDG_STATE_HOME": str(self.folder / "state"),
            FOLDER_VARIABLE: str(self.folder),
        }

    @property
    def _environ(self) -> dict[str, str]:
        return {
            **bare_environment(),
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            "PREFECT_HOME": str(self.folder / "client"),
            "PREFECT_API_URL": self._api,
            "DO_NOT_TRACK": "1",
            # tests.faults.held_flow is not installed.
            "PYTHONPATH": os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")]),
        }
