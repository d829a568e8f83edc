import json

from tests.localcluster.env import KPERF, Json, LocalCluster

PROFILE = """\
version: 1
description: a short one
specs:
- rate: 50
  total: 40
  conns: 2
  client: 2
  contentType: json
  requests:
  - shares: 1
    staleList: {version: v1, resource: configmaps, namespace: bench}
"""


def test_three_real_runners_under_restricted_pod_security_report_from_three_nodes(
    cluster: LocalCluster,
) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}]
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": "bench"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "runner"}

    def inside(kind: str, group: str, name: str, **content: object) -> Json:
        metadata = {"name": name, "namespace": "bench"}
        return {"apiVersion": group, "kind": kind, "metadata": metadata} | content

    rbac = "rbac.authorization.k8s.io/v1"
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench", "labels": labels}},
        inside("Role", rbac, "runner", rules=rules),
        inside("RoleBinding", rbac, "runner", roleRef=reference, subjects=[subject]),
        inside("ConfigMap", "v1", "profile", data={"load_profile.yaml": PROFILE}),
    )
    container = {
        "name": "kperf",
        "image": KPERF,
        "command": ["/kperf", "-v=0", "runner", "run", "--config=/config/load_profile.yaml"],
        "volumeMounts": [{"name": "config", "mountPath": "/config"}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"run": "x"}},
    }
    template = {
        "metadata": {"labels": {"run": "x"}},
        "spec": {
            "restartPolicy": "Never",
            "containers": [container],
            "volumes": [{"name": "config", "configMap": {"name": "profile"}}],
            "topologySpreadConstraints": [spread],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
    }
    job = {
        "completionMode": "Indexed",
        "completions": 3,
        "parallelism": 3,
        "backoffLimitPerIndex": 0,
        "podReplacementPolicy": "Failed",
        "template": template,
    }
    cluster.apply(inside("Job", "batch/v1", "load", spec=job))
    cluster.kubectl("wait", "-n", "bench", "--for=condition=Complete", "job/load", "--timeout=60s")
    pods = cluster.get("pods", "-n", "bench")["items"]
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 3
    for pod in pods:
        report = json.loads(cluster.kubectl("logs", "-n", "bench", pod["metadata"]["name"]))
        assert report["aggregated"]["total"] == 40
        assert not report["aggregated"].get("errorStats")
