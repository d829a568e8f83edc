from datetime import timedelta

import pytest

from mrunners.kube.given_up import GivenUp
from mrunners.kube.objects import Job, Pod
from mrunners.status.observation import observe_pods, remember_pods
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
        ({"deleting": True}, JobPhase.GONE),
        ({"run_id": "another"}, JobPhase.MISSING),
        ({"run_id": None}, JobPhase.MISSING),
        ({"name": "other"}, JobPhase.MISSING),
    ],
)
def test_a_jobs_phase_comes_from_its_conditions_and_counts(facts: Raw, phase: JobPhase) -> None:
    assert state(job(**facts)).jobs[0].phase is phase


def test_a_job_whose_pods_have_all_ended_is_not_finished_without_its_condition() -> None:
    current = state(job(succeeded=(0, 1), failed=(2,)), job(1, finished="Complete"))
    assert current.jobs[0].phase is JobPhase.RUNNING
    assert not current.finished


def test_a_run_is_judged_by_its_plan_and_not_by_the_jobs_that_exist() -> None:
    partial = state(job(finished="Complete", succeeded=(0, 1, 2)))
    assert (partial.finished, partial.complete) == (False, False)
    assert partial.missing == (PLAN.jobs[1],)
    assert partial.unfinished == (partial.jobs[1],)


def test_a_job_before_one_that_exists_was_created_and_is_gone() -> None:
    current = state(job(1, finished="Complete", succeeded=(0, 1)))
    assert [j.phase for j in current.jobs] == [JobPhase.GONE, JobPhase.COMPLETE]
    assert (current.gone, current.missing, current.created) == (
        PLAN.jobs[:1],
        (),
        frozenset({0, 1}),
    )
    assert (current.finished, current.complete, current.ended) == (True, False, 5)
    assert current.headline == "finished, Jobs were deleted"


@pytest.mark.parametrize(
    ("existing", "before", "gone"),
    [(3, None, {0, 1, 2}), (3, 3, {0, 1, 2}), (3, 1, {0}), (3, 0, set()), (1, 9, {0})],
)
def test_of_jobs_that_are_created_together_only_those_are_gone_that_one_was_created_after(
    existing: int, before: int | None, gone: set[int]
) -> None:
    plan = planned(1, 1, 1, 1, 1).plan
    current = run_state(plan, [job(existing, created_before=before)])
    assert {job.index for job in current.gone} == gone
    assert current.created == gone | {existing}


def test_a_job_that_is_known_to_have_been_created_says_nothing_about_those_before_it() -> None:
    current = run_state(planned(1, 1, 1).plan, [], created={1})
    assert ([j.index for j in current.gone], [j.index for j in current.missing]) == ([1], [0, 2])


@pytest.mark.parametrize(
    ("created", "phases"),
    [
        (0, [JobPhase.MISSING, JobPhase.MISSING]),
        (1, [JobPhase.GONE, JobPhase.MISSING]),
        (2, [JobPhase.GONE, JobPhase.GONE]),
    ],
)
def test_jobs_that_are_known_to_have_been_created_are_gone_and_the_others_missing(
    created: int, phases: list[JobPhase]
) -> None:
    current = run_state(PLAN, [], created=range(created))
    assert [j.phase for j in current.jobs] == phases
    assert (len(current.created), len(current.missing)) == (created, 2 - created)


def test_a_job_that_is_gone_is_complete_when_all_of_its_pods_are_known_to_have_succeeded() -> None:
    known = run_state(PLAN, [job(1, finished="Complete")], succeeded={"mrunners-0": 3})
    assert (known.complete, known.headline) == (True, "finished")
    assert not run_state(PLAN, [job(1)], succeeded={"mrunners-0": 2}).jobs[0].complete


def test_a_job_with_the_runs_labels_that_is_not_planned_is_named() -> None:
    extra = job(name="copy"), job(name="going", deleting=True), job(name="x", run_id="another")
    current = state(job(), job(1), *extra)
    assert (current.unplanned, len(current.jobs)) == (("copy",), 2)


def test_the_jobs_are_in_plan_order() -> None:
    assert [j.planned.index for j in state(job(1), job(0)).jobs] == [0, 1]


def test_the_pods_of_a_run_are_counted_by_state() -> None:
    current = state(job(succeeded=(0,), failed=(1,), ready=1), job(1, ready=1))
    assert (current.pod_count, current.ended, current.running, current.unstarted) == (5, 2, 2, 1)


def pod(index: int, uid: str = "uid-0", **facts: object) -> Pod:
    known: Raw = {
        "name": f"pod-{index}",
        "uid": f"pod-{index}",
        "job_uid": uid,
        "index": index,
        "phase": "Running",
        "created": START,
    }
    return Pod(**(known | facts))


def observed(*pods: Pod, **facts: object) -> tuple[int, int, int, JobPhase]:
    """Return how many of three pods have ended, run and have not started, and the Job's phase."""
    first = observe_pods(state(job(0, **facts)), pods).jobs[0]
    return first.ended, first.running, first.unstarted, first.phase


def test_a_pod_whose_runner_has_ended_is_not_starting_before_its_job_counts_it() -> None:
    ended = pod(0, started=START, exit_code=0)
    assert observed(ended, active=3, ready=2) == (1, 2, 0, JobPhase.RUNNING)
    assert observed(ended, ready=2, succeeded=(0,)) == (1, 2, 0, JobPhase.RUNNING)


def test_a_pod_on_a_node_that_does_not_answer_is_not_starting() -> None:
    pods = pod(0, started=START), pod(1, started=START, deleting=True), pod(2)
    assert observed(*pods, ready=0) == (0, 2, 1, JobPhase.STARTING)


def test_a_pod_that_has_started_stays_started() -> None:
    earlier = observe_pods(state(job(ready=3)), [pod(index, started=START) for index in range(3)])
    (now, _) = remember_pods(state(job(ready=0)), earlier).jobs
    assert (now.running, now.unstarted) == (3, 0)
    (replaced, _) = remember_pods(state(job(uid="other")), earlier).jobs
    assert (replaced.running, replaced.unstarted) == (0, 3)


def test_what_pods_show_changes_nothing_else_of_a_run() -> None:
    current = state(job(1), job(2))
    assert (len(current.gone), current.unplanned) == (1, ("mrunners-2",))
    observed_now = observe_pods(current, [pod(0, "uid-7", started=START)])
    assert remember_pods(observed_now, current) == current


def test_pods_that_were_given_up_are_neither_starting_nor_ended() -> None:
    given_up = (GivenUp((1, 2), "", ""),)
    assert observed(ready=1, given_up=given_up) == (0, 1, 0, JobPhase.RUNNING)
    assert observed(succeeded=(0,), failed=(1, 2), given_up=given_up) == (1, 0, 0, JobPhase.RUNNING)
    late = pod(1, started=START)
    assert observed(late, ready=2, given_up=given_up) == (0, 2, 0, JobPhase.RUNNING)


def test_indexes_that_a_job_does_not_have_are_not_given_up() -> None:
    beyond = (GivenUp((2, 3, 4), "", ""),)
    assert observed(ready=1, given_up=beyond) == (0, 1, 1, JobPhase.STARTING)
    suspended = state(job(suspended=True, given_up=(GivenUp((3,), "", ""),)))
    assert suspended.jobs[0].phase is JobPhase.SUSPENDED


def test_a_job_that_a_wait_has_suspended_is_stopped_for_good() -> None:
    stopped = state(
        job(suspended=True, given_up=(GivenUp((0,), "", ""),)), job(1, finished="Complete")
    )
    assert stopped.jobs[0].phase is JobPhase.STOPPED
    assert (stopped.finished, stopped.complete) == (True, False)
    assert stopped.headline == "finished with failed pods"


def test_a_finished_job_has_no_running_or_unstarted_pods() -> None:
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
def test_the_state_of_a_run_has_a_headline(jobs: tuple[Job, ...], headline: str) -> None:
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
