"""A whole small run, from the command to the report, against kperf's own `runnergroup` commands.

Both run the same load as pods on the same real kubelets. kperf installs its server by Helm, which
creates the Job, receives the reports and merges them. Its image has a script that sends the report
by curl; here a script of the same steps does that without curl, which no image of ours has. What
Prefect takes of the seconds shows a run of the same steps through the core.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import yaml

from benchmarks.clusters import Bench, bench_cluster
from benchmarks.measuring import Usage, in_turn, progress, run_process, together
from benchmarks.prefect_server import prefect_server
from benchmarks.programs import mrunners, python
from benchmarks.results import Row, Target, row
from localcluster.paths import ClusterFolder
from tests.cluster.env import KPERF, profile_text
from tests.cluster.hosts import push_image

__all__ = ["measure"]

_PODS = 4
_REQUESTS = 200
_IMAGE = "bench/kperf-group:0.3.5"

# Where kperf has its group.
_NAMESPACE = "runnergroups-kperf-io"

_SCRIPT = r"""#!/bin/bash
set -euo pipefail
report=/data/${POD_NAMESPACE}-${POD_NAME}-${POD_UID}.json
/kperf -v="$RUNNER_VERBOSITY" runner run --config=/config/load_profile.yaml \
    --user-agent="$POD_NAME" --result="$report" --raw-data
[[ $TARGET_URL =~ ^http://([^/:]+):([0-9]+)(/.*)$ ]]
host=${BASH_REMATCH[1]} port=${BASH_REMATCH[2]} path=${BASH_REMATCH[3]}
exec 3<>"/dev/tcp/$host/$port"
printf 'POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n' "$path" "$host" >&3
printf 'Content-Length: %d\r\n\r\n' "$(stat --format=%s "$report")" >&3
cat "$report" >&3
read -r answer <&3
echo "$answer"
rm "$report"
[[ $answer == *" 201 "* ]]
"""


def measure(times: int) -> list[Row]:
    """Return the row of seconds from the command to the report; none without kubelets.

    Raises:
        RuntimeError: A way has not merged all reports.
    """
    try:
        run_process(python("-m", "localcluster", "requirements"))
    except RuntimeError as error:
        progress(f"  not measured, because it needs kubelets: {error}")
        return []
    run_process(python("-m", "localcluster", "build", "--kubelets"))
    with (
        bench_cluster("--kubelet-hosts", "2") as bench,
        prefect_server(bench.folder) as (api, _),
    ):
        push_image(
            ClusterFolder(bench.cluster.name, bench.cluster.folder),
            _IMAGE,
            {"/run_runner.sh": _SCRIPT.encode()},
        )
        _allow(bench)
        load = profile_text(total=_REQUESTS)
        profile, group = bench.folder / "profile.yaml", bench.folder / "group.yaml"
        profile.write_text(load)
        group.write_text(yaml.safe_dump({"count": _PODS, "loadProfile": yaml.safe_load(load)}))
        environ = {
            **bench.environ,
            "PREFECT_API_URL": api,
            "PREFECT_HOME": str(bench.folder / "client"),
        }
        runs = in_turn(
            {
                "mrunners": lambda: _ours(bench, environ, profile),
                "the core": lambda: _through_core(bench, profile),
                "kperf": lambda: _theirs(bench, group),
            },
            times,
        )
    for way, usages in runs.items():
        for usage in usages:
            if (total := json.loads(usage.output)["total"]) != _PODS * _REQUESTS:
                raise RuntimeError(f"{way}: {total} of {_PODS * _REQUESTS} requests in the report")
    question = f"run of {_PODS} pods of {_REQUESTS} requests, from the command to the report"
    ours, core, theirs = runs["mrunners"], runs["the core"], runs["kperf"]
    peer = "`kperf runnergroup run` and `result`"
    return [
        row(question, "s", [run.seconds for run in ours], peer,
            [run.seconds for run in theirs], Target(1.0)),
        row(question, "s", [run.seconds for run in core], peer,
            [run.seconds for run in theirs], note="the same steps through the core"),
        row(question, "CPU s", [run.cpu_seconds for run in ours], peer,
            [run.cpu_seconds for run in theirs], note="of the commands alone"),
    ]  # fmt: skip


def _allow(bench: Bench) -> None:
    """Let every pod send what the profile asks for."""
    words = ("--clusterrole=view", "--group=system:serviceaccounts")
    bench.kubectl("create", "clusterrolebinding", "bench-runners", *words)


def _ours(bench: Bench, environ: Mapping[str, str], profile: Path) -> Usage:
    with bench.namespace() as kubectl:
        name, uri = kubectl.namespace, f"file://{profile}?numbers={_PODS}"
        words = ("--wait", "--runner-image", KPERF, "--runners", uri)
        return together(
            [
                run_process(mrunners("run", name, *words), environ=environ),
                run_process(mrunners("result", name, "--output", "json"), environ=environ),
            ]
        )


def _through_core(bench: Bench, profile: Path) -> Usage:
    with bench.namespace() as kubectl:
        uri = f"file://{profile}?numbers={_PODS}"
        command = python("-m", "benchmarks.core_run", kubectl.namespace, uri)
        return run_process(command, environ=bench.environ)


def _theirs(bench: Bench, group: Path) -> Usage:
    kperf = [str(bench.program("kperf")), "runnergroup", "--kubeconfig",
             str(bench.kubectl.kubeconfig)]  # fmt: skip
    words = ("run", "--runner-image", f"ghcr.io/{_IMAGE}", "--runnergroup", f"file://{group}")
    try:
        return together(
            [
                run_process([*kperf, *words], environ=bench.environ),
                run_process([*kperf, "result", "--wait"], environ=bench.environ),
            ]
        )
    finally:
        run_process([*kperf, "delete"], environ=bench.environ)
        # Its group's pods end a little later, and would disturb the next run.
        while bench.kubectl("get", "pods", "--output=name", f"--namespace={_NAMESPACE}"):
            time.sleep(1)
