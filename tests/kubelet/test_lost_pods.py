"""Pods that are deleted, evicted or killed, and nodes that are lost, on real kubelets."""

from __future__ import annotations

import json
from typing import Any

from tests.cluster.commands import Started, until
from tests.cluster.env import Env, profile_text
from tests.kubelet.hosts import KubeletHosts


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


def missing(env: Env) -> list[dict[str, Any]]:
    """Return what is missing in the report."""
    found: list[dict[str, Any]] = env.mrunners("result", env.namespace).report["coverage"][
        "missing"
    ]
    return found


def evict(env: Env, pod: str) -> None:
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": env.namespace},
    }
    path = f"/api/v1/namespaces/{env.namespace}/pods/{pod}/eviction"
    env.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))


def test_a_deleted_an_evicted_and_a_force_deleted_pod_are_told_with_their_nodes(env: Env) -> None:
    # Sidecars neither keep a pod nor hide why it ended.
    run = started(env, 4, 25, "--report-logs", "2")
    pods = running_pods(env, 4)
    deleted, evicted, forced, _ = pods
    env.kubectl("delete", "pod", deleted, "--wait=false")
    evict(env, evicted)
    env.kubectl("delete", "pod", forced, "--force", "--grace-period=0", "--wait=false")

    for pod in (deleted, evicted, forced):
        until(f"{pod} is told", lambda pod=pod: run.stderr_contains(pod))  # type: ignore[misc]
    finished = run.finish()
    assert finished.code == 5
    lost = missing(env)
    assert {entry["pod"] for entry in lost} == {deleted, evicted, forced}
    assert {entry["node"] for entry in lost} == {pods[entry["pod"]] for entry in lost}


def test_a_container_without_memory_is_told_by_its_name(env: Env) -> None:
    load = env.file("load", profile_text(total=3_000_000, rate=0), 1)
    options = ["--memory", "20Mi", "--memory-limit", "20Mi", "--node-log-limit", "1Gi", "--wait"]
    run = env.run(load, options=options)
    assert run.code == 5
    assert "OOMKilled" in run.stderr
    (entry,) = missing(env)
    assert "OOMKilled" in entry["detail"]
    assert "raise the memory limit" in entry["detail"]
    assert entry["node"] in {"kubelet-1", "kubelet-2"}


def test_a_kubelet_that_is_killed_and_comes_back_loses_nothing(
    env: Env, hosts: KubeletHosts
) -> None:
    run = started(env, 4, 15)
    running_pods(env, 4)
    hosts.kill("kubelet-1")
    hosts.kill("containerd-2")
    hosts.repair()
    finished = run.finish()
    assert finished.code == 0, finished.stderr
    assert env.mrunners("result", env.namespace).report["coverage"]["merged"] == 4


def test_reports_of_a_node_that_is_away_when_they_are_asked_for_come_when_it_is_back(
    env: Env, hosts: KubeletHosts
) -> None:
    load = env.file("load", profile_text(rate=50, total=100), 4)
    assert env.run(load).code == 0

    def all_ended() -> bool:
        phases = [pod["status"]["phase"] for pod in env.kubectl.objects("pods")]
        return phases == ["Succeeded"] * 4

    until("all pods ended", all_ended)
    hosts.kill("kubelet-2")
    away = env.mrunners("result", env.namespace)
    assert away.code == 5
    assert {entry["reason"] for entry in away.report["coverage"]["missing"]} == {"log-unavailable"}
    hosts.repair()
    back = env.mrunners("result", env.namespace)
    assert (back.code, back.report["coverage"]["merged"]) == (0, 4), back.stderr


def test_pods_on_a_node_that_is_lost_and_deleted_are_told_with_the_node(
    env: Env, hosts: KubeletHosts
) -> None:
    run = started(env, 2, 60)
    pods = running_pods(env, 2)
    lost = next(pod for pod, node in pods.items() if node == "kubelet-2")
    hosts.kill("kubelet-2")
    try:
        until(
            "the silent node is told",
            lambda: run.stderr_contains("node kubelet-2 does not answer"),
            seconds=90,
        )
        env.kubectl("delete", "node", "kubelet-2")
        finished = run.finish()
    finally:
        hosts.repair()
    assert finished.code == 5
    (entry,) = missing(env)
    assert (entry["pod"], entry["node"]) == (lost, "kubelet-2")


def test_a_drained_node_gives_its_pods_up_and_each_is_told(env: Env) -> None:
    run = started(env, 4, 30)
    pods = running_pods(env, 4)
    on_node = {pod for pod, node in pods.items() if node == "kubelet-1"}
    try:
        selector = "batch.kubernetes.io/job-name=mrunners-0"
        env.kubectl(
            "drain",
            "kubelet-1",
            "--ignore-daemonsets",
            "--delete-emptydir-data",
            "--force",
            f"--pod-selector={selector}",
        )
    finally:
        env.kubectl("uncordon", "kubelet-1")
    finished = run.finish()
    assert finished.code == 5
    assert {entry["pod"] for entry in missing(env)} == on_node
    assert {entry["node"] for entry in missing(env)} == {"kubelet-1"}


def test_a_late_second_start_is_a_finding(env: Env) -> None:
    # Two nodes with room for one pod each: the third waits for the first to end.
    load = env.file("load", profile_text(rate=10, duration=8), 3)
    options = ["--spread", "require", "--wait"]
    run = env.run(load, options=options)
    assert "pods started within" in run.stderr
    assert "Unschedulable" in run.stderr


def test_a_forced_delete_in_the_middle_leaves_no_pod(env: Env) -> None:
    run = started(env, 4, 600)
    running_pods(env, 4)
    deleted = env.mrunners("delete", env.namespace, "--force")
    assert deleted.code == 0, deleted.stderr
    assert env.kubectl.names("pods") == set()
    assert run.finish().code != 0
