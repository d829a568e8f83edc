from datetime import timedelta

import pytest

from mrunners.kube.objects import Event, Job, Pod
from mrunners.status.diagnostics import Unstarted, describe, unstarted_pods
from mrunners.status.run_state import run_state
from tests.fakes import START, Raw
from tests.unit.env import RUN_ID, planned

PLAN = planned(3, 1, start_timeout="5m").plan
FIRST, SECOND = "mrunners-0", "mrunners-1"
LATE = 301.0


def job(index: int = 0, **facts: object) -> Job:
    known: Raw = {
        "name": f"mrunners-{index}",
        "uid": f"uid-{index}",
        "created": START,
        "run_id": RUN_ID,
        "digest": "d",
    }
    return Job(**(known | facts))


def pod(index: int = 0, **facts: object) -> Pod:
    known: Raw = {
        "name": f"{FIRST}-{index}-abcde",
        "uid": f"pod-{index}",
        "job_uid": "uid-0",
        "index": index,
        "phase": "Pending",
        "created": START,
        "node": f"node-{index}",
    }
    return Pod(**(known | facts))


RUNNING = pod(1, started=START, phase="Running"), pod(2, started=START, phase="Succeeded")


def found(
    *pods: Pod, jobs: tuple[Job, ...] = (job(),), after: float = 1.0, events: object = ()
) -> list[Unstarted]:
    assert isinstance(events, tuple)
    now = START + timedelta(seconds=after)
    return unstarted_pods(PLAN, run_state(PLAN, jobs), pods, events, now)


def described(*pods: Unstarted) -> list[str]:
    return describe(run_state(PLAN, [job(), job(1)]), pods)


def unstarted(index: int = 0, **facts: object) -> Unstarted:
    known: Raw = {
        "job": FIRST,
        "index": index,
        "pod": f"{FIRST}-{index}-abcde",
        "node": f"node-{index}",
        "reason": "",
        "message": "",
        "overdue": False,
    }
    return Unstarted(**(known | facts))


def test_pods_that_started_or_ended_are_left_out() -> None:
    assert found(pod(0, started=START), *RUNNING) == []
    assert found(*RUNNING, jobs=(job(failed=(0,)),)) == []
    assert found(pod(0, phase="Failed"), *RUNNING) == []


def test_a_pod_on_its_way_has_no_reason() -> None:
    assert found(pod(waiting="ContainerCreating"), *RUNNING) == [unstarted()]


@pytest.mark.parametrize(
    "reason", ["ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError"]
)
def test_a_waiting_reason_is_the_diagnosis(reason: str) -> None:
    held = pod(waiting=reason, waiting_message="two\n  lines " + "x" * 300)
    message = ("two lines " + "x" * 300)[:198] + " …"
    assert found(held, *RUNNING) == [unstarted(reason=reason, message=message)]


def test_a_pod_without_a_host_is_unschedulable_in_the_schedulers_words() -> None:
    held = pod(node=None, unschedulable="0/4 nodes are available")
    assert found(held, *RUNNING) == [
        unstarted(node=None, reason="Unschedulable", message="0/4 nodes are available")
    ]


def test_a_pod_whose_volume_is_missing_is_known_by_its_event() -> None:
    events = (Event("pod-0", "p", "FailedMount", 'configmap "x" not found'),)
    assert found(pod(waiting="ContainerCreating"), *RUNNING, events=events) == [
        unstarted(reason="FailedMount", message='configmap "x" not found')
    ]


def test_a_job_without_pods_is_known_by_its_own_event() -> None:
    events = (Event("uid-0", FIRST, "FailedCreate", "exceeded quota"),)
    assert found(events=events) == [
        unstarted(index, pod=None, node=None, reason="FailedCreate", message="exceeded quota")
        for index in range(3)
    ]


def test_an_event_about_something_else_says_nothing() -> None:
    events = (Event("other", "x", "FailedCreate", "quota"),)
    assert found(pod(), *RUNNING, events=events) == [unstarted()]


def test_an_invalid_image_name_is_overdue_at_once() -> None:
    held = pod(waiting="InvalidImageName")
    assert found(held, *RUNNING, after=0) == [unstarted(reason="InvalidImageName", overdue=True)]


def test_a_pod_is_overdue_by_the_clock_that_made_its_time() -> None:
    later = START + timedelta(seconds=LATE)
    assert found(pod(), *RUNNING, after=300) == [unstarted()]
    assert found(pod(), *RUNNING, after=LATE) == [unstarted(overdue=True)]
    assert found(pod(created=later), *RUNNING, after=LATE) == [unstarted()]


def test_a_job_without_pods_is_overdue_since_it_was_started_and_not_created() -> None:
    resumed = job(started=START + timedelta(seconds=100))
    overdue = [[p.overdue for p in found(jobs=(resumed,), after=after)] for after in (400, 401)]
    assert overdue == [[False] * 3, [True] * 3]
    assert [p.overdue for p in found(after=LATE)] == [True] * 3


@pytest.mark.parametrize(
    "waiting", [job(suspended=True), job(finished="Failed"), job(deleting=True)]
)
def test_jobs_that_wait_on_purpose_or_have_finished_are_left_out(waiting: Job) -> None:
    assert found(jobs=(waiting,), after=LATE) == []


def test_a_pod_that_is_going_does_not_count() -> None:
    going = pod(started=START, phase="Running", deleting=True)
    assert found(going, *RUNNING) == [unstarted(pod=None, node=None)]


def test_a_pod_of_another_job_of_that_name_does_not_count() -> None:
    assert found(pod(job_uid="former"), *RUNNING) == [unstarted(pod=None, node=None)]


def test_pods_on_their_way_are_not_worth_a_line() -> None:
    assert described(unstarted()) == []


def test_pods_of_one_job_and_reason_share_a_line() -> None:
    pods = [unstarted(n, reason="ErrImagePull", message="kperf:9") for n in (0, 2)]
    other = unstarted(job=SECOND, reason="Unschedulable", node=None)
    assert described(*pods, other) == [
        "job mrunners-0: 2 of 3 pods cannot start: ErrImagePull: kperf:9 on node-0, node-2; check "
        "--runner-image",
        "job mrunners-1: 1 of 1 pods cannot start: Unschedulable; add nodes, free resources, or "
        "relax --spread",
    ]


def test_pods_that_are_all_overdue_did_not_start_in_time() -> None:
    assert described(unstarted(overdue=True)) == [
        "job mrunners-0: 1 of 3 pods did not start in time: no reason is known on node-0; see "
        "kubectl describe pod"
    ]


def test_a_line_names_three_hosts_at_most() -> None:
    pods = [unstarted(n, reason="Odd", node=f"node-{n}") for n in range(5)]
    assert described(*pods) == [
        "job mrunners-0: 5 of 3 pods cannot start: Odd on node-0, node-1, node-2, …; see kubectl "
        "describe pod"
    ]
