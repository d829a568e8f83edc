"""What Prefect costs: the flow compared with the same steps through the core alone.

    python -m benchmarks.flow [--jobs 100] [--times 5] [--flow-only]

Both run in turn, each in its own process and namespace, on one local cluster whose kwok nodes
complete every pod at once. Such pods have no logs, so one small report is used for all of them.
So only the control plane, mrunners and Prefect take time, which is the flow's worst case: it adds
the same number of seconds to a run of an hour. The Prefect server is a new one on SQLite with its
default settings; its access log is searched for responses of 500 and above. The medians and their
ratio are printed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from localcluster.binaries.builder import binary_folder
from tests.cluster.commands import CHECKOUT, Kubectl, bare_environment, end, until
from tests.cluster.env import profile_text

NODES = 20
# A benchmark must not hang forever.
TIMEOUT_SECONDS = 1800
# uvicorn's access log: `127.0.0.1:40000 - "POST /api/… HTTP/1.1" 201`.
_RESPONSE = re.compile(r'"[A-Z]+ [^"]* HTTP/[\d.]+" (\d{3})')


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Kubectl]:
    """Start a cluster with kwok nodes only; stop it at the end."""
    environ = {**os.environ, "MRUNNERS_LOCALCLUSTER_STATE": str(folder / "state")}
    name, kubeconfig = f"bench-{uuid.uuid4().hex[:8]}", folder / "kubeconfig"
    command = [sys.executable, "-m", "localcluster"]
    options = ["--process-hosts", "0", "--kwok-hosts", str(NODES), "--kubeconfig", str(kubeconfig)]
    try:
        subprocess.run(
            [*command, "up", "--name", name, *options], env=environ, check=True, stdout=2
        )
        yield Kubectl(binary_folder(os.environ) / "kubectl", kubeconfig)
    finally:
        subprocess.run([*command, "down", "--name", name], env=environ, check=True)


@contextlib.contextmanager
def prefect_server(folder: Path) -> Iterator[tuple[str, Path]]:
    """Start a Prefect server; yield its API URL and its log, which has a line per response."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = {
        **bare_environment(),
        "PREFECT_HOME": str(folder / "server"),
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    prefect = str(Path(sys.executable).parent / "prefect")
    command = [prefect, "server", "start", "--log-level", "INFO"]
    log = folder / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, env=environ, stdout=out, stderr=out)
        try:
            api = f"http://127.0.0.1:{port}/api"
            until("the Prefect server is healthy", lambda: _healthy(api), 120)
            yield api, log
        finally:
            end(server)


def _healthy(api: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=5) as response:  # noqa: S310  http
            return bool(response.status == 200)
    except OSError:
        return False


def run_once(
    way: str, jobs: int, kubectl: Kubectl, environ: Mapping[str, str], folder: Path
) -> tuple[float, float]:
    """Run once, through `core` or `flow`; return its seconds and its processor seconds."""
    namespace = f"bench-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", namespace)
    in_namespace = Kubectl(kubectl.program, kubectl.kubeconfig, namespace)
    until("the ServiceAccount exists", lambda: "default" in in_namespace.names("serviceaccounts"))
    profile = folder / "profile.yaml"
    profile.write_text(profile_text(total=50))
    arguments = [way, namespace, str(jobs), str(profile)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.flow_once", *arguments],
        cwd=CHECKOUT,
        env={**environ, "XDG_STATE_HOME": str(folder / namespace)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=TIMEOUT_SECONDS,
    )
    # So that the next run starts on an empty cluster too.
    kubectl("delete", "namespace", namespace, "--wait=true")
    busy, seconds = done.stdout.split()[-2:]
    return float(seconds), float(busy)


def count_responses(log: Path) -> tuple[int, int]:
    """Return how many responses the Prefect API sent, and how many were 500 or above."""
    codes = [int(code) for code in _RESPONSE.findall(log.read_text(errors="replace"))]
    return len(codes), sum(code >= 500 for code in codes)


def main() -> None:
    """Measure, and print the figures as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--flow-only", action="store_true", help="do not run the core alone")
    options = parser.parse_args()
    ways = ("flow",) if options.flow_only else ("core", "flow")
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    busy: dict[str, list[float]] = {way: [] for way in ways}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        api, log = stack.enter_context(prefect_server(folder))
        kubectl = stack.enter_context(cluster(folder))
        environ = {
            **bare_environment(),
            "HOME": str(folder),
            "KUBECONFIG": str(kubectl.kubeconfig),
            "PREFECT_HOME": str(folder / "client"),
            "PREFECT_API_URL": api,
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "DO_NOT_TRACK": "1",
        }
        for number in range(options.times):
            for way in ways:
                took, worked = run_once(way, options.jobs, kubectl, environ, folder)
                seconds[way].append(took)
                busy[way].append(worked)
                print(f"{way} {number + 1}: {took:.2f} s, busy {worked:.2f} s", file=sys.stderr)
        responses, failed = count_responses(log)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("| way | Jobs | median s | all | median processor s |\n|---|---:|---:|---|---:|")
    for way, runs in seconds.items():
        row = " ".join(f"{run:.2f}" for run in runs)
        middle, worked = statistics.median(runs), statistics.median(busy[way])
        print(f"| {way} | {options.jobs} | {middle:.2f} | {row} | {worked:.2f} |")
    if not options.flow_only:
        medians = {way: statistics.median(runs) for way, runs in seconds.items()}
        print(f"ratio {medians['flow'] / medians['core']:.2f}")
    print(f"{responses} responses of the Prefect API, {failed} of them 500 or above")


if __name__ == "__main__":
    main()
