"""Pods that are deleted or evicted, and nodes that are lost, on every kind of hosts."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path

from tests.cluster.commands import Started, until
from tests.cluster.env import Env, profile_text
from tests.cluster.fault_rows import Cost, Figure
from tests.cluster.hosts import Hosts
from tests.cluster.pods import ended, evict, missing, running_pods, seen_running, started
from tests.cluster.prepared_reports import prepared
from tests.factories import sampled_report
from tests.faults.proxy import proxying
from tests.faults.upstream import Upstream

# Of each load: long enough for all pods to run at the same time on a busy machine.
SECONDS = 20


def is_told(run: Started, pod: str, why: str) -> bool:
    """Whether a line says it of a pod, which a wait may see while it ends or only miss later."""
    return any(pod in line and why in line for line in run.stderr_lines())


def test_a_deleted_an_evicted_and_a_force_deleted_pod_are_told_with_their_nodes(
    env: Env, figure: Figure, cost: Cost
) -> None:
    run = started(env, 4, 45)
    pods = seen_running(run, env, 4)
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
        why = "EvictionByEvictionAPI" if pod == evicted else "was deleted while it ran"
        told = functools.partial(is_told, run, f"pod/{pod} on {pods[pod]}", why)
        until(f"{pod} is told", told)
        figure(f"{name}: told with pod and node after {time.monotonic() - begin:.1f} s")
    finished = run.finish()
    assert finished.code == 5
    result = env.mrunners("result", env.namespace)
    cost("pods are deleted, evicted and force-deleted", result)
    lost = missing(result)
    assert {entry["pod"] for entry in lost} == {deleted, evicted, forced}
    assert {entry["node"] for entry in lost} == {pods[entry["pod"]] for entry in lost}
    reasons = {entry["pod"]: entry["reason"] for entry in lost}
    assert [pod for pod, reason in reasons.items() if reason == "disrupted"] == [evicted]


def test_a_node_that_is_lost_and_comes_back_during_a_run_loses_nothing(
    env: Env, hosts: Hosts, cost: Cost
) -> None:
    run = started(env, 4, SECONDS)
    pods = running_pods(env, 4)
    hosts.lose(next(iter(pods.values())))
    hosts.repair()
    finished = run.finish()
    assert "4 of 4 reports merged" in finished.stderr
    result = env.mrunners("result", env.namespace)
    cost("a node's kubelet is killed under load and comes back", result)
    assert result.report["coverage"]["merged"] == 4


def test_the_reports_of_other_nodes_arrive_although_one_node_is_lost(
    env: Env, hosts: Hosts, cost: Cost
) -> None:
    run = started(env, 4, SECONDS)
    pods = seen_running(run, env, 4)
    node = next(iter(pods.values()))
    on_node = {pod for pod in pods if pods[pod] == node}
    hosts.lose(node)
    try:
        # As Kubernetes itself does after five minutes.
        env.kubectl("delete", "pod", "--wait=false", *on_node)
        finished = run.finish()
        result = env.mrunners("result", env.namespace)
        lost = missing(result)
    finally:
        hosts.repair()
    assert finished.code == 5
    cost("a node is lost and its pods are deleted", result)
    text = f"{len(on_node)} of 4 pods lost: the pod was deleted; node {node} does not answer"
    assert text in finished.stderr
    assert {(entry["pod"], entry["node"]) for entry in lost} == {(pod, node) for pod in on_node}
    assert {entry["reason"] for entry in lost} == {"disrupted"}


def test_reports_of_a_node_that_is_away_when_they_are_asked_for_come_when_it_is_back(
    env: Env, hosts: Hosts, cost: Cost
) -> None:
    load = env.file("load", profile_text(rate=50, total=100), 4)
    assert env.run(load).code == 0
    until("all pods ended", lambda: ended(env, 4))
    pods = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in env.kubectl.objects("pods")}
    node = next(iter(pods.values()))
    hosts.lose(node)
    try:
        away = env.mrunners("result", env.namespace)
    finally:
        hosts.repair()
    assert away.code == 5
    lost = {(entry["pod"], entry["reason"]) for entry in away.report["coverage"]["missing"]}
    assert lost == {(pod, "log-unavailable") for pod in pods if pods[pod] == node}
    back = env.mrunners("result", env.namespace)
    cost("a kubelet is dead when reports are fetched, and comes back", back)
    assert (back.code, back.report["coverage"]["merged"]) == (0, 4), back.stderr


def test_reports_of_a_node_that_is_lost_in_the_middle_of_a_log_come_when_it_is_back(
    env: Env, hosts: Hosts, cost: Cost, tmp_path: Path
) -> None:
    # A log of some megabytes, so that it cannot be on its way as a whole.
    samples = 300_000
    image = hosts.push("test/prepared:0.3.5", prepared(sampled_report(samples)))
    assert env.run(env.file("load", profile_text(total=samples), 2), image=image).code == 0
    until("all pods ended", lambda: ended(env, 2))
    logs: list[str] = []
    with proxying(Upstream(env.kubectl.kubeconfig, tmp_path), tmp_path, env.namespace) as proxy:

        def lose_all() -> None:
            logs.append("begun")
            for node in hosts.names:
                hosts.lose(node)

        proxy.in_next_log = lose_all
        words = ("result", env.namespace, "--kubeconfig", str(proxy.kubeconfig))
        try:
            away = env.mrunners(*words)
        finally:
            hosts.repair()
    assert logs == ["begun"]
    assert away.code == 5
    lost = {entry["reason"] for entry in away.report["coverage"]["missing"]}
    assert lost == {"log-unavailable"}, away.stderr
    back = env.mrunners("result", env.namespace)
    cost("a node is lost in the middle of a log, and comes back", back)
    assert (back.code, back.report["total"]) == (0, 2 * samples), back.stderr


def test_a_drained_node_gives_its_pods_up_and_each_is_told(env: Env, cost: Cost) -> None:
    run = started(env, 4, SECONDS)
    pods = seen_running(run, env, 4)
    drained = next(iter(pods.values()))
    on_node = {pod for pod, node in pods.items() if node == drained}
    try:
        selector = "batch.kubernetes.io/job-name=mrunners-0"
        env.kubectl(
            "drain",
            drained,
            "--ignore-daemonsets",
            "--delete-emptydir-data",
            "--force",
            f"--pod-selector={selector}",
        )
    finally:
        env.kubectl("uncordon", drained)
    finished = run.finish()
    assert finished.code == 5
    told = [line for line in finished.stderr.splitlines() if "EvictionByEvictionAPI: " in line]
    for pod in on_node:
        assert any(f"pod/{pod} on {drained}" in line for line in told), finished.stderr
    result = env.mrunners("result", env.namespace)
    cost("a node is drained", result)
    assert {entry["pod"] for entry in missing(result)} == on_node
    assert {entry["node"] for entry in missing(result)} == {drained}
