"""A run's objects are judged by the API server before anything is created or deleted."""

from pathlib import Path

import pytest

from mrunners.errors import (
    ApiStatusError,
    ForbiddenError,
    InvalidInputError,
    InvalidOptionsError,
    MrunnersError,
    NextStep,
    UnreachableError,
)
from mrunners.hints import describe
from mrunners.run.create import start_run
from mrunners.run.dry_run import dry_run
from mrunners.run.preflight import RunAction, load_pod_template, preflight
from tests.fakes import FakeCluster, RecordingObserver
from tests.unit.env import deploy, find, finish, options, planned, write_profile

QUOTA = (
    'create pods in namespace load was refused: pods "mrunners-0-0-dry-run" is forbidden: failed '
    "quota: q: must specify limits.cpu for: runner; limits.memory for: runner"
)
PASSING = (
    'create pods in namespace load was refused: pods "mrunners-0-0-dry-run" is forbidden: exceeded '
    "quota: q, requested: pods=1, used: pods=4, limited: pods=4"
)
POLICY = (
    "create {} in namespace load was refused by an admission policy of the cluster: {} is "
    "forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: {}"
)
NO_OWNER = (
    'create pods in namespace load was refused: pods "mrunners-0-0-dry-run" is forbidden: cannot '
    "set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: "
    ", <nil>"
)
NO_NUMBER = (
    "create jobs.batch in namespace load failed: the API server https://s answered 400: Job in "
    'version "v1" cannot be handled as a Job: json: cannot unmarshal string into Go struct field '
    "SecretVolumeSource.spec.template.spec.volumes.secret.defaultMode of type int32"
)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def refused(text: str, status: int = 403) -> ApiStatusError:
    return ApiStatusError(text, status=status, reason="Forbidden")


def test_a_pod_that_a_quota_would_refuse_is_told_with_the_flags_that_help(
    cluster: FakeCluster,
) -> None:
    cluster.fail("dry_run_pod", refused(QUOTA))
    with pytest.raises(ApiStatusError) as caught:
        dry_run(cluster, RunAction(planned()))
    assert describe(caught.value).splitlines() == [
        f"the pods of runner 1 of 2 (file:///load/0.yaml?numbers=2) would be refused: {QUOTA}",
        "set limits with --cpu-limit and --memory-limit",
    ]
    assert cluster.names("ConfigMap") == []


def test_a_finished_run_is_not_replaced_by_one_that_cannot_run(cluster: FakeCluster) -> None:
    old = deploy(cluster, planned(key="old"))
    finish(cluster, old.plan)
    cluster.fail("dry_run_job", refused("jobs need a label", 422))
    action = RunAction(planned(), replaces=find(cluster, old.plan))
    with pytest.raises(ApiStatusError) as caught:
        start_run(cluster, action, RecordingObserver())
    assert caught.value.next_steps == (NextStep.SET_LABELS,)
    assert find(cluster, old.plan).plan == old.plan


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("dry_run_pod", refused(PASSING)),
        ("dry_run_job", refused(PASSING)),
        ("dry_run_pod", refused('admission webhook "x" does not support dry run', 400)),
        ("dry_run_config_map", refused('admission webhook "x" does not support dry run', 400)),
        ("dry_run_pod", refused(NO_OWNER)),
        ("dry_run_pod", UnreachableError("failed calling webhook x")),
        ("dry_run_pod", ForbiddenError("no", verb="create", resource="pods", namespace="load")),
    ],
)
def test_what_may_pass_later_or_cannot_be_asked_refuses_no_run(
    cluster: FakeCluster, method: str, error: MrunnersError
) -> None:
    cluster.fail(method, error)
    dry_run(cluster, RunAction(planned()))
    assert cluster.calls == ["dry_run_config_map", "dry_run_job", "dry_run_pod"]


def test_a_policy_that_answers_400_refuses_the_tracker(cluster: FakeCluster) -> None:
    error = refused('admission webhook "x" denied the request: no', 400)
    cluster.fail("dry_run_config_map", error)
    with pytest.raises(ApiStatusError) as caught:
        dry_run(cluster, RunAction(planned()))
    assert caught.value is error


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('strict decoding error: unknown field "spec.template.spec.tolerationz"', 400),
        (NO_NUMBER, 400),
        ('Job.batch "mrunners-0" is invalid: spec.template.spec.volumes[0].name: Required', 422),
    ],
)
@pytest.mark.parametrize(
    ("method", "start"),
    [
        ("dry_run_job", "the Jobs are not valid with the pod template and options given"),
        (
            "dry_run_pod",
            "the pods of runner 1 of 2 (file:///load/0.yaml?numbers=2) would be refused",
        ),
    ],
)
def test_a_template_that_the_server_does_not_understand_is_wrong_input(
    cluster: FakeCluster, method: str, start: str, text: str, status: int
) -> None:
    cluster.fail(method, refused(text, status))
    with pytest.raises(InvalidInputError) as caught:
        dry_run(cluster, RunAction(planned(cpu="1")))
    assert str(caught.value) == f"{start}: {text}"
    assert caught.value.next_steps == ()


def test_a_wrong_value_is_told_with_the_option_that_sets_it(cluster: FakeCluster) -> None:
    text = 'Job.batch "mrunners-0" is invalid: spec.template.spec.tolerations[0].value: Invalid'
    cluster.fail("dry_run_job", refused(text, 422))
    with pytest.raises(InvalidInputError) as caught:
        dry_run(cluster, RunAction(planned(cpu="1")))
    assert caught.value.next_steps == (NextStep.SET_TOLERATION,)


@pytest.mark.parametrize(("method", "kind"), [("dry_run_job", "jobs"), ("dry_run_pod", "pods")])
def test_a_policy_is_no_wrong_input_whatever_its_status(
    cluster: FakeCluster, method: str, kind: str
) -> None:
    text = POLICY.format(kind, f'{kind} "mrunners-0"', "labels are missing")
    cluster.fail(method, refused(text, 422))
    with pytest.raises(ApiStatusError) as caught:
        dry_run(cluster, RunAction(planned(cpu="1")))
    assert caught.value.next_steps == (NextStep.SET_LABELS,)


def test_a_policy_that_may_be_about_the_user_is_warned_of_once(cluster: FakeCluster) -> None:
    text = POLICY.format("pods", 'pods "x"', "only system:kube-controller-manager creates pods")
    observer = RecordingObserver()
    action = RunAction(planned())
    for _ in range(2):
        cluster.fail("dry_run_pod", refused(text, 422))
    dry_run(cluster, action)
    start_run(cluster, action, observer)
    assert observer.warnings == [
        "the pods of runner 1 of 2 (file:///load/0.yaml?numbers=2) may be refused, unless the "
        f"policy is about who creates them: {text}"
    ]


@pytest.mark.parametrize("replaced", [False, True])
def test_a_quota_that_the_replaced_run_fills_refuses_no_tracker(
    cluster: FakeCluster, replaced: bool
) -> None:
    old = deploy(cluster, planned(key="old"))
    finish(cluster, old.plan)
    action = RunAction(planned(), replaces=find(cluster, old.plan) if replaced else None)
    full = 'configmaps "x" is forbidden: exceeded quota: q, requested: configmaps=1, used: 3'
    cluster.fail("dry_run_config_map", refused(full))
    if replaced:
        dry_run(cluster, action)
    else:
        with pytest.raises(ApiStatusError):
            dry_run(cluster, action)


def test_who_may_not_create_a_pod_is_not_asked_for_each_account(cluster: FakeCluster) -> None:
    run = planned(1, 1)
    jobs = [
        job.model_copy(update={"service_account": account})
        for job, account in zip(run.plan.jobs, ("a", "b"), strict=True)
    ]
    plan = run.plan.model_copy(update={"jobs": tuple(jobs)})
    cluster.fail("dry_run_pod", UnreachableError("failed calling webhook x"))
    dry_run(cluster, RunAction(type(run)(plan, run.profiles)))
    assert cluster.calls == ["dry_run_config_map", "dry_run_job", "dry_run_pod"]


def test_a_pod_is_judged_for_each_service_account(cluster: FakeCluster) -> None:
    run = planned(1, 1, 1)
    jobs = [
        job.model_copy(update={"service_account": account})
        for job, account in zip(run.plan.jobs, (None, "own", None), strict=True)
    ]
    plan = run.plan.model_copy(update={"jobs": tuple(jobs)})
    dry_run(cluster, RunAction(type(run)(plan, run.profiles)))
    assert cluster.calls == ["dry_run_config_map", "dry_run_job", "dry_run_pod", "dry_run_pod"]


def test_a_run_that_is_resumed_is_not_judged_again(cluster: FakeCluster) -> None:
    run = planned()
    deploy(cluster, run, jobs=1)
    action = RunAction(run, resumes=find(cluster, run.plan))
    cluster.calls.clear()
    dry_run(cluster, action)
    assert cluster.calls == []


def test_a_pod_template_is_read_into_the_plan(cluster: FakeCluster, tmp_path: Path) -> None:
    path = tmp_path / "pod.yaml"
    path.write_text("spec: {hostNetwork: true}")
    requested = options(runners=(write_profile(tmp_path),), pod_template=str(path))
    action = preflight(cluster, requested, run_key="key")
    assert action.planned.plan.pods.template == {"spec": {"hostNetwork": True}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot load {}: the file does not exist"),
        (
            "kind: Service",
            "the pod template has another kind; give a Pod, a PodTemplate, or the metadata and "
            "spec of a pod",
        ),
    ],
)
def test_a_pod_template_that_cannot_be_read_is_a_wrong_option(
    tmp_path: Path, text: str | None, problem: str
) -> None:
    path = tmp_path / "pod.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidOptionsError) as caught:
        load_pod_template(options(pod_template=str(path)))
    assert caught.value.fields == (("advanced.pod_template", problem.format(path)),)
