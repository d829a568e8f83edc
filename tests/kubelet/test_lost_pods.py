"""Pods that are killed and nodes that are lost, as only real kubelets have it."""

from __future__ import annotations

import time

import yaml

from tests.cluster.commands import until
from tests.cluster.env import Env, profile_text
from tests.cluster.fault_rows import Cost, Figure
from tests.cluster.pods import ended, missing, running_pods, started
from tests.kubelet.hosts import KubeletHosts

# Keeps what it reads, as kperf keeps each latency.
HUNGRY = """\
#!/bin/sh
kept=$(head -c 200000000 /dev/zero | tr '\\0' x)
echo ${#kept}
"""


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
    assert entry["node"] in hosts.names
    figure(f"a container without memory: {entry['reason']}: {entry['detail']}")


# Writes more than its pod may, and goes on.
FULL = """\
#!/bin/sh
head -c 30000000 /dev/zero > /tmp/much
sleep 120
"""


def test_a_pod_that_is_evicted_for_its_own_limit_is_told_by_its_name(
    env: Env, hosts: KubeletHosts, figure: Figure, cost: Cost
) -> None:
    image = hosts.push("test/full:0.3.5", {"/kperf": FULL.encode()})
    template = env.folder / "template.yaml"
    limit = {"resources": {"limits": {"ephemeral-storage": "20Mi"}}}
    template.write_text(yaml.safe_dump({"spec": {"containers": [{"name": "runner", **limit}]}}))
    run = env.run(env.quick(1), image=image, options=["--pod-template", str(template), "--wait"])
    assert run.code == 5
    assert "Evicted" in run.stderr
    result = env.mrunners("result", env.namespace)
    cost("a kubelet evicts a pod for the pod's own limit", result)
    (entry,) = missing(result)
    assert "Evicted" in entry["detail"]
    assert "raise the limit of ephemeral storage" in entry["detail"]
    assert entry["node"] in hosts.names
    figure(f"a pod that wrote too much: {entry['reason']}: {entry['detail']}")


def test_a_sidecar_without_a_shell_is_told_while_the_runner_waits_for_it(env: Env) -> None:
    options = ["--report-logs", "2", "--start-timeout", "20s", "--wait"]
    run = env.run(env.quick(1), image="ghcr.io/azure/kperf-scratch:0.3.5", options=options)
    assert run.code == 5
    assert "StartError: " in run.stderr
    assert '"/bin/sh": stat /bin/sh: no such file or directory' in run.stderr
    assert "the image has no shell: choose the plain report format" in run.stderr


def test_a_containerd_that_is_killed_and_comes_back_loses_nothing(
    env: Env, hosts: KubeletHosts, cost: Cost
) -> None:
    run = started(env, 4, 25)
    running_pods(env, 4)
    hosts.kill("containerd-2")
    hosts.repair()
    finished = run.finish()
    assert "4 of 4 reports merged" in finished.stderr
    result = env.mrunners("result", env.namespace)
    cost("a containerd is killed under load and comes back", result)
    assert result.report["coverage"]["merged"] == 4


def test_reports_of_a_kubelet_that_hangs_come_when_it_goes_on(
    env: Env, hosts: KubeletHosts, cost: Cost
) -> None:
    load = env.file("load", profile_text(rate=50, total=100), 4)
    assert env.run(load).code == 0
    until("all pods ended", lambda: ended(env, 4))
    hosts.freeze("kubelet-2")
    try:
        away = env.mrunners("result", env.namespace)
    finally:
        hosts.thaw("kubelet-2")
        hosts.repair()
    assert away.code == 5
    assert {entry["reason"] for entry in missing(away)} == {"log-unavailable"}
    back = env.mrunners("result", env.namespace)
    cost("a kubelet hangs when reports are fetched, and goes on", back)
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
    run = started(env, 2, 75)
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
