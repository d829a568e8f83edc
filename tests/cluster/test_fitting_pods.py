"""Pods that fit the cluster: each demand is refused with the option that helps, and then met."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.commands import Finished, Kubectl, until
from tests.cluster.credentials import kubeconfig_of
from tests.cluster.env import Env

API = "admissionregistration.k8s.io/v1"
PODS = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
NODE = "fitting-pods"
DEDICATED = "fitting-pods"

# As OpenShift's ranges: a user ID of the namespace, or none.
USER_IDS = (
    "!has(object.spec.securityContext.runAsUser) || "
    "(object.spec.securityContext.runAsUser >= 1000660000 && "
    "object.spec.securityContext.runAsUser <= 1000669999)"
)
PULL_SECRETS = "has(object.spec.imagePullSecrets) && object.spec.imagePullSecrets.size() > 0"


@pytest.fixture
def policy(env: Env) -> Iterator[Any]:
    """Returns what makes a policy on the pods of the namespace, and waits until it works."""
    kind, meta = "ValidatingAdmissionPolicy", {"name": env.namespace}

    def demand(expression: str, message: str) -> None:
        here = {"matchLabels": {"kubernetes.io/metadata.name": env.namespace}}
        spec = {
            "matchConstraints": {"namespaceSelector": here, "resourceRules": [PODS]},
            "validations": [{"expression": expression, "message": message}],
        }
        binding = {"policyName": meta["name"], "validationActions": ["Deny"]}
        env.kubectl.apply(
            {"apiVersion": API, "kind": kind, "metadata": meta, "spec": spec},
            {"apiVersion": API, "kind": f"{kind}Binding", "metadata": meta, "spec": binding},
        )
        until("the policy works", lambda: message in _refusal(env))

    yield demand
    for name in (f"{kind}Binding", kind):
        env.kubectl("delete", name, meta["name"], "--wait=false", "--ignore-not-found")


@pytest.fixture
def env(env: Env) -> Env:
    """As administrator: only who may create pods lets the API server judge them beforehand."""
    return env.as_admin


def _refusal(env: Env) -> str:
    """What the API server says about a pod that meets no demand but Pod Security's."""
    container = {
        "name": "x",
        "image": "x",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": 1,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    spec = {"containers": [container], "securityContext": {"runAsUser": 1}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": spec}
    words = ("create", "--dry-run=server", "--filename=-")
    return env.kubectl.attempt(*words, stdin=json.dumps(pod)).stderr


def _refused(env: Env, done: Finished, message: str, advice: str) -> None:
    """Check that nothing was created and that two lines say why, and what helps."""
    assert (done.code, done.stdout) == (7, "")
    error, step = done.stderr.splitlines()
    assert error.startswith("error: the pods of runner 1 of 1 (file://")
    assert message in error
    assert step.strip() == advice
    assert env.jobs() == {}


def test_a_policy_for_user_ids_is_met_with_run_as_user(env: Env, policy: Any) -> None:
    message = "runAsUser must be in 1000660000-1000669999"
    policy(USER_IDS, message)
    advice = (
        "set the user ID with --run-as-user UID, or leave it to the cluster with --run-as-user "
        "platform"
    )
    _refused(env, env.run(env.quick()), message, advice)
    done = env.run(env.quick(), options=["--run-as-user", "1000660000", "--wait"])
    assert done.code == 0
    (pod,) = env.kubectl.objects("pods")
    assert pod["spec"]["securityContext"]["runAsUser"] == 1000660000


def test_a_policy_for_pull_secrets_is_met_with_image_pull_secret(env: Env, policy: Any) -> None:
    message = "pods need imagePullSecrets"
    policy(PULL_SECRETS, message)
    advice = "name a Secret with the registry's credentials with --image-pull-secret"
    _refused(env, env.run(env.quick()), message, advice)
    done = env.run(env.quick(), options=["--image-pull-secret", "registry", "--wait"])
    assert done.code == 0


def test_a_quota_on_limits_is_met_with_limits(env: Env) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "limits"}}
    env.kubectl.apply({**quota, "spec": {"hard": {"limits.cpu": "4", "limits.memory": "4Gi"}}})
    until("the quota works", lambda: "must specify limits.cpu" in _refusal(env))
    advice = "set limits with --cpu-limit and --memory-limit"
    _refused(env, env.run(env.quick()), "must specify limits.cpu for: runner", advice)
    limits = ["--cpu-limit", "1", "--memory-limit", "512Mi", "--memory", "64Mi"]
    done = env.run(env.quick(2), options=[*limits, "--wait"])
    assert (done.code, "each runner has a CPU limit of 1: " in done.stderr) == (0, True)


def test_a_user_who_may_not_create_pods_is_told_at_the_first_event(env: Env, policy: Any) -> None:
    message = "runAsUser must be in 1000660000-1000669999"
    policy(USER_IDS, message)
    words = ["--kubeconfig", str(kubeconfig_of(env, "mrunners")), "--wait", "--start-timeout", "5s"]
    done = env.run(env.quick(), options=words)
    assert done.code == 5
    assert 'FailedCreate: Error creating: pods "mrunners-0-0-' in done.stderr
    assert "; set the user ID with --run-as-user UID, or leave it" in done.stderr


@pytest.fixture
def dedicated_node(kubectl: Kubectl) -> Iterator[str]:
    """A node of another architecture, which only those pods may enter that tolerate its taint."""
    labels = {
        "kubernetes.io/hostname": NODE,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "arm64",
        "pool": NODE,
    }
    annotations = {"kwok.x-k8s.io/node": "fake"}
    resources = {"cpu": "8", "memory": "16Gi", "pods": "110"}
    taint = {"key": "dedicated", "value": DEDICATED, "effect": "NoSchedule"}
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": NODE, "labels": labels, "annotations": annotations},
            "spec": {"taints": [taint]},
            "status": {"allocatable": resources, "capacity": resources},
        }
    )
    ready = '--output=jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    until("the node is ready", lambda: kubectl("get", "node", NODE, ready) == "True")
    yield NODE
    kubectl("delete", "node", NODE, "--wait=false")


def test_a_tainted_node_of_another_architecture_is_entered_on_purpose_only(
    env: Env, dedicated_node: str
) -> None:
    selector = ["--node-selector", f"pool={NODE}", "--start-timeout", "5s"]
    toleration = ["--toleration", f"dedicated={DEDICATED}:NoSchedule"]
    assert env.run(env.quick(), options=selector).code == 0
    stuck = env.mrunners("wait", env.namespace)
    assert stuck.code == 5
    last = stuck.stderr.splitlines()[-1]
    assert "tolerate the taint with --toleration" in last
    assert "choose other nodes with --node-selector" in last
    # Where they may go everywhere, they are on nodes of the image's architecture.
    done = env.run(env.quick(6), options=[*toleration, "--wait", "--replace"])
    assert done.code == 0
    assert dedicated_node not in {pod["spec"]["nodeName"] for pod in env.kubectl.objects("pods")}
    assert env.mrunners("result", env.namespace).code == 0
    arm = ["--node-selector", "kubernetes.io/arch=arm64"]
    assert env.run(env.quick(), options=[*toleration, *arm]).code == 0

    def nodes() -> set[str]:
        return {pod["spec"].get("nodeName", "") for pod in env.kubectl.objects("pods")}

    until("the pod has a node", lambda: nodes() == {dedicated_node})


def test_a_template_with_a_misspelt_field_creates_nothing(env: Env) -> None:
    template = env.folder / "pod.yaml"
    template.write_text("spec: {tolerationz: []}")
    done = env.run(env.quick(), options=["--pod-template", str(template)])
    assert (done.code, done.stdout, env.jobs()) == (2, "", {})
    assert 'unknown field "spec.template.spec.tolerationz"' in done.stderr
    template.write_text("spec: {priorityClassName: absent}")
    done = env.run(env.quick(), options=["--pod-template", str(template)])
    advice = "name another PriorityClass with --priority-class"
    _refused(env, done, "no PriorityClass with name absent was found", advice)
