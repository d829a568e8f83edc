"""Pods that do not end by themselves: beside an injected container, and on a lost node."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from typing import Any

from tests.cluster.commands import Kubectl, until
from tests.cluster.env import KPERF, Env

# In the expression language of policies, where an object needs its type.
_CONTAINER = f"""\
Object.spec.containers{{
  name: 'injected', image: '{KPERF}', command: ['/bin/sh', '-c', 'sleep 900'],
  securityContext: Object.spec.containers.securityContext{{
    allowPrivilegeEscalation: false,
    capabilities: Object.spec.containers.securityContext.capabilities{{drop: ['ALL']}}
  }}
}}"""


@contextlib.contextmanager
def injected_sidecar(env: Env) -> Iterator[None]:
    """Let the API server add a container to every pod of the namespace, as a service mesh does."""
    name = f"sidecar-{env.namespace}"
    group = "admissionregistration.k8s.io/v1"
    policy: dict[str, Any] = {
        "apiVersion": group,
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                    }
                ]
            },
            "mutations": [
                {
                    "patchType": "JSONPatch",
                    "jsonPatch": {
                        "expression": "[JSONPatch{op: 'add', path: '/spec/containers/-', "
                        f"value: {_CONTAINER}}}]"
                    },
                }
            ],
        },
    }
    binding = {
        "apiVersion": group,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "matchResources": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": env.namespace}}
            },
        },
    }
    probe = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe", "namespace": env.namespace},
        "spec": {
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "only",
                    "image": KPERF,
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }

    def injected() -> bool:
        created = env.kubectl(
            "create", "--dry-run=server", "--output=json", "--filename=-", stdin=json.dumps(probe)
        )
        return len(json.loads(created)["spec"]["containers"]) == 2

    env.kubectl.apply(policy, binding)
    try:
        until("the policy holds", injected)
        yield
    finally:
        env.kubectl("delete", "mutatingadmissionpolicybinding", name)
        env.kubectl("delete", "mutatingadmissionpolicy", name)


def test_a_run_beside_injected_sidecars_ends_with_its_whole_report(env: Env) -> None:
    with injected_sidecar(env):
        run = env.run(env.quick(2), options=["--wait"])
    assert (run.code, run.stdout) == (0, "mrunners\n"), run.stderr
    holds = "2 of 2 pods have ended, but the Job cannot finish: container injected still runs"
    assert holds in run.stderr
    (job,) = env.kubectl.objects("jobs")
    assert job["status"]["active"] == 2
    status = env.mrunners("status", env.namespace, "-o", "json", "--exit-code")
    assert status.code == 0
    assert [holds in problem for problem in status.report["problems"]] == [True]
    assert [(j["ended"], j["starting"]) for j in status.report["jobs"]] == [(2, 0)]
    assert env.mrunners("wait", env.namespace).code == 0
    result = env.mrunners("result", env.namespace)
    assert (result.code, result.report["coverage"]["merged"]) == (0, 2)
    assert env.mrunners("delete", env.namespace).code == 0
    assert env.kubectl.names("pods") == set()


@contextlib.contextmanager
def all_nodes_stopped(kubectl: Kubectl) -> Iterator[None]:
    """Stop what acts for the kubelets of all nodes; their pods run on."""
    record = json.loads((kubectl.kubeconfig.parent / "record.json").read_text())
    pids = [agent["pid"] for agent in record["agents"].values()]
    assert len(pids) == 4
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        until("all nodes are ready again", lambda: _ready_nodes(kubectl) == 4)


def _ready_nodes(kubectl: Kubectl) -> int:
    """Return how many nodes are ready, and take pods."""
    return sum(
        not node["spec"].get("taints")
        and any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in node["status"]["conditions"]
        )
        for node in kubectl.objects("nodes")
    )


def test_a_pod_on_a_lost_node_is_disrupted_with_the_node_and_never_not_started(
    env: Env, kubectl: Kubectl
) -> None:
    assert env.run(env.slow(1), options=["--start-timeout", "20s"]).code == 0

    def running() -> bool:
        return [pod["status"]["phase"] for pod in env.kubectl.objects("pods")] == ["Running"]

    until("the pod runs", running)
    (pod,) = env.kubectl.objects("pods")
    with all_nodes_stopped(kubectl):
        env.kubectl("delete", "pod", pod["metadata"]["name"], "--wait=false")
        wait = env.mrunners("wait", env.namespace)
        result = env.mrunners("result", env.namespace)
    lost = f"the pod was deleted; node {pod['spec']['nodeName']} does not answer"
    assert (wait.code, result.code) == (5, 5)
    assert f"job.batch/mrunners-0: 1 of 1 pods lost: {lost}; check the node" in wait.stderr
    assert "did not start" not in wait.stderr
    (missing,) = result.report["coverage"]["missing"]
    assert (missing["reason"], missing["node"]) == ("disrupted", pod["spec"]["nodeName"])
    assert missing["detail"] == lost
    assert "because 1 report may still be had: mrunners-0 index 0 (disrupted)" in result.stderr
