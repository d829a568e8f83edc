"""What Prefect costs: the flow beside the same steps through the core alone.

    python -m benchmarks.flow [--jobs 100] [--times 5] [--flow-only]

Both run in turn, each in a process and a namespace of its own, on one local cluster whose kwok
hosts play every pod to its end at once; they have no logs, so both take one small report for every
pod's. So nothing but the control plane, mrunners and Prefect takes time, which is the flow's worst
case: the seconds that it adds are the same for a run of an hour. The Prefect
server is a fresh one on SQLite with its default settings; its access log is searched for answers
of 500 and above. The median of each and their ratio are printed.
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

HOSTS = 20
# Nothing here may hang for ever.
LIMIT_SECONDS = 1800
# uvicorn's access log: `127.0.0.1:40000 - "POST /api/… HTTP/1.1" 201`.
_ANSWER = re.compile(r'"[A-Z]+ [^"]* HTTP/[\d.]+" (\d{3})')


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Kubectl]:
    """A cluster of kwok hosts alone."""
    environ = {**os.environ, "MRUNNERS_LOCALCLUSTER_STATE": str(folder / "state")}
    name, kubeconfig = f"bench-{uuid.uuid4().hex[:8]}", folder / "kubeconfig"
    words = [sys.executable, "-m", "localcluster"]
    hosts = ["--process-hosts", "0", "--kwok-hosts", str(HOSTS), "--kubeconfig", str(kubeconfig)]
    try:
        subprocess.run([*words, "up", "--name", name, *hosts], env=environ, check=True, stdout=2)
        yield Kubectl(binary_folder(os.environ) / "kubectl", kubeconfig)
    finally:
        subprocess.run([*words, "down", "--name", name], env=environ, check=True)


@contextlib.contextmanager
def prefect_server(folder: Path) -> Iterator[tuple[str, Path]]:
    """A server's API URL and its log, which has a line for each answer."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = {
        **bare_environment(),
        "PREFECT_HOME": str(folder / "server"),
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    words = [str(Path(sys.executable).parent / "prefect"), "server", "start", "--log-level", "INFO"]
    log = folder / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(words, env=environ, stdout=out, stderr=out)
        try:
            api = f"http://127.0.0.1:{port}/api"
            until("the Prefect server is healthy", lambda: _healthy(api), 120)
            yield api, log
        finally:
            end(server)


def _healthy(api: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=5) as answer:  # noqa: S310  http
            return bool(answer.status == 200)
    except OSError:
        return False


def once(
    way: str, jobs: int, kubectl: Kubectl, environ: Mapping[str, str], folder: Path
) -> tuple[float, float]:
    """One run; its seconds, and those of them in which its process was busy."""
    namespace = f"bench-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", namespace)
    inside = Kubectl(kubectl.program, kubectl.kubeconfig, namespace)
    until("the ServiceAccount is there", lambda: "default" in inside.names("serviceaccounts"))
    profile = folder / "profile.yaml"
    profile.write_text(profile_text(total=50))
    words = [sys.executable, "-m", "benchmarks.flow_once", way, namespace, str(jobs), str(profile)]
    done = subprocess.run(
        words,
        cwd=CHECKOUT,
        env={**environ, "XDG_STATE_HOME": str(folder / namespace)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=LIMIT_SECONDS,
    )
    # The next run shall find a cluster as empty as this one did.
    kubectl("delete", "namespace", namespace, "--wait=true")
    busy, seconds = done.stdout.split()[-2:]
    return float(seconds), float(busy)


def answers(log: Path) -> tuple[int, int]:
    """How many answers the Prefect API gave, and how many of them were 500 or above."""
    codes = [int(code) for code in _ANSWER.findall(log.read_text(errors="replace"))]
    return len(codes), sum(code >= 500 for code in codes)


def main() -> None:
    """Measure, and print the figures as lines of a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--flow-only", action="store_true", help="count answers, compare nothing")
    asked = parser.parse_args()
    ways = ("flow",) if asked.flow_only else ("core", "flow")
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
        for number in range(asked.times):
            for way in ways:
                took, worked = once(way, asked.jobs, kubectl, environ, folder)
                seconds[way].append(took)
                busy[way].append(worked)
                print(f"{way} {number + 1}: {took:.2f} s, busy {worked:.2f} s", file=sys.stderr)
        given, failed = answers(log)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("| way | Jobs | median s | all | median processor s |\n|---|---:|---:|---|---:|")
    for way, each in seconds.items():
        row = " ".join(f"{one:.2f}" for one in each)
        middle, worked = statistics.median(each), statistics.median(busy[way])
        print(f"| {way} | {asked.jobs} | {middle:.2f} | {row} | {worked:.2f} |")
    if not asked.flow_only:
        medians = {way: statistics.median(each) for way, each in seconds.items()}
        print(f"ratio {medians['flow'] / medians['core']:.2f}")
    print(f"{given} answers of the Prefect API, {failed} of them 500 or above")


if __name__ == "__main__":
    main()
