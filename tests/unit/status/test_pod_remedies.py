"""What a cluster says about pods, and the option that helps."""

import pytest

from mrunners.errors import NextStep
from mrunners.hints import advice
from mrunners.status.pod_remedies import remedies

# As Kubernetes 1.37, containerd, OpenShift, Gatekeeper and Kyverno write them.
FORBIDDEN = 'pods "mrunners-0-0-" is forbidden: '
CASES = {
    "quota-limits": (
        "FailedCreate",
        FORBIDDEN + "failed quota: q: must specify limits.cpu for: runner; limits.memory for: "
        "runner",
        "--cpu-limit and --memory-limit",
    ),
    "quota-exceeded": (
        "FailedCreate",
        FORBIDDEN + "exceeded quota: q, requested: requests.cpu=100m, used: requests.cpu=1, "
        "limited: requests.cpu=1",
        "--cpu and --memory",
    ),
    "quota-of-pods": (
        "FailedCreate",
        FORBIDDEN + "exceeded quota: limits, requested: pods=1, used: pods=4, limited: pods=4",
        "",
    ),
    "names": (
        "FailedCreate",
        'create pods in namespace limit was refused: pods "limit-policy-0-0-" is forbidden: '
        "resource Pod/limit/label-0 has something else",
        "",
    ),
    "names-of-policies": (
        "FailedCreate",
        FORBIDDEN + "ValidatingAdmissionPolicy 'limit-labels' with binding 'uid' denied request: "
        "only controllers create pods",
        "--pod-template",
    ),
    "limited": ("FailedCreate", FORBIDDEN + "the number is limited", ""),
    "limit-range": (
        "FailedCreate",
        FORBIDDEN + "minimum memory usage per Container is 256Mi, but request is 128Mi",
        "--cpu-limit and --memory-limit, or set what a runner asks for with --cpu and --memory",
    ),
    "uid": (
        "FailedCreate",
        FORBIDDEN + "ValidatingAdmissionPolicy 'uids' with binding 'uids' denied request: "
        "runAsUser must be in 1000660000-1000669999",
        "--run-as-user UID, or leave it to the cluster with --run-as-user platform",
    ),
    "openshift": (
        "FailedCreate",
        FORBIDDEN + "unable to validate against any security context constraint: [provider "
        '"restricted-v2": .spec.securityContext.fsGroup: Invalid value: [65532]]',
        "--run-as-user",
    ),
    "gatekeeper": (
        "FailedCreate",
        'admission webhook "validation.gatekeeper.sh" denied the request: [must-have-owner] you '
        'must provide labels: {"owner"}',
        "--label KEY=VALUE",
    ),
    "kyverno": (
        "FailedCreate",
        'admission webhook "validate.kyverno.svc-fail" denied the request: resource Pod/load/x '
        "was blocked due to the following policies require-requests-limits: validation error: CPU "
        "and memory resource requests and memory limits are required",
        "--cpu-limit and --memory-limit",
    ),
    "secrets": (
        "FailedCreate",
        FORBIDDEN + "ValidatingAdmissionPolicy 'p' with binding 'p' denied request: pods need "
        "imagePullSecrets",
        "--image-pull-secret",
    ),
    "priority": (
        "FailedCreate",
        FORBIDDEN + "no PriorityClass with name high was found",
        "--priority-class",
    ),
    "account": (
        "FailedCreate",
        FORBIDDEN + 'error looking up service account load/x: serviceaccount "x" not found',
        "--service-account",
    ),
    "pod-security": (
        "FailedCreate",
        FORBIDDEN + 'violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)',
        "--pod-template",
    ),
    "unknown": ("FailedCreate", FORBIDDEN + "something else", ""),
    "taint": (
        "Unschedulable",
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).",
        "--toleration, or set what a runner asks for with --cpu and --memory",
    ),
    "selector": (
        "Unschedulable",
        "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.",
        "--node-selector",
    ),
    "no-node": ("Unschedulable", "0/3 nodes are available: 3 Too many pods.", ""),
    "registry": (
        "ImagePullBackOff",
        'Back-off pulling image "r.example/kperf:1": ErrImagePull: failed to authorize: failed to '
        "fetch anonymous token: 401 Unauthorized",
        "--image-pull-secret",
    ),
    "no-image": ("ErrImagePull", "r.example/kperf:1: not found", ""),
    "never": ("ErrImageNeverPull", "", "--image-pull-policy"),
    "root": (
        "CreateContainerConfigError",
        "container has runAsNonRoot and image will run as root",
        "--run-as-user UID",
    ),
    "other": ("SomethingElse", "limits", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_a_refusal_is_answered_with_the_option_that_helps(case: str) -> None:
    reason, message, expected = CASES[case]
    text = advice(remedies(reason, message))
    assert expected in text
    assert bool(text) is bool(expected)


def test_each_option_that_can_help_is_advised_somewhere() -> None:
    advised = {step for reason, message, _ in CASES.values() for step in remedies(reason, message)}
    # Annotations are demanded as labels are.
    assert {step for step in NextStep if step.value.startswith("set-")} - advised == {
        NextStep.SET_ANNOTATIONS
    }
