"""Starting a run: the replaced run is deleted, the tracker created or adopted; no Jobs yet."""

import pytest

from mrunners.plan.planning import PlannedRun
from mrunners.run.create import StartedRun, create_tracker, start_run
from mrunners.run.preflight import RunAction
from tests.fakes import FakeClock, FakeCluster, RecordingObserver
from tests.unit.env import deploy, find, finish, planned

OURS = planned()
THEIRS = planned(key="theirs")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    clock = FakeClock()
    monkeypatch.setattr("mrunners.run.delete.time", clock)
    return FakeCluster(clock)


def test_a_new_run_has_its_tracker_and_none_of_its_jobs(cluster: FakeCluster) -> None:
    observer = RecordingObserver()
    action = RunAction(PlannedRun(OURS.plan, OURS.profiles, ("a warning",)))
    run = start_run(cluster, action, observer)
    assert run == StartedRun(find(cluster, OURS.plan), OURS.profiles)
    assert run.missing == OURS.plan.jobs
    assert observer == RecordingObserver(warnings=["a warning"], trackers=["mrunners"])


def test_a_replaced_run_is_deleted_before_the_new_one_is_created(cluster: FakeCluster) -> None:
    old = deploy(cluster, THEIRS)
    finish(cluster, THEIRS.plan)
    cluster.clock.then(cluster.collect_garbage)
    observer = RecordingObserver()
    run = start_run(cluster, RunAction(OURS, replaces=old), observer)
    assert run == StartedRun(find(cluster, OURS.plan), OURS.profiles)
    assert (cluster.names("Job"), cluster.names("Pod")) == ([], [])
    assert observer == RecordingObserver(
        infos=[
            f"replacing the finished run of tracker load/mrunners (run ID {THEIRS.plan.run_id})",
            "waiting for 2 Jobs and 3 pods of the run to be deleted",
        ],
        trackers=["mrunners"],
    )


def test_a_resumed_run_reports_how_far_it_is(cluster: FakeCluster) -> None:
    deploy(cluster, OURS)
    cluster.end_pod("mrunners-0", 1)
    cluster.remove("Job", "mrunners-1")
    observer = RecordingObserver()
    run = start_run(cluster, RunAction(OURS, resumes=find(cluster, OURS.plan)), observer)
    assert run.missing == OURS.plan.jobs[1:]
    assert observer == RecordingObserver(
        infos=[
            f"resuming run {OURS.plan.run_id}: 1 of 2 Jobs exist, 1 of 3 pods have ended",
        ],
        trackers=["mrunners"],
    )


def test_starting_again_after_an_interruption_adopts_the_tracker(cluster: FakeCluster) -> None:
    uid = create_tracker(cluster, OURS.plan, OURS.profiles, RecordingObserver()).uid
    assert start_run(cluster, RunAction(OURS), RecordingObserver()).existing.tracker.uid == uid
