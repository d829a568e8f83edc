"""The way from nothing to a worker, in the words of docs/prefect.md."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.cluster.commands import CHECKOUT, bare_environment, end
from tests.prefect.server import FINAL, PrefectServer, StartingServer, wait_until_healthy

PAGE = (CHECKOUT / "docs" / "prefect.md").read_text()
SECTION = PAGE.partition("## A server and a worker\n")[2].partition("\n## ")[0]
DEFAULT_PORT = "4200"

# Servers and workers of other tests may share the machine.
SECONDS = 300


@contextmanager
def running(line: str, environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of the page that does not end by itself."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            shlex.split(line), env=environ, cwd=CHECKOUT, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        end(process)


def test_the_commands_of_the_page_lead_to_a_worker_that_runs_the_flow(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    lines = [line.strip() for line in re.findall(r"^ {4}(\S.*)$", SECTION, re.MULTILINE)]
    exported = [line.partition(" ")[2].split("=") for line in lines if line.startswith("export ")]
    server_line, config, pool, deploy, worker_line = [
        line.replace(DEFAULT_PORT, port) for line in lines if not line.startswith("export ")
    ]
    # A home, and no server that is known beforehand.
    reader = {
        **bare_environment(),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(tmp_path),
        "PREFECT_HOME": str(tmp_path / "reader"),
        "DO_NOT_TRACK": "1",
    }
    at_home = {"PREFECT_HOME": str(tmp_path / "server"), "PREFECT_SERVER_API_PORT": port}
    api, log = f"http://127.0.0.1:{port}/api", tmp_path / "server.log"
    with ExitStack() as stack:
        settings = dict(exported)
        process = stack.enter_context(running(server_line, {**reader, **settings, **at_home}, log))
        wait_until_healthy(StartingServer(api, process, log))
        for line in (config, pool, deploy):
            done = subprocess.run(
                shlex.split(line),
                env=reader,
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            told = (line, done.stdout, done.stderr, log.read_text())
            assert done.returncode == 0, "\n".join(told)
        stack.enter_context(running(worker_line, reader, tmp_path / "worker.log"))
        options = {"namespace": "load", "runners": ["file:///absent?numbers=1"], "runner_image": ""}
        server = PrefectServer(api, tmp_path / "db", log, reader, tmp_path)
        run_id = server.trigger("multirunners/multirunners", options=options)
        try:
            run = server.ended(run_id, SECONDS)
        except AssertionError as error:
            logs = (log.read_text(), (tmp_path / "worker.log").read_text())
            raise AssertionError("\n".join((str(error), *logs))) from error
    assert run["state_type"] in FINAL
    assert (run["state_name"], run["state"]["message"]) == (
        "Invalid",
        "Runner image: give the kperf image, such as ghcr.io/azure/kperf:0.3.5",
    ), json.dumps(run["state"])
