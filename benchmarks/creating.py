"""Creating 500 Jobs, against kubectl and against a loop that does nothing but send them.

The loop is what the API server allows: requests of the same Jobs, prepared before, over 16
connections. The cluster has no nodes, so that only the control plane works beside the client.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

from benchmarks.clusters import Bench, bench_cluster
from benchmarks.core_once import create
from benchmarks.credentials import connection
from benchmarks.measuring import Usage, in_turn, run_process
from benchmarks.programs import python
from benchmarks.results import Row, Target, row
from tests.cluster.commands import Kubectl

__all__ = ["measure"]

_JOBS = 500
_CONNECTIONS = 16


def measure(times: int) -> list[Row]:
    """Return the rows against kubectl and against the loop."""
    with bench_cluster("--process-hosts", "0", "--kwok-hosts", "0") as bench:
        manifests = _manifests(bench)
        runs = in_turn(
            {
                "mrunners": lambda: _in_namespace(
                    bench, lambda k: create(bench, k.namespace, _JOBS)
                ),
                "kubectl": lambda: _in_namespace(
                    bench, lambda k: _with_kubectl(bench, k, manifests)
                ),
                "loop": lambda: _in_namespace(bench, lambda k: _in_loop(bench, k, manifests)),
            },
            times,
        )
    whole = [run.seconds for run in runs["mrunners"]]
    itself = [float(run.output) for run in runs["mrunners"]]
    question = f"create {_JOBS} Jobs"
    return [
        row(f"{question}, the whole command", "s", whole, "`kubectl create`",
            [run.seconds for run in runs["kubectl"]], Target(6.0)),
        row(f"{question}, the requests alone", "s", itself, f"loop of {_CONNECTIONS} connections",
            [float(run.output) for run in runs["loop"]], Target(0.8)),
    ]  # fmt: skip


def _in_namespace(bench: Bench, way: Callable[[Kubectl], Usage]) -> Usage:
    with bench.namespace() as kubectl:
        return way(kubectl)


def _manifests(bench: Bench) -> Path:
    """Return a file of the Jobs as mrunners creates them, without owner and namespace."""
    with bench.namespace() as kubectl:
        create(bench, kubectl.namespace, _JOBS)
        jobs = kubectl.objects("jobs")
    for job in jobs:
        name, labels = job["metadata"]["name"], job["metadata"]["labels"]
        job["metadata"] = {"name": name, "labels": labels}
        job.pop("status")
        job["spec"].pop("selector")
        template = job["spec"]["template"]["metadata"]["labels"]
        for label in [
            label for label in template if label.endswith(("controller-uid", "job-name"))
        ]:
            template.pop(label)
    path = bench.folder / "jobs.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": jobs}))
    return path


def _with_kubectl(bench: Bench, kubectl: Kubectl, manifests: Path) -> Usage:
    command = kubectl.command("create", "--output=name", f"--filename={manifests}")
    return run_process(command, environ=bench.environ)


def _in_loop(bench: Bench, kubectl: Kubectl, manifests: Path) -> Usage:
    command = python("-m", "benchmarks.creating", kubectl.namespace, str(manifests))
    return run_process(command, environ=bench.environ)


def loop(namespace: str, path: str) -> None:
    """Send the Jobs over several connections, and print the seconds."""
    bodies = []
    for job in json.loads(Path(path).read_text())["items"]:
        job["metadata"]["namespace"] = namespace
        bodies.append(json.dumps(job).encode())
    target = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    local = threading.local()

    def send(body: bytes) -> int:
        if not hasattr(local, "connection"):
            local.connection = connection(Path(os.environ["KUBECONFIG"]))
        local.connection.request("POST", target, body, {"Content-Type": "application/json"})
        response = local.connection.getresponse()
        response.read()
        return int(response.status)

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        started = time.perf_counter()
        codes = set(pool.map(send, bodies))
        seconds = time.perf_counter() - started
    assert codes == {HTTPStatus.CREATED}, codes
    print(seconds)


if __name__ == "__main__":
    loop(*sys.argv[1:])
