from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.kube.given_up import GivenUp
from mrunners.kube.objects import Job, Pod
from mrunners.refs import RunRef
from mrunners.status.completion import (
    failure_lines,
    has_unstarted_pods,
    jobs_that_may_finish,
    next_interval,
    pods_interval,
)
from mrunners.status.diagnostics import PodDiagnosis
from mrunners.status.run_state import RunState, run_state
from tests.unit.env import planned
from tests.unit.status.test_diagnostics import diagnosis, image_diagnosis, job, pod

PLAN = planned(3, 1).plan
COMPLETE = job(finished="Complete"), job(1, finished="Complete")
RUN = RunRef("load", "t")
RESUME = "resume the run to create them"


def state(*jobs: Job) -> RunState:
    return run_state(PLAN, jobs)


def may_finish(*jobs: Job, late: int = 0, creator_gone: bool = False) -> list[str]:
    diagnoses = [diagnosis(index, overdue=True) for index in range(late)]
    unfinished = jobs_that_may_finish(state(*jobs), diagnoses, creator_gone=creator_gone)
    return [job_state.planned.name for job_state in unfinished]


def lines(
    *jobs: Job, diagnoses: tuple[PodDiagnosis, ...] = (), creator_gone: bool = False
) -> list[str]:
    return failure_lines(state(*jobs), diagnoses, RUN, creator_gone=creator_gone)


def test_finished_jobs_are_not_waited_for() -> None:
    assert may_finish(*COMPLETE) == []


def test_a_job_with_a_pod_that_runs_or_can_still_start_may_finish() -> None:
    second = job(1, finished="Complete")
    assert may_finish(job(), second) == ["mrunners-0"]
    assert may_finish(job(ready=1), second, late=2) == ["mrunners-0"]
    assert may_finish(job(succeeded=(0,), ready=1), second, late=1) == ["mrunners-0"]


def test_a_job_whose_remaining_pods_are_all_overdue_cannot_finish() -> None:
    second = job(1, finished="Complete")
    assert may_finish(job(), second, late=3) == []
    assert may_finish(job(succeeded=(1,), failed=(2,)), second, late=1) == []


def test_a_suspended_job_may_finish() -> None:
    assert may_finish(job(suspended=True), COMPLETE[1]) == ["mrunners-0"]


def test_a_missing_job_may_finish_unless_its_creator_is_gone() -> None:
    assert may_finish(COMPLETE[0]) == ["mrunners-1"]
    assert may_finish(COMPLETE[0], creator_gone=True) == []


def test_a_run_has_unstarted_pods_while_a_pod_of_an_unfinished_job_has_not_started() -> None:
    assert has_unstarted_pods(state(job(ready=2), COMPLETE[1]))
    assert not has_unstarted_pods(state(job(ready=3), COMPLETE[1]))
    assert not has_unstarted_pods(state(COMPLETE[0]))


def test_a_complete_run_has_no_failures() -> None:
    assert lines(*COMPLETE, creator_gone=True) == []


def failed_pod(index: int, **facts: object) -> Pod:
    return pod(index, **{"phase": "Failed", "exit_code": 1, "reason": "Error", **facts})


FAILED = job(
    finished="Failed",
    failed=(1, 2),
    succeeded=(0,),
    finished_reason="FailedIndexes: Job has failed indexes",
)
SUCCEEDED_POD = pod(0, phase="Succeeded", exit_code=0, reason="Completed")


@pytest.mark.parametrize(
    ("pods", "line"),
    [
        (
            (failed_pod(2), failed_pod(1), SUCCEEDED_POD),
            "2 of 3 pods failed (exit 1); see: kubectl logs --namespace load "
            "pod/mrunners-0-1-abcde",
        ),
        (
            (failed_pod(2, exit_code=137, reason="OOMKilled"), SUCCEEDED_POD),
            "2 of 3 pods failed (OOMKilled, exit 137); see: kubectl logs --namespace load "
            "pod/mrunners-0-2-abcde",
        ),
        (
            (failed_pod(1), failed_pod(2, exit_code=None, reason="Evicted")),
            "2 of 3 pods failed (exit 1, Evicted); see: kubectl logs --namespace load "
            "pod/mrunners-0-1-abcde",
        ),
        (
            (failed_pod(1, job_uid="uid-9"), SUCCEEDED_POD),
            "2 of 3 pods failed; see: kubectl describe --namespace load job/mrunners-0",
        ),
    ],
)
def test_a_failed_job_is_reported_with_the_cause_and_a_pod_that_failed(
    pods: tuple[Pod, ...], line: str
) -> None:
    assert failure_lines(state(FAILED, COMPLETE[1]), [], RUN, creator_gone=False, pods=pods) == [
        f"job.batch/mrunners-0: {line}"
    ]


def test_pods_that_were_given_up_are_not_counted_as_failed() -> None:
    given_up = (GivenUp((1, 2), "ErrImagePull", ""),)
    assert lines(replace(FAILED, given_up=given_up), COMPLETE[1]) == []
    one_more = replace(FAILED, given_up=(GivenUp((2,), "ErrImagePull", ""),))
    assert lines(one_more, COMPLETE[1]) == [
        "job.batch/mrunners-0: 1 of 3 pods failed; see: kubectl describe --namespace load "
        "job/mrunners-0"
    ]


def test_the_failed_pods_of_a_job_that_cannot_finish_are_reported() -> None:
    stuck = state(job(failed=(1,), ready=2), COMPLETE[1])
    pods = (failed_pod(0), failed_pod(1, exit_code=3))  # index 0 is not counted by its Job
    assert failure_lines(stuck, [], RUN, creator_gone=False, pods=pods) == [
        "job.batch/mrunners-0: 1 of 3 pods failed (exit 3); see: kubectl logs --namespace load "
        "pod/mrunners-0-1-abcde"
    ]


def test_another_reason_than_failed_pods_is_told() -> None:
    late = job(finished="Failed", succeeded=(1,), finished_reason="DeadlineExceeded: too long")
    assert lines(late, COMPLETE[1]) == [
        "job.batch/mrunners-0: 2 of 3 pods failed (DeadlineExceeded: too long); see: kubectl "
        "describe "
        "--namespace load job/mrunners-0"
    ]


def test_overdue_pods_are_reported_and_others_are_not() -> None:
    late = image_diagnosis(0, overdue=True)
    slow = image_diagnosis(1)
    assert lines(job(), COMPLETE[1], diagnoses=(late, slow)) == [
        "job.batch/mrunners-0: 1 of 3 pods on node-0 did not start in time: ErrImagePull; check "
        "the runner image"
    ]


def test_jobs_that_nothing_creates_are_named() -> None:
    assert lines(COMPLETE[0], creator_gone=True) == [
        "1 of 2 Jobs of tracker load/t do not exist, and nothing is creating them: mrunners-1; "
        f"{RESUME}"
    ]


def test_jobs_that_are_gone_are_named_with_what_is_known_of_their_pods() -> None:
    current = run_state(PLAN, [COMPLETE[1]], succeeded={"mrunners-0": 2})
    assert failure_lines(current, [], RUN, creator_gone=True) == [
        "1 of 2 Jobs of tracker load/t were created and do not exist any more, because of a TTL or "
        "because someone deleted them: mrunners-0 (2 of 3 pods are known to have succeeded); they "
        "are not created again, because their load may have run"
    ]
    assert jobs_that_may_finish(current, [], creator_gone=False) == ()


def test_a_job_that_is_gone_and_whose_pods_have_all_succeeded_is_no_failure() -> None:
    current = run_state(PLAN, [COMPLETE[1]], succeeded={"mrunners-0": 3})
    assert failure_lines(current, [], RUN, creator_gone=True) == []


def test_of_many_jobs_that_nothing_creates_five_are_named() -> None:
    many = run_state(planned(*[1] * 7).plan, [])
    (line,) = failure_lines(many, [], RUN, creator_gone=True)
    names = ", ".join(f"mrunners-{index}" for index in range(5))
    assert line == (
        "7 of 7 Jobs of tracker load/t do not exist, and nothing is creating them: "
        f"{names} and 2 more; {RESUME}"
    )


SECONDS = st.floats(0, 1e7)


@given(st.none() | st.floats(0.5, 15), SECONDS, st.none() | SECONDS)
def test_an_interval_is_at_least_half_a_second_and_at_most_15(
    previous: float | None, elapsed: float, expected: float | None
) -> None:
    assert 0.5 <= next_interval(previous, elapsed, expected) <= 15


@given(st.floats(1, 15), SECONDS, st.none() | SECONDS)
def test_an_interval_grows_by_a_fifth_at_most(
    previous: float, elapsed: float, expected: float | None
) -> None:
    assert next_interval(previous, elapsed, expected) <= previous * 1.2


@given(st.floats(2, 15), st.floats(10, 1e6), st.floats(0, 1))
def test_an_interval_never_sleeps_past_the_expected_end_by_more_than_2_seconds(
    previous: float, expected: float, part: float
) -> None:
    elapsed = expected * part
    assert elapsed + next_interval(previous, elapsed, expected) <= expected + 2.0


@pytest.mark.parametrize(
    ("previous", "elapsed", "expected", "interval"),
    [
        (None, 0.0, 60.0, 1.0),
        (1.0, 1.0, None, 1.2),
        (15.0, 100.0, None, 15.0),
        (15.0, 0.0, 600.0, 15.0),
        (15.0, 590.0, 600.0, 5.0),
        (15.0, 599.0, 600.0, 2.0),
        (15.0, 700.0, 600.0, 2.0),
        (15.0, 1231.0, 600.0, 15.0),
    ],
)
def test_intervals_grow_and_shrink_near_the_expected_end(
    previous: float | None, elapsed: float, expected: float | None, interval: float
) -> None:
    assert next_interval(previous, elapsed, expected) == pytest.approx(interval)


def test_the_pods_of_a_large_run_are_listed_less_often() -> None:
    assert [pods_interval(count) for count in (1, 3000, 10_000)] == [60, 60, 200]
