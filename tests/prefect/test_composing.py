"""The examples as they stand: a run as a step of a larger pipeline, and a suite of runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.cluster.commands import Kubectl, Mrunners
from tests.cluster.env import KPERF, Env, roles
from tests.prefect.server import PrefectServer


@pytest.fixture
def load(kubectl: Kubectl) -> Iterator[Kubectl]:
    """The namespace that the examples name, as examples/rbac.yaml makes it."""
    kubectl.apply(*roles("load"))
    yield Kubectl(kubectl.program, kubectl.kubeconfig, "load")
    kubectl("delete", "namespace", "load")


def _with_kubectl(env: Env) -> Mrunners:
    # As administrator: the examples load several namespaces, and prepare them with kubectl.
    path = f"{env.kubectl.program.parent}{os.pathsep}{os.environ['PATH']}"
    return env.as_admin.mrunners.with_environ(PATH=path)


def test_the_pipeline_prepares_loads_judges_and_cleans_up(env: Env, load: Kubectl) -> None:
    done = (
        _with_kubectl(env)
        .python("examples/pipeline.py", "--image", KPERF, "--kubeconfig", str(load.kubeconfig))
        .finish()
    )
    assert done.code == 0, done.stderr
    assert "p99 is" in done.stderr
    ours = ("pipeline", "list-configmaps", "object-")
    left = load.names("jobs") | load.names("configmaps")
    assert {name for name in left if name.startswith(ours)} == set()


def test_the_steps_one_by_one_give_a_report(env: Env, load: Kubectl) -> None:
    done = (
        _with_kubectl(env)
        .python("examples/steps.py", "--image", KPERF, "--kubeconfig", str(load.kubeconfig))
        .finish()
    )
    assert (done.code, done.stdout) == (0, "2 of 2 reports merged\n"), done.stderr
    assert "steps-0" in load.names("jobs")


def test_an_async_pipeline_runs_two_loads_at_once(
    env: Env, load: Kubectl, server: PrefectServer
) -> None:
    words = ["examples/async_pipeline.py", "--image", KPERF, "--kubeconfig", str(load.kubeconfig)]
    done = _with_kubectl(env).python(*words).finish()
    assert (done.code, done.stdout) == (0, "1 of 1 reports merged\n" * 2), done.stderr
    trackers = ("load/get-configmap ", "load/list-namespaces ")
    runs = [run for run in server.runs_in("load") if run["name"].startswith(trackers)]
    assert len(runs) == 2
    assert all(run["parent_task_run_id"] for run in runs)
    begun, ended = (
        [datetime.fromisoformat(run[time]) for run in runs] for time in ("start_time", "end_time")
    )
    assert max(begun) < min(ended)  # each began before the other had ended


def test_the_suite_runs_in_turn_and_side_by_side(env: Env, load: Kubectl) -> None:
    done = (
        _with_kubectl(env)
        .python("examples/suite.py", "--image", KPERF, "--namespaces", "load", env.namespace)
        .finish()
    )
    assert done.code == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if "2 of 2 reports merged" in line]
    runs = ("load/get-configmap.yaml", "load/list-namespaces.yaml")
    beside = ("load/beside the others", f"{env.namespace}/beside the others")
    for name in (*runs, *beside):
        assert any(f"{name}: 2 of 2 reports merged" in line for line in lines), done.stderr
    assert load.names("jobs") | env.kubectl.names("jobs") == set()
