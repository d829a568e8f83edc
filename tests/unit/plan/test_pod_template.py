"""Pod templates: what is merged onto a runner's pod, and what is refused by name."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mrunners.errors import InvalidInputError
from mrunners.plan.pod_merge import merge_pod
from mrunners.plan.pod_template import read_pod_template
from tests.unit.env import planned
from tests.unit.plan.test_pod_options import difference, pod_of, with_template
from tests.unit.repository import ROOT

# As `kubectl run x --image=y --restart=Never --dry-run=client --output=yaml` prints it, with an
# image of a sidecar.
PRINTED = """\
apiVersion: v1
kind: Pod
metadata:
  creationTimestamp: null
  labels:
    run: x
  name: x
spec:
  containers:
  - image: y
    name: x
    resources: {}
  dnsPolicy: ClusterFirst
  restartPolicy: Never
status: {}
"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(InvalidInputError) as caught:
        read_pod_template(text.encode())
    return caught.value.problems


def test_the_example_is_merged_onto_the_runners_pod() -> None:
    text = (Path(ROOT) / "examples" / "pod-template.yaml").read_text()
    plain, pod = pod_of(planned(2)), pod_of(with_template(text))
    spec = yaml.safe_load(text)["spec"]
    assert difference(plain["metadata"]["annotations"], pod["metadata"]["annotations"]) == {
        "sidecar.istio.io/inject": "false"
    }
    runner, before = pod["spec"]["containers"][0], plain["spec"]["containers"][0]
    assert difference(before, runner) == {
        "env": [*before["env"], *spec["containers"][0]["env"]],
        "resources": {"requests": {"cpu": "500m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
    }
    assert difference(plain["spec"], pod["spec"]) == {
        "containers": [runner],
        "tolerations": spec["tolerations"],
        "dnsConfig": spec["dnsConfig"],
    }


@pytest.mark.parametrize(
    "text",
    [
        "metadata: {labels: {a: b}}\nspec: {hostNetwork: true}",
        "apiVersion: v1\nkind: PodTemplate\ntemplate: {metadata: {labels: {a: b}}, spec: "
        "{hostNetwork: true}}",
        '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "labels": {"a": "b"}}, '
        '"spec": {"hostNetwork": true, "restartPolicy": "Never"}}',
    ],
)
def test_a_pod_a_pod_template_and_their_inside_are_the_same(text: str) -> None:
    template = read_pod_template(text.encode())
    spec: Any = template.pop("spec")
    spec.pop("restartPolicy", None)
    assert (template, spec) == ({"metadata": {"labels": {"a": "b"}}}, {"hostNetwork": True})


def test_what_kubectl_run_prints_is_a_template_with_a_second_container() -> None:
    run = with_template(PRINTED)
    assert [container["name"] for container in pod_of(run)["spec"]["containers"]] == [
        "runner",
        "x",
    ]
    assert run.warnings == (
        "the pods run until container x of the pod template has ended too; one that never ends "
        "belongs under initContainers, with restartPolicy: Always",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("spec: {restartPolicy: OnFailure}", "spec.restartPolicy: must be Never, because"),
        ("spec: {serviceAccountName: x}", "spec.serviceAccountName: cannot be set here, because"),
        ("spec: {containers: [{name: runner, image: x}]}", "runner.image: cannot be set here"),
        ("spec: {containers: [{name: runner, command: [x]}]}", "runner.command: cannot be set"),
        ("spec: {containers: [{name: runner, args: [x]}]}", "runner.args: cannot be set here"),
        ("spec: {containers: [{name: runner, tty: true}]}", "runner.tty: must be false, because"),
        (
            "spec: {containers: [{name: runner, env: [{name: MRUNNERS_JOB, value: x}]}]}",
            "runner.env.MRUNNERS_JOB: mrunners sets it itself",
        ),
        (
            "spec: {containers: [{name: runner, volumeMounts: [{name: a, mountPath: /config/}]}]}",
            "runner.volumeMounts: mrunners mounts /config itself",
        ),
        ("spec: {containers: [{name: runner, env: null}]}", "runner.env: the runner needs its own"),
        ("spec: {volumes: [{name: profile}]}", "volumes.profile: it is the volume of the load"),
        ("spec: {volumes: null}", "spec.volumes: a pod needs the volume of its load profile"),
        ("spec: {containers: null}", "spec.containers: a pod needs its runner"),
        ("spec: {containers: [{name: kperf}]}", "runner's container has the name runner"),
        ("spec: {containers: {name: kperf}}", "spec.containers must be a list of mappings with"),
        ("spec: {tolerations: [x]}", "spec.tolerations must be a list of mappings"),
        ("spec: {volumes: [{$patch: delete, name: tmp}]}", "directives are not supported"),
        ("spec: [x]", "spec must be a mapping, got a list"),
        ("metadata: {labels: {mrunners.dev/tracker: x}}", "mrunners sets mrunners.dev/tracker"),
        ("metadata: {labels: {a: 1}}", "metadata.labels: a: must be a text"),
        ("metadata: {namespace: x}", "metadata.namespace: the namespace is an option of its own"),
        ("metadata: {ownerReferences: []}", "only labels and annotations are merged"),
        ("kind: Deployment\nspec: {}", "the pod template is a Deployment; give a Pod"),
        ("spec: {}\nspce: {}", "unknown key spce"),
        ("a: &a x", "not allowed"),
        ("text", "the pod template must be a mapping, got"),
        ("spec: {}\n---\nspec: {}", "has several documents"),
    ],
)
def test_what_a_run_cannot_do_without_is_refused_by_name(text: str, expected: str) -> None:
    (problem, *more) = problems(text)
    assert (expected in problem, more) == (True, []), problem
    assert problem.startswith("the pod template")


def test_all_problems_of_a_template_are_told_at_once() -> None:
    text = "spec: {restartPolicy: Always, containers: [{name: runner, image: x, command: [y]}]}"
    assert [problem.split(": ")[1] for problem in problems(text)] == [
        "spec.restartPolicy",
        "spec.containers.runner.image",
        "spec.containers.runner.command",
    ]


def test_the_options_beat_the_template() -> None:
    text = """
spec:
  nodeSelector: {pool: a, zone: z}
  tolerations: [{key: a, operator: Exists}]
  priorityClassName: low
  securityContext: {runAsUser: 5}
  containers:
  - name: runner
    resources: {limits: {cpu: 50m}, requests: {memory: 1Gi}}
"""
    changes = {"node_selector": ["pool=b"], "toleration": ["b"], "cpu_limit": "2"}
    spec = pod_of(with_template(text, **changes, priority_class="high"))["spec"]
    assert spec["nodeSelector"] == {"pool": "b", "zone": "z"}
    assert [toleration["key"] for toleration in spec["tolerations"]] == ["a", "b"]
    assert spec["priorityClassName"] == "high"
    assert spec["securityContext"]["runAsUser"] == 5
    assert spec["containers"][0]["resources"] == {
        "limits": {"cpu": "2"},
        "requests": {"memory": "1Gi"},
    }


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
        ({"a": [1]}, {"a": [2]}, {"a": [2]}),
        (
            {"containers": [{"name": "x", "a": 1}]},
            {"containers": [{"name": "y"}, {"name": "x", "b": 2}]},
            {"containers": [{"name": "x", "a": 1, "b": 2}, {"name": "y"}]},
        ),
        # A volume has one source.
        (
            {"volumes": [{"name": "tmp", "emptyDir": {}}]},
            {"volumes": [{"name": "tmp", "ephemeral": {"a": 1}}]},
            {"volumes": [{"name": "tmp", "ephemeral": {"a": 1}}]},
        ),
        ({"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "a"}, {"key": "b"}]}, None),
        (
            {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"a": 1}]}},
            {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"b": 1}]}},
            {
                "podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [{"a": 1}, {"b": 1}]
                }
            },
        ),
    ],
)
def test_the_merge_is_kubernetes_strategic_merge(base: Any, over: Any, merged: Any) -> None:
    assert merge_pod(base, over) == (over if merged is None else merged)
