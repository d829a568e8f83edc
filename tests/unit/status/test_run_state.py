from datetime import timedelta

import pytest

from mrunners.kube.objects import Job
from mrunners.status.run_state import JobPhase, RunState, creator_is_gone, run_state
from tests.fakes import START, Raw
from tests.unit.env import RUN_ID, planned

PLAN = planned(3, 2).plan


def job(index: int = 0, **facts: object) -> Job:
    known: Raw = {
        "name": f"mrunners-{index}",
        "uid": f"uid-{index}",
        "created": START,
        "run_id": RUN_ID,
        "digest": "digest",
    }
    return Job(**(known | facts))


def state(*jobs: Job) -> RunState:
    return run_state(PLAN, jobs)


@pytest.mark.parametrize(
    ("facts", "phase"),
    [
        ({}, JobPhase.STARTING),
        ({"active": 3}, JobPhase.STARTING),
        ({"ready": 2}, JobPhase.STARTING),
        ({"ready": 2, "succeeded": (0,)}, JobPhase.RUNNING),
        ({"ready": 3}, JobPhase.RUNNING),
        ({"suspended": True}, JobPhase.SUSPENDED),
        ({"finished": "Complete"}, JobPhase.COMPLETE),
        ({"finished": "Failed", "failed": (1,)}, JobPhase.FAILED),
        ({"finished": "Failed", "suspended": True}, JobPhase.FAILED),
        ({"deleting": True}, JobPhase.MISSING),
        ({"run_id": "another"}, JobPhase.MISSING),
        ({"run_id": None}, JobPhase.MISSING),
        ({"name": "other"}, JobPhase.MISSING),
    ],
)
def test_a_jobs_phase_comes_from_its_conditions_and_counts(facts: Raw, phase: JobPhase) -> None:
    assert state(job(**facts)).jobs[0].phase is phase


def test_a_job_whose_pods_have_all_ended_is_not_finished_without_its_condition() -> None:
    summed = state(job(succeeded=(0, 1), failed=(2,)), job(1, finished="Complete"))
    assert summed.jobs[0].phase is JobPhase.RUNNING
    assert not summed.finished


def test_a_run_is_judged_by_its_plan_and_not_by_the_jobs_that_are_there() -> None:
    half = state(job(finished="Complete", succeeded=(0, 1, 2)))
    assert (half.finished, half.complete) == (False, False)
    assert half.missing == (PLAN.jobs[1],)
    assert half.unfinished == (half.jobs[1],)


def test_the_jobs_stand_in_plan_order() -> None:
    assert [j.planned.index for j in state(job(1), job(0)).jobs] == [0, 1]


def test_a_run_counts_its_pods() -> None:
    counted = state(job(succeeded=(0,), failed=(1,), ready=1), job(1, ready=1))
    assert (counted.pods, counted.ended, counted.running, counted.unstarted) == (5, 2, 2, 1)


def test_a_finished_job_has_no_pod_that_runs_or_will_start() -> None:
    failed = state(job(finished="Failed", ready=1), job(1, finished="Complete"))
    assert (failed.running, failed.unstarted) == (0, 0)


@pytest.mark.parametrize(
    ("jobs", "headline"),
    [
        ((), "starting"),
        ((job(active=3),), "starting"),
        ((job(ready=1),), "running"),
        ((job(finished="Complete"), job(1, finished="Complete")), "finished"),
        ((job(finished="Complete"), job(1, finished="Failed")), "finished with failed pods"),
    ],
)
def test_a_run_has_a_headline(jobs: tuple[Job, ...], headline: str) -> None:
    assert state(*jobs).headline == headline


@pytest.mark.parametrize(
    ("seconds", "jobs", "gone"),
    [
        (60, (), False),
        (61, (), True),
        (61, (job(created=START + timedelta(seconds=10)),), False),
        (71, (job(created=START + timedelta(seconds=10)),), True),
        (9999, (job(), job(1)), False),
    ],
)
def test_the_creator_is_gone_when_nothing_was_created_for_a_minute(
    seconds: float, jobs: tuple[Job, ...], gone: bool
) -> None:
    assert creator_is_gone(state(*jobs), START, START + timedelta(seconds=seconds)) is gone
