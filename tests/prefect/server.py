"""Prefect as its users have it: the `prefect` program, the server's HTTP API, a deployed file.

Prefect is not imported, because that would read the settings of the user who runs the tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.commands import Finished, until

__all__ = ["FINAL", "POOL", "PrefectServer", "StartingServer", "program", "wait_until_healthy"]

POOL = "benchmarks"
FINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})

# Several servers and clusters share a machine of two cores while the tests run.
ANSWER_SECONDS = 180.0


def program(name: str) -> str:
    """Return the path of a program of this virtual environment."""
    return str(Path(sys.executable).parent / name)


@dataclass(frozen=True)
class StartingServer:
    """A Prefect server that may not answer yet."""

    api: str
    process: subprocess.Popen[bytes]
    log: Path


def wait_until_healthy(server: StartingServer) -> None:
    """Wait until a Prefect server answers.

    Creating the database takes 18 seconds of a core that the server may have to share.

    Raises:
        AssertionError: The server ended, or did not answer in time. The message has its output.
    """

    def healthy() -> bool:
        assert server.process.poll() is None, "the Prefect server ended"
        try:
            with urllib.request.urlopen(f"{server.api}/health", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    try:
        until("the Prefect server is healthy", healthy, 300, pause=0.2)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{server.log.read_text()}") from error


@dataclass(frozen=True)
class PrefectServer:
    """A Prefect server, and how to talk to it.

    Attributes:
        api: The URL of its API.
        database: Its SQLite file.
        log: Its output.
        environ: The environment of programs that use it.
        folder: The folder of this session, in which the worker keeps its files.
    """

    api: str
    database: Path
    log: Path
    environ: Mapping[str, str]
    folder: Path

    @property
    def store(self) -> Path:
        """The folder in which the worker stores the reports that it has fetched."""
        return self.folder / "state" / "mrunners" / "reports"

    def prefect(self, *arguments: str, cwd: Path | None = None) -> Finished:
        """Run the `prefect` program."""
        done = subprocess.run(
            [program("prefect"), "--no-prompt", *arguments],
            env=dict(self.environ),
            cwd=cwd or self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def get(self, path: str) -> Any:
        return self._request("GET", path)

    def post(self, path: str, **body: object) -> Any:
        return self._request("POST", path, body)

    def delete(self, path: str) -> None:
        self._request("DELETE", path)

    def _request(self, method: str, path: str, body: object = None) -> Any:
        """Return the server's response; retry while SQLite is busy, that is on 503 and timeouts.

        So the server may process a request twice.
        """
        request = urllib.request.Request(
            f"{self.api}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )

        def attempt() -> list[bytes]:
            try:
                with urllib.request.urlopen(request, timeout=30) as response:
                    return [response.read()]
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    raise
                return []
            except TimeoutError:
                return []

        (content,) = until(f"the Prefect server answers {method} {path}", attempt, ANSWER_SECONDS)
        return json.loads(content) if content else None

    def deployment(self, name: str) -> Any:
        """Return a deployment by its name, flow/deployment."""
        return self.get(f"deployments/name/{name}")

    def trigger(self, name: str, **parameters: object) -> str:
        """Create a flow run of a deployment that starts at once; return its ID."""
        deployment = self.deployment(name)
        merged = {**deployment["parameters"], **parameters}
        run = self.post(
            f"deployments/{deployment['id']}/create_flow_run",
            parameters=merged,
            state={"type": "SCHEDULED"},
            idempotency_key=str(uuid.uuid4()),
        )
        return str(run["id"])

    def flow_run(self, run_id: str) -> Any:
        return self.get(f"flow_runs/{run_id}")

    def flow_runs(self, **filters: object) -> list[Any]:
        listed: list[Any] = self.post("flow_runs/filter", **filters)
        return listed

    def runs_in(self, namespace: str) -> list[Any]:
        """Return the flow runs of `multirunners` in a namespace, oldest first."""
        named = {"name": {"like_": f"{namespace}/"}}
        return self.flow_runs(flow_runs=named, sort="EXPECTED_START_TIME_ASC")

    def ended(self, run_id: str, seconds: float = 120) -> Any:
        """Wait until a flow run has ended; return the flow run."""

        def ended_run() -> Any:
            run = self.flow_run(run_id)
            return run if run["state_type"] in FINAL else None

        return until(f"flow run {run_id} ends", ended_run, seconds)

    def log_lines(self, run_id: str) -> list[str]:
        """Return the lines of a flow run's log."""
        lines: list[str] = []
        while True:
            page = self.post(
                "logs/filter",
                logs={"flow_run_id": {"any_": [run_id]}},
                sort="TIMESTAMP_ASC",
                offset=len(lines),
                limit=200,
            )
            lines += [line["message"] for line in page]
            if len(page) < 200:
                return lines

    def artifacts(self, run_id: str) -> list[Any]:
        """Return all artifacts of a flow run, without results."""
        listed = self.post(
            "artifacts/filter", flow_runs={"id": {"any_": [run_id]}}, sort="CREATED_DESC"
        )
        return [artifact for artifact in listed if artifact["type"] not in {None, "result"}]

    def task_runs(self, run_id: str) -> list[Any]:
        listed: list[Any] = self.post(
            "task_runs/filter",
            flow_runs={"id": {"any_": [run_id]}},
            sort="EXPECTED_START_TIME_ASC",
        )
        return listed

    def events(self, *names: str, about: str) -> list[Any]:
        """Return the events with one of these names about the resource with this name."""
        listed = self.post(
            "events/filter",
            filter={
                "event": {"name": list(names)},
                "resource": {"labels": {"prefect.resource.name": [about]}},
                "order": "ASC",
            },
            limit=50,
        )
        return list(listed["events"])
