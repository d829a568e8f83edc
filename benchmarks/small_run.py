"""A whole small run, from the command to the report, against kperf's own group of runners.

Both run the same load on the same process hosts, with real pods and the real kperf. kperf's group
server runs outside of the cluster and is asked for its summary, as `kperf runnergroup run`, `wait`
and `result` do; what it takes to install that server by Helm, and to start its pod, is not counted.

Process hosts have no hostPath volumes, and no address that is not loopback. So an admission policy
gives kperf's pods an emptyDir instead, and their script sends to loopback what it would send to the
server's address.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmarks.clusters import Bench
from benchmarks.measuring import Usage, in_turn, run_process
from benchmarks.prefect_server import prefect_server
from benchmarks.programs import mrunners
from benchmarks.results import Row, Target, row
from tests.cluster.commands import Kubectl
from tests.cluster.env import profile_text
from tests.localcluster.env import KPERF
from tests.peer.group_server import UNREACHABLE, GroupServer, PeerCluster, peer_cluster

__all__ = ["measure"]

_PODS = 4
_REQUESTS = 200
_API = "admissionregistration.k8s.io/v1"
_NAME = "kperf-on-process-hosts"

# In place of kperf's run_runner.sh, which has curl send the report, too.
_SCRIPT = f"""#!/bin/sh
# Arguments: kperf, its configuration, and a folder.
set -eu
"$1" runner run --config="$2" --user-agent="$POD_NAME" --result="$3/report.json" --raw-data
curl --silent --show-error --fail --data "@$3/report.json" \\
    "$(echo "$TARGET_URL" | sed s/{UNREACHABLE}/127.0.0.1/)"
"""
_CHANGES = """[
    JSONPatch{op: "remove", path: "/spec/volumes/1/hostPath"},
    JSONPatch{op: "add", path: "/spec/volumes/1/emptyDir",
              value: Object.spec.volumes.emptyDir{}},
    JSONPatch{op: "add", path: "/spec/containers/0/args",
              value: ["/kperf", "/config/load_profile.yaml", "/data"]},
]"""


def measure(times: int) -> list[Row]:
    """Return the row of seconds from the command to the report.

    Raises:
        RuntimeError: A way has not merged all reports.
    """
    with tempfile.TemporaryDirectory(prefix="mrunners-bench-") as name:
        folder = Path(name)
        script = folder / "run_runner.sh"
        script.write_text(_SCRIPT)
        script.chmod(0o755)
        image = f"{KPERF}=/run_runner.sh:{script}"
        with (
            peer_cluster(folder / "cluster", "--image", image, hosts=2) as cluster,
            prefect_server(folder) as (api, _),
        ):
            bench = Bench(folder, _kubectl(cluster))
            _allow(bench.kubectl)
            profile = folder / "profile.yaml"
            profile.write_text(profile_text(total=_REQUESTS))
            environ = {
                **bench.environ,
                "PREFECT_API_URL": api,
                "PREFECT_HOME": str(folder / "client"),
            }
            numbers = iter(range(times))
            runs = in_turn(
                {
                    "mrunners": lambda: _ours(bench, environ, profile),
                    "kperf": lambda: _theirs(cluster, folder, f"group-{next(numbers)}", profile),
                },
                times,
            )
    for way, usages in runs.items():
        for usage in usages:
            if (total := json.loads(usage.output)["total"]) != _PODS * _REQUESTS:
                raise RuntimeError(f"{way}: {total} of {_PODS * _REQUESTS} requests in the report")
    return [
        row(
            f"run of {_PODS} pods of {_REQUESTS} requests, from the command to the report",
            "s",
            [usage.seconds for usage in runs["mrunners"]],
            "kperf v0.3.5's group server",
            [usage.seconds for usage in runs["kperf"]],
            Target(1.0),
        )
    ]


def _kubectl(cluster: PeerCluster) -> Kubectl:
    return Kubectl(cluster.kperf.parent / "kubectl", cluster.kubeconfig)


def _allow(kubectl: Kubectl) -> None:
    """Let every pod send what the profile asks for, and kperf's pods run on process hosts."""
    kubectl.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": _NAME},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view",
            },
            "subjects": [
                {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "Group",
                    "name": "system:serviceaccounts",
                }
            ],
        }
    )  # fmt: skip
    rule = {
        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"],
    }  # fmt: skip
    command = "object.spec.containers[0].?command.orValue([])"
    policy: dict[str, Any] = {
        "apiVersion": _API,
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": _NAME},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [
                {"name": "kperf", "expression": f"{command} == ['/run_runner.sh']"}
            ],
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": _CHANGES}}],
        },
    }
    binding = {
        "apiVersion": _API,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": _NAME},
        "spec": {"policyName": _NAME},
    }
    kubectl.apply(policy)
    kubectl.apply(binding)
    time.sleep(5)  # the API server reads policies now and then


def _ours(bench: Bench, environ: Mapping[str, str], profile: Path) -> Usage:
    """Run `run --wait` and `result`; return what both took, and the report."""
    with bench.namespace() as kubectl:
        name, uri = kubectl.namespace, f"file://{profile}?numbers={_PODS}"
        words = ("--wait", "--runner-image", KPERF, "--runners", uri)
        waited = run_process(mrunners("run", name, *words), environ=environ)
        result = run_process(mrunners("result", name, "--output", "json"), environ=environ)
    return Usage(
        waited.seconds + result.seconds,
        waited.cpu_seconds + result.cpu_seconds,
        max(waited.peak_bytes, result.peak_bytes),
        result.output,
    )


def _theirs(cluster: PeerCluster, folder: Path, name: str, profile: Path) -> Usage:
    """Start the server, and ask it for the summary; it is told as soon as the runners are done."""
    load = yaml.safe_load(profile.read_text())
    started = time.perf_counter()
    with GroupServer(cluster, folder, name, _PODS, load) as server:
        summary = server.summary()
        seconds = time.perf_counter() - started
        return Usage(
            seconds, server.cpu_seconds(), server.peak_bytes(), json.dumps(summary).encode()
        )
