"""Options that fit pods to a cluster: what they may say, and what they make of a runner's pod."""

from typing import Any

import pytest

from mrunners.errors import FieldProblem, InvalidOptionsError
from mrunners.plan.job import job_manifest
from mrunners.plan.options import validate_options
from mrunners.plan.plan import RunPlan, digest_of, plan_differences
from mrunners.plan.planning import PlannedRun, plan_run
from mrunners.plan.pod_options import PodSettings
from mrunners.plan.pod_template import read_pod_template
from tests.unit.env import IMAGE, loaded, options, planned, uris

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
OS = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
ARCH = {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}


def job_of(run: PlannedRun, index: int = 0) -> Any:
    job = run.plan.jobs[index]
    return job_manifest(run.plan, job, profile_config_map="mrunners", tracker_uid="u")


def pod_of(run: PlannedRun) -> Any:
    return job_of(run)["spec"]["template"]


def with_template(text: str, **changes: object) -> PlannedRun:
    requested = options(runners=uris(2), **changes)
    runners = [loaded(uri) for uri in requested.runners]
    template = read_pod_template(text.encode())
    return plan_run(requested, runners, run_key="key", pod_template=template)


def difference(before: Any, after: Any) -> Any:
    """Return the fields of a mapping that another does not have, or has differently."""
    return {name: value for name, value in after.items() if before.get(name) != value}


def terms(spec: Any) -> Any:
    return spec["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"node_selector": ["pool=load", "a/b="]}, {"nodeSelector": {"pool": "load", "a/b": ""}}),
        (
            {"toleration": ["a=b:NoSchedule", "c:NoExecute", "d=e", "f"]},
            {
                "tolerations": [
                    {"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"},
                    {"key": "c", "operator": "Exists", "effect": "NoExecute"},
                    {"key": "d", "operator": "Equal", "value": "e"},
                    {"key": "f", "operator": "Exists"},
                ]
            },
        ),
        (
            {"toleration": ["node.kubernetes.io/unreachable"], "unreachable_timeout": "1h30m"},
            {
                "tolerations": [
                    *(
                        {
                            "key": f"node.kubernetes.io/{name}",
                            "operator": "Exists",
                            "effect": "NoExecute",
                            "tolerationSeconds": 5400,
                        }
                        for name in ("not-ready", "unreachable")
                    ),
                    # Of several, Kubernetes takes the first.
                    {"key": "node.kubernetes.io/unreachable", "operator": "Exists"},
                ]
            },
        ),
        (
            {"image_pull_secret": ["registry", "other"]},
            {"imagePullSecrets": [{"name": "registry"}, {"name": "other"}]},
        ),
        ({"priority_class": "high"}, {"priorityClassName": "high"}),
        (
            {"run_as_user": "1000660000"},
            {
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 1000660000,
                    "runAsGroup": 1000660000,
                    "fsGroup": 1000660000,
                    "seccompProfile": {"type": "RuntimeDefault"},
                }
            },
        ),
        (
            {"run_as_user": "platform"},
            {
                "securityContext": {
                    "runAsNonRoot": True,
                    "seccompProfile": {"type": "RuntimeDefault"},
                }
            },
        ),
    ],
)
def test_an_option_sets_its_field_of_the_pods_and_no_other(
    changes: dict[str, Any], fields: dict[str, object]
) -> None:
    assert difference(pod_of(planned())["spec"], pod_of(planned(**changes))["spec"]) == fields


@pytest.mark.parametrize(
    ("changes", "resources"),
    [
        ({}, {"requests": {"cpu": "100m", "memory": "128Mi"}}),
        (
            {"cpu": "2", "memory": "1Gi"},
            {"requests": {"cpu": "2", "memory": "1Gi"}},
        ),
        (
            {"cpu": "1", "cpu_limit": "2", "memory": "1Gi", "memory_limit": "1.5Gi"},
            {
                "requests": {"cpu": "1", "memory": "1Gi"},
                "limits": {"cpu": "2", "memory": "1.5Gi"},
            },
        ),
        # Kubernetes takes a limit for the request where there is none.
        ({"cpu_limit": "50m"}, {"requests": {"memory": "128Mi"}, "limits": {"cpu": "50m"}}),
    ],
)
def test_requests_and_limits_are_the_containers(
    changes: dict[str, Any], resources: dict[str, object]
) -> None:
    (container,) = pod_of(planned(**changes))["spec"]["containers"]
    assert container["resources"] == resources


def test_a_pull_policy_is_the_containers() -> None:
    (container,) = pod_of(planned(image_pull_policy="Always"))["spec"]["containers"]
    assert container["imagePullPolicy"] == "Always"


def test_labels_and_annotations_are_those_of_jobs_and_pods_beside_our_own() -> None:
    plain, run = planned(), planned(label=["team=load"], annotation=["example.com/why=a = b"])
    for made, before in ((job_of(run), job_of(plain)), (pod_of(run), pod_of(plain))):
        metadata, ours = made["metadata"], before["metadata"]
        metadata["annotations"].pop("mrunners.dev/digest", None)
        assert metadata["labels"] == ours["labels"] | {"team": "load"}
        assert difference(ours["annotations"], metadata["annotations"]) == {
            "example.com/why": "a = b"
        }


@pytest.mark.parametrize(
    ("image", "expressions"),
    [
        (IMAGE, [OS, ARCH]),
        ("ghcr.io/azure/kperf@sha256:" + "0" * 64, [OS, ARCH]),
        ("registry.example/kperf:0.3.5", [OS]),
    ],
)
def test_pods_are_on_nodes_that_can_run_the_image(image: str, expressions: list[object]) -> None:
    run = planned(runner_image=image)
    assert terms(pod_of(run)["spec"]) == [{"matchExpressions": expressions}]


@pytest.mark.parametrize("key", ["kubernetes.io/arch", "beta.kubernetes.io/arch"])
def test_what_a_user_says_about_the_architecture_counts(key: str) -> None:
    spec = pod_of(planned(node_selector=[f"{key}=arm64"]))["spec"]
    assert (terms(spec), spec["nodeSelector"]) == ([{"matchExpressions": [OS]}], {key: "arm64"})
    term = f"{{matchExpressions: [{{key: {key}, operator: In, values: [arm64]}}]}}"
    affinity = f"nodeAffinity: {{{REQUIRED}: {{nodeSelectorTerms: [{term}]}}}}"
    spec = pod_of(with_template(f"spec: {{affinity: {{{affinity}}}}}"))["spec"]
    arm = {"key": key, "operator": "In", "values": ["arm64"]}
    assert terms(spec) == [{"matchExpressions": [arm, OS]}]


def test_a_runner_groups_nodes_and_the_templates_must_both_fit() -> None:
    text = f"""
spec:
  affinity:
    nodeAffinity:
      {REQUIRED}:
        nodeSelectorTerms:
        - matchExpressions: [{{key: zone, operator: Exists}}]
        - matchFields: [{{key: metadata.name, operator: In, values: [node-1]}}]
"""
    runner = loaded(uris(1)[0]).model_copy(update={"node_affinity": {"pool": ("a",)}})
    template = read_pod_template(text.encode())
    run = plan_run(options(runners=uris(1)), [runner], run_key="k", pod_template=template)
    pool = {"key": "pool", "operator": "In", "values": ["a"]}
    zone = {"key": "zone", "operator": "Exists"}
    node = {"key": "metadata.name", "operator": "In", "values": ["node-1"]}
    assert terms(pod_of(run)["spec"]) == [
        {"matchExpressions": [pool, zone, OS, ARCH]},
        {"matchExpressions": [pool, OS, ARCH], "matchFields": [node]},
    ]


def test_a_plan_of_an_earlier_release_makes_the_same_jobs_as_before() -> None:
    plan = planned().plan.model_dump(mode="json", by_alias=True)
    del plan["pods"]
    old = RunPlan.model_validate(plan)
    assert old.pods == PodSettings()
    (job, *_) = old.jobs
    manifest: Any = job_manifest(old, job, profile_config_map="mrunners", tracker_uid="u")
    # As the release wrote it that knew no settings, without the script, which is no setting.
    manifest["spec"]["template"]["spec"]["containers"][0]["command"] = []
    assert digest_of(manifest["spec"]) == (
        "6dced553c072ab5007492047d6c5a1b0d7e30061861c0f9f2502cf970a690a2c"
    )
    assert plan_differences(old, planned().plan) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"node_selector": ["pool"]},
            ("node_selector", "must have the form key=value, got 'pool'"),
        ),
        ({"node_selector": ["a=1", "a=2"]}, ("node_selector", "a is given 2 times")),
        (
            {"toleration": ["a=b:Never"]},
            (
                "toleration",
                "the effect must be NoSchedule, PreferNoSchedule or NoExecute, got 'Never'",
            ),
        ),
        ({"cpu": "1e3"}, ("cpu", "not a number of CPUs: '1e3'; write it like 200m, 0.5 or 2")),
        ({"cpu": "0m"}, ("cpu", "must be more than 0, got '0m'")),
        (
            {"cpu": "1", "cpu_limit": "500m"},
            ("cpu_limit", "must not be less than the request of 1, got 500m"),
        ),
        (
            {"memory": "1Gi", "memory_limit": "1G"},
            ("memory_limit", "must not be less than the request of 1Gi, got 1G"),
        ),
        ({"image_pull_secret": [""]}, ("image_pull_secret", "must not be empty")),
        (
            {"image_pull_policy": "always"},
            ("image_pull_policy", "must be Always, IfNotPresent or Never, got 'always'"),
        ),
        (
            {"label": ["mrunners.dev/run-id=x"]},
            ("label", "mrunners sets mrunners.dev/run-id itself"),
        ),
        (
            {"annotation": ["batch.kubernetes.io/job-name=x"]},
            ("annotation", "the Job controller sets batch.kubernetes.io/job-name itself"),
        ),
        (
            {"run_as_user": "0"},
            ("run_as_user", "must be a user ID from 1 to 2147483647 or platform, got '0'"),
        ),
    ],
)
def test_a_wrong_option_is_named_with_its_reason(
    changes: dict[str, object], problem: tuple[str, str]
) -> None:
    with pytest.raises(InvalidOptionsError) as caught:
        validate_options(options(**changes))
    field, message = problem
    assert caught.value.fields == (FieldProblem(f"advanced.{field}", message),)


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("toleration", ["a", "a.b/c=d", "a:NoExecute"]),
        ("annotation", ["a=any text: with = and ✓", "b="]),
        ("label", ["a.b/c=d"]),
        ("cpu", "0.001"),
        ("run_as_user", "2147483647"),
        ("priority_class", "system-node-critical"),
    ],
)
def test_an_option_takes_what_kubernetes_takes(name: str, good: object) -> None:
    validate_options(options(**{name: good}))


def test_a_cpu_limit_is_warned_of_in_option_and_template() -> None:
    text = (
        "each runner has a CPU limit of 2: a runner at its limit is throttled, and the latencies "
        "that it measures are then not the server's"
    )
    limited = "spec: {containers: [{name: runner, resources: {limits: {cpu: 2}}}]}"
    assert planned(cpu_limit="2").warnings == (text,)
    assert with_template(limited).warnings == (text,)
    assert planned(memory_limit="1Gi").warnings == ()


@pytest.mark.parametrize(
    ("field", "warning"),
    [
        (
            "activeDeadlineSeconds: 60",
            "activeDeadlineSeconds 60 of the pod template: pods that run longer are killed and "
            "their reports are lost",
        ),
        (
            "automountServiceAccountToken: false",
            "automountServiceAccountToken false of the pod template: the runners have no token for "
            "the API server, unless the template mounts one",
        ),
    ],
)
def test_what_a_template_takes_from_the_runners_is_warned_of(field: str, warning: str) -> None:
    assert with_template(f"spec: {{{field}}}").warnings == (warning,)


def test_options_of_a_resumed_run_that_differ_are_told_one_by_one() -> None:
    before = planned(cpu="1", label=["a=b"]).plan
    after = planned(cpu="2", toleration=["x", "y"]).plan
    assert plan_differences(before, after) == [
        "toleration: none in the existing run, x, y requested",
        "cpu: 1 in the existing run, 2 requested",
        "label: a=b in the existing run, none requested",
    ]
    template = with_template("spec: {hostNetwork: true}").plan
    assert plan_differences(planned(2).plan, template) == [
        "pod_template: differs from that of the existing run"
    ]


def test_a_plan_is_read_as_it_was_written_and_one_that_no_planner_writes_is_refused() -> None:
    plan = with_template("spec: {hostNetwork: true}", cpu="1", toleration=["a"]).plan
    assert RunPlan.model_validate_json(plan.model_dump_json(by_alias=True)) == plan
    for edited in (
        {"toleration": ["a:Never"]},
        {"template": {"spec": {"restartPolicy": "Always"}}},
    ):
        with pytest.raises(ValueError, match="Never"):
            PodSettings.model_validate(edited)
