"""What an API server or a policy made of a Job is said, one line per field."""

import re
from copy import deepcopy
from typing import Any

import pytest

from mrunners.plan.job import job_manifest
from mrunners.plan.spec_changes import (
    changed_fields,
    dropped_fields,
    mounted_profile,
    spec_fields,
)
from mrunners.plan.tracker import profile_key
from tests.unit.env import planned
from tests.unit.plan.test_pod_options import pod_of, with_template

RUN = planned(2)
# What Kubernetes 1.37.2 fills in (measured).
DEFAULTS = {"backoffLimit": 2147483647, "manualSelector": False, "suspend": False}
POD_DEFAULTS = {"dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler"}
CONTAINER_DEFAULTS = {
    "imagePullPolicy": "IfNotPresent",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}


def sent() -> Any:
    manifest = job_manifest(
        RUN.plan, RUN.plan.jobs[0], profile_config_map="mrunners", tracker_uid="uid"
    )
    return manifest["spec"]


def returned() -> Any:
    """The spec as an API server without policies returns it."""
    spec = deepcopy(sent()) | DEFAULTS | {"selector": {"matchLabels": {"x": "y"}}}
    pod = spec["template"]["spec"]
    pod |= POD_DEFAULTS | {"serviceAccount": "default"}
    pod["containers"][0] |= CONTAINER_DEFAULTS
    pod["containers"][0]["env"][2]["valueFrom"]["fieldRef"]["apiVersion"] = "v1"
    pod["volumes"][0]["configMap"]["defaultMode"] = 420
    return spec


def changes(spec: Any) -> list[str]:
    return changed_fields(spec_fields(sent()), spec_fields(spec))


def test_each_field_that_an_old_server_drops_is_reported_with_its_consequence() -> None:
    kept = set(spec_fields(sent()))
    assert dropped_fields(kept) == []
    assert dropped_fields(kept - {"backoffLimitPerIndex", "podReplacementPolicy"}) == [
        "this API server ignores spec.backoffLimitPerIndex of Jobs: one failing pod ends its "
        "siblings and their reports are lost",
        "this API server ignores spec.podReplacementPolicy of Jobs: a drained pod is replaced at "
        "once and both load the cluster",
    ]


def test_what_every_api_server_fills_in_is_not_reported() -> None:
    assert changes(returned()) == []


def test_what_it_fills_into_a_pod_template_is_not_reported_and_what_a_policy_adds_is() -> None:
    text = """
spec:
  volumes:
  - {name: ca, secret: {secretName: ca}}
  - {name: data, hostPath: {path: /data}}
  containers:
  - name: runner
    env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
    ports: [{containerPort: 80}]
    startupProbe: {httpGet: {port: 80}}
"""
    before = pod_of(with_template(text))
    after = deepcopy(before)
    runner = after["spec"]["containers"][0]
    after["spec"]["volumes"][2]["secret"]["defaultMode"] = 420
    after["spec"]["volumes"][3]["hostPath"]["type"] = ""
    runner["env"][-1]["valueFrom"]["fieldRef"]["apiVersion"] = "v1"
    runner["ports"][0]["protocol"] = "TCP"
    runner["startupProbe"] |= {"periodSeconds": 10, "failureThreshold": 3}
    runner["startupProbe"]["httpGet"] |= {"path": "/", "scheme": "HTTP"}
    sent_fields = spec_fields({"template": before})
    assert changed_fields(sent_fields, spec_fields({"template": after})) == []
    runner["ports"][0]["hostPort"] = 80
    (line,) = changed_fields(sent_fields, spec_fields({"template": after}))
    assert line.startswith(
        "this cluster adds spec.template.spec.containers.runner.ports.0.hostPort"
    )


def test_what_an_api_server_fills_into_a_template_or_spells_shorter_is_no_change() -> None:
    text = """
spec:
  hostNetwork: true
  securityContext: null
  terminationGracePeriodSeconds: null
  volumes:
  - {name: tmp, emptyDir: {sizeLimit: 1024Mi}}
  - {name: a}
  - name: b
    ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: {storage: 1e9}}}}}
  containers:
  - name: runner
    ports: [{containerPort: 80}]
    env: [{name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]
"""
    before = pod_of(with_template(text, cpu="0.5", memory="1024Mi", cpu_limit="1000m"))
    after = deepcopy(before)
    spec = after["spec"]
    spec |= {"securityContext": {}, "terminationGracePeriodSeconds": 30}
    tmp, a, b = spec["volumes"][1:]
    tmp["emptyDir"]["sizeLimit"] = "1Gi"
    a["emptyDir"] = {}
    claim = b["ephemeral"]["volumeClaimTemplate"]
    claim["metadata"] = {"creationTimestamp": None}
    claim["spec"] |= {"resources": {"requests": {"storage": "1G"}}, "volumeMode": "Filesystem"}
    runner = spec["containers"][0]
    runner["resources"] = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": "1"}}
    runner["ports"][0] |= {"hostPort": 80, "protocol": "TCP"}
    runner["env"][-1]["valueFrom"]["resourceFieldRef"]["divisor"] = "0"
    sent_fields = spec_fields({"template": before})
    assert changed_fields(sent_fields, spec_fields({"template": after})) == []
    runner["resources"]["requests"]["cpu"] = "501m"
    assert len(changed_fields(sent_fields, spec_fields({"template": after}))) == 1


@pytest.mark.parametrize(
    ("added", "line"),
    [
        (
            {"ttlSecondsAfterFinished": 2},
            "this cluster adds spec.ttlSecondsAfterFinished 2 to Jobs: each Job is removed that "
            "many seconds after it has finished, and with it every report that was not fetched: "
            "wait for the run from now on",
        ),
        (
            {"activeDeadlineSeconds": 600},
            "this cluster adds spec.activeDeadlineSeconds 600 to Jobs: pods that run longer are "
            "killed and their reports are lost",
        ),
        (
            {"suspend": True},
            "this cluster adds spec.suspend true to Jobs: its pods start only when someone resumes "
            "the Job",
        ),
        (
            {"parallelism": 1},
            "this cluster changes spec.parallelism from 2 to 1 in Jobs: its pods do not all load "
            "the cluster at the same time",
        ),
        (
            {"backoffLimitPerIndex": 3},
            "this cluster changes spec.backoffLimitPerIndex from 0 to 3 in Jobs: a failed pod is "
            "replaced, and loads the cluster a second time",
        ),
        (
            {"aFieldOfNextYear": {"x": 1}},
            "this cluster adds spec.aFieldOfNextYear to Jobs: the Jobs are not as mrunners made "
            "them",
        ),
    ],
)
def test_a_field_of_the_job_that_was_not_sent_is_reported_with_its_consequence(
    added: dict[str, object], line: str
) -> None:
    assert changes(returned() | added) == [line]


def test_another_container_is_reported_by_name() -> None:
    spec = returned()
    spec["template"]["spec"]["containers"].append({"name": "istio-proxy", "image": "istio"})
    spec["template"]["spec"]["initContainers"] = [{"name": "istio-init", "image": "istio"}]
    assert changes(spec) == [
        "this cluster adds spec.template.spec.containers.istio-proxy to Jobs: the pods run until "
        "this container has ended too",
        "this cluster adds spec.template.spec.initContainers.istio-init to Jobs: the pods start "
        "later, or run beside another container",
    ]


def test_a_change_of_the_pods_or_of_the_runner_is_reported_with_both_values() -> None:
    spec = returned()
    pod = spec["template"]["spec"]
    pod["restartPolicy"] = "OnFailure"
    pod["nodeSelector"] = {"pool": "load"}
    pod["containers"][0]["image"] = "mirror.example/kperf:0.3.5"
    assert changes(spec) == [
        "this cluster changes spec.template.spec.restartPolicy from Never to OnFailure in Jobs: a "
        "failed container loads the cluster a second time",
        "this cluster changes spec.template.spec.containers.runner.image from "
        "ghcr.io/azure/kperf:0.3.5 to mirror.example/kperf:0.3.5 in Jobs: the runners are not as "
        "mrunners made them",
        "this cluster adds spec.template.spec.nodeSelector to Jobs: the pods are not as mrunners "
        "made them",
    ]


def test_what_a_policy_changes_far_inside_is_reported_where_it_begins() -> None:
    spec = returned()
    pod = spec["template"]["spec"]
    runner = pod["containers"][0]
    runner["resources"]["limits"] = {"cpu": "500m", "memory": "1Gi"}
    runner["resources"]["requests"]["cpu"] = "50m"
    runner["env"].append({"name": "HTTPS_PROXY", "value": "http://proxy:3128"})
    runner["command"] = ["/wrapper"]
    pod["tolerations"] = [{"operator": "Exists"}]
    del pod["topologySpreadConstraints"]
    image = "template.spec.containers.runner"
    script = re.compile("(/bin/sh -c ).*( to /wrapper)")
    assert {script.sub(r"\1SCRIPT\2", line) for line in changes(spec)} == {
        f"this cluster changes spec.{image}.command from /bin/sh -c SCRIPT to /wrapper in Jobs: "
        "the runners are not as mrunners made them",
        f"this cluster adds spec.{image}.env.HTTPS_PROXY to Jobs: the runners are not as mrunners "
        "made them",
        f"this cluster adds spec.{image}.resources.limits to Jobs: a runner at its CPU limit is "
        "throttled, and the latencies that it measures are then not the server's",
        f"this cluster changes spec.{image}.resources.requests.cpu from 100m to 50m in Jobs: the "
        "runners are not as mrunners made them",
        "this cluster adds spec.template.spec.tolerations to Jobs: the pods are not as mrunners "
        "made them",
        "this cluster removes spec.template.spec.topologySpreadConstraints from Jobs: the pods are "
        "on other nodes than planned",
    }


def test_the_load_profile_that_a_job_mounts_is_known() -> None:
    assert mounted_profile(sent()) == profile_key(RUN.plan.jobs[0].profile_digest)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"template": None},
        {"template": {"spec": {"volumes": [{"name": "profile"}, {"name": "x"}]}}},
        {"template": {"spec": {"volumes": [{"name": "profile", "configMap": {"items": []}}]}}},
    ],
)
def test_a_job_of_another_owner_mounts_no_load_profile(spec: dict[str, Any]) -> None:
    assert mounted_profile(spec) is None
