"""Pods that are killed and nodes that are lost, as only real kubelets have it."""

from __future__ import annotations

from tests.cluster.commands import until
from tests.cluster.env import Env, profile_text
from tests.cluster.pods import missing, running_pods, started
from tests.kubelet.hosts import KubeletHosts


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


def test_a_containerd_that_is_killed_and_comes_back_loses_nothing(
    env: Env, hosts: KubeletHosts
) -> None:
    run = started(env, 4, 25)
    running_pods(env, 4)
    hosts.kill("containerd-2")
    hosts.repair()
    finished = run.finish()
    assert "4 of 4 reports merged" in finished.stderr
    assert env.mrunners("result", env.namespace).report["coverage"]["merged"] == 4


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
