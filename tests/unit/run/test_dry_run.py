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
PASSING = "create pods in namespace load was refused: exceeded quota: q, requested: pods=1"


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


def test_a_template_that_the_server_does_not_understand_is_wrong_input(
    cluster: FakeCluster,
) -> None:
    text = 'strict decoding error: unknown field "spec.template.spec.tolerationz"'
    cluster.fail("dry_run_job", refused(text, 400))
    with pytest.raises(InvalidInputError) as caught:
        dry_run(cluster, RunAction(planned(cpu="1")))
    assert str(caught.value) == (
        f"the Jobs are not valid with the pod template and options given: {text}"
    )


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
            "the pod template is a Service; give a Pod, a PodTemplate, or the metadata and spec of "
            "a pod",
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
