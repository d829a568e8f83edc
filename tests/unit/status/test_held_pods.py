"""Pods that have started, and that their Job has not counted: what holds them, and for how long."""

from datetime import timedelta

import pytest

from mrunners.kube.given_up import GivenUp
from mrunners.kube.objects import Job, Pod
from mrunners.refs import RunRef
from mrunners.status.completion import failure_lines, jobs_that_may_finish
from mrunners.status.held_pods import HeldPod, PodHold, held_pod_lines, held_pods
from mrunners.status.observation import observe_pods
from mrunners.status.run_state import run_state
from mrunners.status.start_deadline import late_start
from tests.fakes import START, Raw
from tests.unit.env import planned
from tests.unit.status.test_diagnostics import job, pod

PLAN = planned(2, start_timeout="5m").plan
JOB = "mrunners-0"
RUN = RunRef("load", "t")
STARTED = job(started=START)
TAINT = "DeletionByTaintManager: Taint manager: deleting due to NoExecute taint"


def held(*pods: Pod, after: float = 0.0, of: Job = STARTED) -> list[HeldPod]:
    state = observe_pods(run_state(PLAN, [of]), pods)
    return held_pods(PLAN, state, pods, START + timedelta(seconds=after))


def lines(*pods: Pod, after: float, of: Job = STARTED) -> list[str]:
    return list(held_pod_lines(run_state(PLAN, [of]), held(*pods, after=after, of=of)).values())


def failures(*pods: Pod, after: float, of: Job = STARTED) -> list[str]:
    state = observe_pods(run_state(PLAN, [of]), pods)
    return failure_lines(
        state, [], RUN, held(*pods, after=after, of=of), creator_gone=False, pods=pods
    )


def may_finish(*pods: Pod, after: float, of: Job = STARTED) -> bool:
    state = observe_pods(run_state(PLAN, [of]), pods)
    return bool(
        jobs_that_may_finish(state, [], held(*pods, after=after, of=of), creator_gone=False)
    )


def running(index: int = 0, **facts: object) -> Pod:
    return pod(index, phase="Running", started=START, **facts)


def ended(index: int = 0, exit_code: int = 0, **facts: object) -> Pod:
    known: Raw = {"phase": "Running", "started": START, "finished": START, "exit_code": exit_code}
    return pod(index, **(known | facts))


def with_sidecar(index: int = 0, exit_code: int = 0) -> Pod:
    return ended(index, exit_code, other_containers=("istio-proxy",))


def record(hold: PodHold, detail: str, index: int = 0, **facts: object) -> HeldPod:
    known: Raw = {
        "job": JOB,
        "index": index,
        "pod": f"{JOB}-{index}-abcde",
        "node": f"node-{index}",
        "hold": hold,
        "detail": detail,
        "succeeded": False,
        "exit_code": None,
        "settled": True,
    }
    return HeldPod(**(known | facts))


def test_pods_that_run_or_start_or_have_just_ended_are_not_held() -> None:
    assert held(running(0), pod(1)) == []
    assert held(ended(0), ended(1, phase="Succeeded"), after=30) == []
    assert held(ended(0, phase="Failed"), ended(1, phase="Succeeded"), after=30) == []


@pytest.mark.parametrize(("after", "settled"), [(30, False), (31, True)])
def test_a_sidecar_holds_its_pod_and_is_given_30_seconds_to_end(after: int, settled: bool) -> None:
    assert held(with_sidecar(), after=after) == [
        record(
            PodHold.CONTAINER,
            "container istio-proxy still runs",
            succeeded=True,
            exit_code=0,
            settled=settled,
        )
    ]


def test_a_job_whose_pods_are_all_held_by_a_sidecar_is_not_waited_for() -> None:
    pods = with_sidecar(0), with_sidecar(1)
    assert may_finish(*pods, after=30)
    assert not may_finish(*pods, after=31)
    assert may_finish(with_sidecar(0), running(1), after=31)
    assert not may_finish(with_sidecar(0), after=31, of=job(started=START, succeeded=(1,)))


def test_a_sidecar_is_named_and_is_no_failure_of_a_runner_that_succeeded() -> None:
    pods = with_sidecar(0), with_sidecar(1)
    assert failures(*pods, after=31) == []
    assert lines(*pods, after=31) == [
        "job.batch/mrunners-0: 2 of 2 pods have ended, but the Job cannot finish: container "
        "istio-proxy "
        "still runs in mrunners-0-0-abcde, mrunners-0-1-abcde; keep it from being injected into "
        "the runners' pods, or make it a native sidecar"
    ]


def test_a_runner_that_failed_beside_a_sidecar_is_a_failure() -> None:
    assert failures(with_sidecar(0), with_sidecar(1, 3), after=31) == [
        "job.batch/mrunners-0: 1 of 2 pods failed (exit 3), but the Job cannot finish: container "
        "istio-proxy still runs in mrunners-0-1-abcde; keep it from being injected into the "
        "runners' pods, or make it a native sidecar"
    ]


def test_pods_that_their_controller_does_not_count_are_not_waited_for() -> None:
    pods = ended(0, phase="Succeeded"), ended(1, 2, phase="Failed")
    assert may_finish(*pods, after=30)
    assert not may_finish(*pods, after=31)
    cause = "the Job cannot finish: the Job controller has not counted them"
    assert lines(*pods, after=31) == [
        f"job.batch/mrunners-0: 1 of 2 pods have ended, but {cause}; check kube-controller-manager",
        f"job.batch/mrunners-0: 1 of 2 pods failed (exit 2), but {cause}; check "
        f"kube-controller-manager",
    ]


def test_a_pod_whose_node_dies_before_it_has_ended_the_pod_is_not_waited_for() -> None:
    detail = "node node-0 has not reported their final phase"
    assert held(ended(0), after=31) == [
        record(PodHold.KUBELET, detail, succeeded=True, exit_code=0)
    ]
    assert may_finish(ended(0), ended(1), after=30)
    assert not may_finish(ended(0), ended(1), after=31)
    assert failures(ended(0), after=31) == []
    assert lines(ended(0), ended(1, 2), after=31) == [
        "job.batch/mrunners-0: 1 of 2 pods have ended, but the Job cannot finish: node node-0 has "
        "not "
        "reported their final phase; check the node",
        "job.batch/mrunners-0: 1 of 2 pods failed (exit 2), but the Job cannot finish: node "
        "node-1 has "
        "not reported their final phase; check the node",
    ]


@pytest.mark.parametrize("exit_code", [0, 2])
def test_a_pod_that_is_not_waited_for_any_longer_is_not_waited_for_again(exit_code: int) -> None:
    phase = "Failed" if exit_code else "Succeeded"
    counted: Raw = {"failed" if exit_code else "succeeded": (0, 1)}
    steps: list[tuple[Pod, Job]] = [
        (ended(0, exit_code, other_containers=("istio-proxy",)), STARTED),
        (ended(0, exit_code), STARTED),
        (ended(0, exit_code, phase=phase), STARTED),
        (ended(0, exit_code, phase=phase), job(started=START, **counted)),
    ]
    other = ended(1, exit_code, phase=phase)
    for first, of in steps:
        assert not may_finish(first, other, after=31, of=of), first


def test_a_job_that_has_counted_all_pods_and_is_not_finished_is_not_waited_for() -> None:
    pods = ended(0, phase="Succeeded"), ended(1, 2, phase="Failed")
    of = job(started=START, succeeded=(0,), failed=(1,))
    detail = "the Job controller has counted them and done nothing since"
    assert may_finish(*pods, after=30, of=of)
    assert not may_finish(*pods, after=31, of=of)
    assert held(*pods, after=31, of=of) == [
        record(PodHold.CONTROLLER, detail, succeeded=True, exit_code=0, counted=True),
        record(PodHold.CONTROLLER, detail, 1, exit_code=2, counted=True),
    ]
    assert lines(*pods, after=31, of=of) == [
        f"job.batch/mrunners-0: 2 of 2 pods have ended, but the Job cannot finish: {detail}; check "
        "kube-controller-manager"
    ]
    assert failures(*pods, after=31, of=of) == [
        "job.batch/mrunners-0: 1 of 2 pods failed (exit 2); see: kubectl logs --namespace load "
        "pod/mrunners-0-1-abcde"
    ]


def test_a_job_that_has_counted_pods_that_are_gone_is_not_waited_for_either() -> None:
    of = job(started=START, succeeded=(0, 1))
    assert may_finish(after=30, of=of)
    assert not may_finish(after=31, of=of)
    assert failures(after=31, of=of) == []


def test_a_pod_on_a_node_that_does_not_end_it_is_lost_with_its_node() -> None:
    deleted = running(deleting=True, deletion_due=START, disrupted=TAINT)
    detail = f"{TAINT}; node node-0 does not answer"
    assert held(deleted, after=30) == []
    assert held(deleted, after=31) == [record(PodHold.NODE, detail)]
    assert not may_finish(deleted, after=31, of=job(started=START, succeeded=(1,)))
    assert failures(deleted, after=31) == [
        f"job.batch/mrunners-0: 1 of 2 pods lost: {detail}; check the node"
    ]


def test_a_pod_that_was_deleted_by_hand_is_lost_when_its_node_does_not_end_it() -> None:
    (lost,) = held(running(deleting=True, deletion_due=START), after=31)
    assert lost.detail == "the pod was deleted; node node-0 does not answer"


def test_a_node_that_does_not_answer_is_named_at_once_and_given_10_minutes() -> None:
    silent = running(silent_since=START)
    assert lines(silent, after=1) == [
        "job.batch/mrunners-0: 1 of 2 pods cannot be watched: node node-0 does not answer; check "
        "the node"
    ]
    assert may_finish(silent, after=600, of=job(started=START, succeeded=(1,)))
    assert not may_finish(silent, after=601, of=job(started=START, succeeded=(1,)))
    assert failures(silent, after=601) == [
        "job.batch/mrunners-0: 1 of 2 pods lost: node node-0 does not answer; check the node"
    ]


@pytest.mark.parametrize(
    ("timeout", "settled_after"), [("1h", 3900), ("1m", 600)], ids=["longer", "shorter"]
)
def test_a_node_is_given_as_long_as_its_pods_stay_on_it(timeout: str, settled_after: int) -> None:
    plan = planned(2, start_timeout="5m", unreachable_timeout=timeout).plan
    silent = running(silent_since=START)
    state = observe_pods(run_state(plan, [STARTED]), [silent])
    for after, settled in ((settled_after, False), (settled_after + 1, True)):
        (pod,) = held_pods(plan, state, [silent], START + timedelta(seconds=after))
        assert pod.settled is settled


def test_pods_on_different_nodes_have_lines_of_their_own() -> None:
    assert len(lines(running(0, silent_since=START), running(1, silent_since=START), after=1)) == 2


def test_a_pod_that_started_too_late_is_not_waited_for() -> None:
    late = pod(0, phase="Running", started=START + timedelta(seconds=306))
    detail = "it started 5m06s after its Job; the start timeout is 5m"
    assert held(late, after=310) == [record(PodHold.LATE, detail)]
    assert not may_finish(late, after=310, of=job(started=START, succeeded=(1,)))
    assert failures(late, after=310) == [
        f"job.batch/mrunners-0: 1 of 2 pods started too late and are not waited for: {detail}"
    ]


@pytest.mark.parametrize(
    "of", [job(finished="Complete", succeeded=(0, 1)), job(succeeded=(0,)), job(uid="another")]
)
def test_pods_that_are_counted_or_of_another_job_are_not_held(of: Job) -> None:
    assert held(with_sidecar(0), after=999, of=of) == []


@pytest.mark.parametrize(
    ("seconds", "late"),
    [
        (None, ""),
        (0, ""),
        (305, ""),  # clocks differ a little
        (306, "it started 5m06s after its Job; the start timeout is 5m"),
    ],
)
def test_a_start_is_late_counting_from_that_of_the_job(seconds: int | None, late: str) -> None:
    started = None if seconds is None else START + timedelta(seconds=seconds)
    assert late_start(PLAN, STARTED, 0, started) == late


def test_a_start_is_not_late_when_its_job_was_resumed_in_between() -> None:
    resumed = job(started=START + timedelta(seconds=900))
    assert late_start(PLAN, resumed, 0, START + timedelta(seconds=1200)) == ""


def test_a_job_that_a_wait_has_stopped_has_noted_which_starts_were_late() -> None:
    stopped = job(suspended=True, given_up=(GivenUp((1,), "", ""),))
    assert [late_start(PLAN, stopped, index, START) for index in range(2)] == [
        "",
        "it started after the start timeout of 5m",
    ]
