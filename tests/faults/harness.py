"""A Prefect server, a worker and flow runs that can be held at a step, killed, and started again.

It must not judge what is left.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.commands import CHECKOUT, bare_environment, end, until
from tests.cluster.env import KPERF, Env
from tests.faults.held_flow import FOLDER_VARIABLE
from tests.prefect.server import Orchestra, program

__all__ = ["Stage"]

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

# Six flows begin at once, beside whatever else the machine does.
SECONDS = 240.0


@dataclass
class Stage:
    """What is killed, and how it is brought back.

    Attributes:
        folder: for the server, the worker and the files that hold steps.
        kubeconfig: the worker's.
    """

    folder: Path
    kubeconfig: Path
    _port: int = 0
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def orchestra(self) -> Orchestra:
        """The server that runs."""
        home = self.folder / "server"
        return Orchestra(self._api, home / "prefect.db", home, self._environ, self.folder)

    @property
    def here(self) -> dict[str, str]:
        """What the command line needs to use this server."""
        return {"PREFECT_API_URL": self._api}

    def start_server(self) -> None:
        """Start it, again under the same address and over the same database."""
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
        until("the Prefect server is healthy", self._healthy, SECONDS)

    def deploy(self) -> None:
        """Make the work pool and the deployment."""
        made = self.orchestra.prefect("work-pool", "create", "--type", "process", POOL)
        assert made.code == 0, made.stderr
        (self.folder / "prefect.yaml").write_text(DEPLOYMENTS)
        done = self.orchestra.prefect("deploy", "--all")
        assert done.code == 0, done.stdout + done.stderr

    def start_worker(self) -> None:
        """Start the only worker."""
        environ = {**self._runners_environ, "PREFECT_WORKER_QUERY_SECONDS": "1"}
        self._start("worker", environ, "worker", "start", "--pool", POOL, "--type", "process")

    def run_until(
        self,
        step: str,
        env: Env,
        *runners: str,
        policy: Mapping[str, str] | None = None,
        deployment: str = "held",
    ) -> str:
        """Trigger a run that will be held at a step; its ID."""
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
        """Trigger a run; its ID."""
        options = {
            "namespace": env.namespace,
            "runner_image": KPERF,
            "runners": runners,
            "service_account": "kperf-runner",
        }
        return self.orchestra.trigger(
            f"multirunners/{deployment}", options=options, policy=dict(policy or {})
        )

    def execute(self, run_id: str) -> subprocess.Popen[bytes]:
        """Run a flow run without a worker, as the pod of a Kubernetes worker does."""
        environ = {**self._runners_environ, "PREFECT__FLOW_RUN_ID": run_id}
        with (self.folder / "execute.log").open("a") as log:
            return subprocess.Popen(
                [program("prefect"), "flow-run", "execute"],
                env=environ,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def held(self, env: Env) -> int:
        """The process of the run, once it is held."""
        path = self.folder / env.namespace / "held"
        until(f"{env.namespace} is held", path.exists, SECONDS)
        return int(path.read_text())

    def release(self, env: Env) -> None:
        """Let what is left of the run go on."""
        (self.folder / env.namespace / "step").unlink()

    def kill(self, what: str, number: signal.Signals) -> None:
        """End the server or the worker by a signal, and wait until it is gone."""
        process = self._processes.pop(what)
        process.send_signal(number)
        process.wait(SECONDS)

    def end(self, *what: str) -> None:
        """End the server, the worker or both, where they still run."""
        for process in [self._processes.pop(one) for one in what if one in self._processes]:
            end(process)

    @staticmethod
    def ended(pid: int) -> bool:
        """Whether a process is gone, or only waits for its parent to notice."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return True
        return stat.rpartition(")")[2].split()[0] in {"Z", "X"}

    def _start(self, what: str, environ: Mapping[str, str], *words: str) -> None:
        with (self.folder / f"{what}.log").open("a") as log:
            self._processes[what] = subprocess.Popen(
                [program("prefect"), *words],
                env=dict(environ),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._api}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    @property
    def _api(self) -> str:
        return f"http://127.0.0.1:{self._port}/api"

    @property
    def _runners_environ(self) -> dict[str, str]:
        """For what runs flows."""
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
            # The flow that can be held is not installed.
            "PYTHONPATH": os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")]),
        }
