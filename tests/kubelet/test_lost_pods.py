"""Pods that are deleted, evicted or killed, and nodes that are lost, on real kubelets."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster.commands import Finished, Started, until
from tests.cluster.env import Env, profile_text
from tests.kubelet.hosts import KubeletHosts

Figure = Callable[[str], None]
Cost = Callable[[str, Finished], None]


# Keeps what it reads, as kperf keeps each latency.
HUNGRY = """\
#!/bin/sh
kept=$(head -c 200000000 /dev/zero | tr '\\0' x)
echo ${#kept}
"""


def running_pods(env: Env, count: int) -> dict[str, str]:
    """Wait until so many pods run; return their nodes by name."""
    found: dict[str, str] = {}

    def all_run() -> bool:
        pods = env.kubectl.objects("pods")
        found.clear()
        for pod in pods:
            if pod["status"]["phase"] == "Running":
                found[pod["metadata"]["name"]] = pod["spec"]["nodeName"]
        return len(found) == count

    until(f"{count} pods run", all_run)
    return dict(found)


def started(env: Env, pods: int, seconds: int, *options: str) -> Started:
    """Start a run that loads for some seconds."""
    load = env.file("load", profile_text(rate=5, duration=seconds), pods)
    return env.start_run(load, options=["--wait", *options])


def missing(result: Finished) -> list[dict[str, Any]]:
    """Return what is missing in the report."""
    found: list[dict[str, Any]] = result.report["coverage"]["missing"]
    return found


def evict(env: Env, pod: str) -> None:
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": env.namespace},
    }
    path = f"/api/v1/namespaces/{env.namespace}/pods/{pod}/eviction"
    env.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))


def test_a_deleted_an_evicted_and_a_force_deleted_pod_are_told_with_their_nodes(
    env: Env, figure: Figure, cost: Cost
) -> None:
    run = started(env, 4, 60)
    pods = running_pods(env, 4)
    deleted, evicted, forced, _ = pods
    acts: dict[str, tuple[str, Callable[[], object]]] = {
        "deletion": (deleted, lambda: env.kubectl("delete", "pod", deleted, "--wait=false")),
        "eviction": (evicted, lambda: evict(env, evicted)),
        "forced deletion": (
            forced,
            lambda: env.kubectl("delete", "pod", forced, "--force", "--wait=false"),
        ),
    }
    for name, (pod, act) in acts.items():
        act()
        begin = time.monotonic()
        until(f"{pod} is told", functools.partial(run.stderr_contains, f"pod/{pod} on {pods[pod]}"))
        figure(f"{name}: told with pod and node after {time.monotonic() - begin:.1f} s")
    finished = run.finish()
    assert finished.code == 5
    result = env.mrunners("result", env.namespace)
    cost("pods are deleted, evicted and force-deleted", result)
    lost = missing(result)
    assert {entry["pod"] for entry in lost} == {deleted, evicted, forced}
    assert {entry["node"] for entry in lost} == {pods[entry["pod"]] for entry in lost}


def test_a_container_without_memory_is_told_by_its_name(
    env: Env, hosts: KubeletHosts, figure: Figure, cost: Cost
) -> None:
    image = hosts.push("test/hungry:0.3.5", {"/kperf": HUNGRY.encode()})
    options = ["--memory", "20Mi", "--memory-limit", "20Mi", "--wait"]
    run = env.run(env.quick(1), image=image, options=options)
    assert run.code == 5
    assert "OOMKilled" in run.stderr
    result = env.mrunners("result", env.namespace)
    cost("a container runs out of memory", result)
    (entry,) = missing(result)
    assert "OOMKilled" in entry["detail"]
    assert "raise the memory limit" in entry["detail"]
    assert entry["node"] in {"kubelet-1", "kubelet-2"}
    figure(f"a container without memory: {entry['reason']}: {entry['detail']}")


def test_a_kubelet_that_is_killed_and_comes_back_loses_nothing(
    env: Env, hosts: KubeletHosts, cost: Cost
) -> None:
    run = started(env, 4, 15)
    running_pods(env, 4)
    hosts.kill("kubelet-1")
    hosts.kill("containerd-2")
    hosts.repair()
    finished = run.finish()
    assert finished.code == 0, finished.stderr
    result = env.mrunners("result", env.namespace)
    cost("a kubelet and a containerd are killed and come back", result)
    assert result.report["coverage"]["merged"] == 4


@pytest.mark.parametrize("hangs", [False, True], ids=["dead", "hanging"])
def test_reports_of_a_node_that_is_away_when_they_are_asked_for_come_when_it_is_back(
    env: Env, hosts: KubeletHosts, cost: Cost, hangs: bool
) -> None:
    load = env.file("load", profile_text(rate=50, total=100), 4)
    assert env.run(load).code == 0

    def all_ended() -> bool:
        phases = [pod["status"]["phase"] for pod in env.kubectl.objects("pods")]
        return phases == ["Succeeded"] * 4

    until("all pods ended", all_ended)
    if hangs:
        hosts.freeze("kubelet-2")
    else:
        hosts.kill("kubelet-2")
    try:
        away = env.mrunners("result", env.namespace)
    finally:
        hosts.thaw("kubelet-2")
        hosts.repair()
    assert away.code == 5
    assert {entry["reason"] for entry in away.report["coverage"]["missing"]} == {"log-unavailable"}
    back = env.mrunners("result", env.namespace)
    state = "hangs" if hangs else "is dead"
    cost(f"a kubelet {state} when its reports are fetched, and comes back", back)
    assert (back.code, back.report["coverage"]["merged"]) == (0, 4), back.stderr


def test_an_api_server_that_is_killed_under_load_and_comes_back_loses_nothing(
    env: Env, hosts: KubeletHosts, cost: Cost
) -> None:
    run = started(env, 4, 40)
    running_pods(env, 4)
    hosts.kill_component("kube-apiserver")
    hosts.repair()
    finished = run.finish()
    result = env.mrunners("result", env.namespace)
    cost("the API server is killed under load and comes back", result)
    assert result.report["coverage"]["merged"] == 4, finished.stderr
    # The load has met the outage too.
    assert sum(result.report["errorStats"].values()) > 0


def test_pods_on_a_node_that_is_lost_and_deleted_are_told_with_the_node(
    env: Env, hosts: KubeletHosts, figure: Figure, cost: Cost
) -> None:
    run = started(env, 2, 90)
    pods = running_pods(env, 2)
    lost = next(pod for pod, node in pods.items() if node == "kubelet-2")
    hosts.kill("kubelet-2")
    begin = time.monotonic()
    try:
        until(
            "the silent node is told",
            lambda: run.stderr_contains("node kubelet-2 does not answer"),
            seconds=90,
        )
        figure(f"a dead kubelet: its node is told after {time.monotonic() - begin:.1f} s")
        env.kubectl("delete", "node", "kubelet-2")
        finished = run.finish()
    finally:
        hosts.repair()
    assert finished.code == 5
    result = env.mrunners("result", env.namespace)
    cost("a node is lost for good and deleted", result)
    (entry,) = missing(result)
    assert (entry["pod"], entry["node"]) == (lost, "kubelet-2")


def test_a_drained_node_gives_its_pods_up_and_each_is_told(
    env: Env, figure: Figure, cost: Cost
) -> None:
    run = started(env, 4, 60)
    pods = running_pods(env, 4)
    on_node = {pod for pod, node in pods.items() if node == "kubelet-1"}
    words = ["--ignore-daemonsets", "--delete-emptydir-data", "--force"]
    try:
        env.kubectl("drain", "kubelet-1", *words, "--pod-selector=batch.kubernetes.io/job-name")
        begin = time.monotonic()
        for pod in on_node:
            until(f"{pod} is told", functools.partial(run.stderr_contains, f"{pod} on kubelet-1"))
        figure(f"a drained node: all told {time.monotonic() - begin:.1f} s after the drain")
    finally:
        env.kubectl("uncordon", "kubelet-1")
    finished = run.finish()
    assert finished.code == 5
    result = env.mrunners("result", env.namespace)
    cost("a node is drained", result)
    assert {entry["pod"] for entry in missing(result)} == on_node
    assert {entry["node"] for entry in missing(result)} == {"kubelet-1"}


def test_a_late_second_start_is_a_finding(env: Env) -> None:
    # Two nodes with room for one pod each: the third waits for the first to end.
    load = env.file("load", profile_text(rate=10, duration=8), 3)
    options = ["--spread", "require", "--wait"]
    run = env.run(load, options=options)
    assert "pods started within" in run.stderr
    assert "Unschedulable" in run.stderr


def test_a_forced_delete_in_the_middle_leaves_no_pod(env: Env, figure: Figure) -> None:
    run = started(env, 4, 600)
    running_pods(env, 4)
    begin = time.monotonic()
    deleted = env.mrunners("delete", env.namespace, "--force")
    figure(f"delete --force of 4 running pods: {time.monotonic() - begin:.1f} s")
    assert deleted.code == 0, deleted.stderr
    assert env.kubectl.names("pods") == set()
    assert run.finish().code != 0
