"""Pod templates: what is merged onto a runner's pod, and what is refused by name."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mrunners.errors import InvalidInputError
from mrunners.plan.pod_merge import REQUIRED
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
            "runner.env[0]: what begins with MRUNNERS_ is set for the runner",
        ),
        (
            "spec: {containers: [{name: runner, volumeMounts: [{name: a, mountPath: /config/}]}]}",
            "runner.volumeMounts[0]: mrunners mounts /config itself",
        ),
        (
            "spec: {containers: [{name: runner, env: [{name: JOB_COMPLETION_INDEX, value: x}]}]}",
            "runner.env[0]: what begins with JOB_COMPLETION_INDEX is set for the runner",
        ),
        (
            "spec: {containers: [{name: runner, volumeMounts: [{name: a, mountPath: "
            "//tmp/report.json}]}]}",
            "runner.volumeMounts[0]: mrunners mounts /tmp itself",
        ),
        (
            "spec: {volumes: [{name: tmp, hostPath: {path: /tmp}}]}",
            "spec.volumes.tmp: it must be an emptyDir or ephemeral, because pods that share it",
        ),
        (
            "spec: {volumes: [{name: tmp, persistentVolumeClaim: {claimName: x}}]}",
            "spec.volumes.tmp: it must be an emptyDir or ephemeral, because pods that share it",
        ),
        (
            "spec: {volumes: [{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]}",
            "spec.volumes: two items have the same name",
        ),
        (
            "spec: {containers: [{name: runner, ports: [{containerPort: 1}, {containerPort: 1, "
            "protocol: TCP}]}]}",
            "spec.containers[0].ports: two items have the same containerPort and protocol",
        ),
        (
            "spec: {topologySpreadConstraints: [{topologyKey: a}]}",
            "must be a list of mappings with 'topologyKey' and 'whenUnsatisfiable'",
        ),
        ("spec: {nodeSelector: [a]}", "spec.nodeSelector must be a mapping, got a list"),
        (
            f"spec: {{affinity: {{nodeAffinity: {{{REQUIRED}: [a]}}}}}}",
            f"spec.affinity.nodeAffinity.{REQUIRED} must be a mapping, got a list",
        ),
        (
            f"spec: {{affinity: {{nodeAffinity: {{{REQUIRED}: {{nodeSelectorTerms: "
            "[{matchExpressions: [a]}]}}}}",
            "nodeSelectorTerms[0].matchExpressions must be a list of mappings",
        ),
        (
            f"spec: {{affinity: {{nodeAffinity: {{{REQUIRED}: {{}}}}}}}}",
            f"spec.affinity.nodeAffinity.{REQUIRED} must have a list of nodeSelectorTerms",
        ),
        (
            "spec: {containers: [{name: runner, resources: {limits: [1]}}]}",
            "spec.containers[0].resources.limits must be a mapping, got a list",
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
        ("metadata: {labels: {a: 1}}", "metadata.labels: number 1: its value must be a text, got"),
        ("metadata: {namespace: x}", "metadata.namespace: the namespace is an option of its own"),
        ("metadata: {ownerReferences: []}", "only labels and annotations are merged"),
        ("kind: Deployment\nspec: {}", "the pod template has another kind; give a Pod"),
        ("spec: {}\nspce: {}", "key 2 is unknown; a pod has"),
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


def test_a_null_limit_is_none() -> None:
    runner = "{name: runner, resources: {limits: {cpu: null}}}"
    (container,) = pod_of(with_template(f"spec: {{containers: [{runner}]}}"))["spec"]["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "100m", "memory": "128Mi"},
        "limits": {},
    }


@pytest.mark.parametrize(("user", "expected"), [("7", 7), ("platform", None)])
def test_the_user_of_the_option_beats_that_of_the_templates_container(
    user: str, expected: int | None
) -> None:
    text = "spec: {containers: [{name: runner, securityContext: {runAsUser: 0, runAsGroup: 0}}]}"
    spec = pod_of(with_template(text, run_as_user=user))["spec"]
    container = spec["containers"][0]["securityContext"]
    assert ("runAsUser" in container, "runAsGroup" in container) == (False, False)
    assert spec["securityContext"].get("runAsUser") == expected


SECRET = "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        "{}: x",
        "kind: {}",
        "metadata: {{{}: x}}",
        "metadata: {{labels: {{{}!: x}}}}",
        "metadata: {{labels: {{a: '{}!'}}}}",
        "spec: {{containers: [{{name: {}}}]}}",
        "spec: {{containers: [{{name: runner, {}: [x], env: [{{name: MRUNNERS_{}}}]}}]}}",
        "spec: {{affinity: {{{}: x, nodeAffinity: [{}]}}}}",
    ],
)
def test_no_message_repeats_what_a_file_of_the_worker_has(text: str) -> None:
    (problem,) = problems(text.format(*[SECRET] * text.count("{}")))
    assert SECRET not in problem
