"""Starting a run: the replaced run is deleted, the tracker created or adopted; no Jobs yet."""

from pathlib import Path

import pytest

from mrunners.errors import RefusedError, UnreachableError
from mrunners.plan.planning import PlannedRun
from mrunners.run.create import StartedRun, create_tracker, start_run
from mrunners.run.preflight import RunAction
from mrunners.run.report_store import ReportStore
from tests.fakes import FakeClock, FakeCluster, RecordingObserver
from tests.unit.env import REPORT, address, deploy, find, finish, planned

OURS = planned()
THEIRS = planned(key="theirs")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    clock = FakeClock()
    monkeypatch.setattr("mrunners.run.create_tracker.time", clock)
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
            f"deleting configmap/mrunners in namespace load of {cluster.location}",
            "waiting for 2 Jobs and 3 pods of the run to be deleted",
        ],
        trackers=["mrunners"],
    )


def test_a_resumed_run_reports_how_far_it_is(cluster: FakeCluster) -> None:
    deploy(cluster, OURS, jobs=1)
    cluster.end_pod("mrunners-0", 1)
    observer = RecordingObserver()
    run = start_run(cluster, RunAction(OURS, resumes=find(cluster, OURS.plan)), observer)
    assert run.missing == OURS.plan.jobs[1:]
    assert observer == RecordingObserver(
        infos=[
            f"resuming run {OURS.plan.run_id}: 1 of 2 Jobs exist, 1 of 3 pods have ended",
        ],
        trackers=["mrunners"],
    )


@pytest.mark.parametrize("what", ["is deleted", "is being deleted", "is replaced"])
def test_a_run_whose_tracker_vanishes_before_it_is_resumed_is_never_started_anew(
    cluster: FakeCluster, what: str
) -> None:
    action = RunAction(OURS, resumes=deploy(cluster, OURS))
    if what == "is being deleted":
        cluster.raw("ConfigMap", "mrunners")["metadata"]["deletionTimestamp"] = (
            "2026-01-02T03:04:05Z"
        )
    else:
        cluster.remove("ConfigMap", "mrunners")
        cluster.collect_garbage()
    if what == "is replaced":
        deploy(cluster, OURS, jobs=0)
    before = cluster.names("ConfigMap"), cluster.names("Job")
    with pytest.raises(RefusedError) as caught:
        start_run(cluster, action, RecordingObserver())
    assert str(caught.value) == (
        "tracker load/mrunners was deleted or replaced while its run was being resumed; nothing "
        "was created, because the load of its Jobs may have run"
    )
    assert (cluster.names("ConfigMap"), cluster.names("Job")) == before


def test_one_wrong_404_about_its_tracker_does_not_keep_a_run_from_being_resumed(
    cluster: FakeCluster,
) -> None:
    existing = deploy(cluster, OURS, jobs=1)
    cluster.answer_gone("get_config_map")
    run = start_run(cluster, RunAction(OURS, resumes=existing), RecordingObserver())
    assert (run.existing, run.missing) == (existing, OURS.plan.jobs[1:])


def test_one_wrong_404_does_not_make_the_start_wait_for_a_live_run(cluster: FakeCluster) -> None:
    existing = deploy(cluster, OURS)
    cluster.answer_gone("get_config_map")
    observer = RecordingObserver()
    assert start_run(cluster, RunAction(OURS), observer).existing == existing
    assert observer == RecordingObserver(trackers=["mrunners"])


def test_starting_again_after_an_interruption_adopts_the_tracker(cluster: FakeCluster) -> None:
    uid = create_tracker(cluster, OURS.plan, OURS.profiles, RecordingObserver()).uid
    assert start_run(cluster, RunAction(OURS), RecordingObserver()).existing.tracker.uid == uid


GONE = (
    "{} of the run existed and {} deleted since: {}; not created again, because the load may have "
    "run"
)
BOTH_GONE = GONE.format("2 Jobs", "were", "mrunners-0, mrunners-1")


def resume(cluster: FakeCluster, store: ReportStore | None = None) -> tuple[list[str], list[str]]:
    """Resume the run; return the Jobs that are to be created, and the warnings."""
    observer = RecordingObserver()
    action = RunAction(OURS, resumes=find(cluster, OURS.plan))
    run = start_run(cluster, action, observer, store)
    return [job.name for job in run.missing], observer.warnings


def remove_jobs(cluster: FakeCluster, *names: str) -> None:
    for name in names:
        cluster.remove("Job", name)


def test_no_job_of_a_run_whose_jobs_were_all_created_is_created_again(
    cluster: FakeCluster,
) -> None:
    deploy(cluster, OURS)
    remove_jobs(cluster, "mrunners-0", "mrunners-1")
    assert resume(cluster) == ([], [BOTH_GONE])


def test_a_job_before_one_that_exists_is_not_created_again(cluster: FakeCluster) -> None:
    deploy(cluster, planned(1, 1, 1), jobs=2)
    remove_jobs(cluster, "mrunners-0")
    observer = RecordingObserver()
    run = planned(1, 1, 1)
    started = start_run(cluster, RunAction(run), observer)
    assert started.missing == run.plan.jobs[2:]
    assert observer.warnings == [GONE.format("1 Job", "was", "mrunners-0")]


def test_a_job_whose_report_is_stored_is_not_created_again(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    deployed = deploy(cluster, OURS, jobs=1)
    remove_jobs(cluster, "mrunners-0")
    store = ReportStore(tmp_path)
    assert resume(cluster, store)[0] == ["mrunners-0", "mrunners-1"]
    store.put(
        address(deployed, "mrunners-0", 1),
        REPORT,
        pod="p",
        node=None,
        started_at=None,
        finished_at=None,
        exit_code=0,
    )
    assert resume(cluster, store) == (["mrunners-1"], [GONE.format("1 Job", "was", "mrunners-0")])


def test_where_jobs_are_removed_by_a_ttl_what_may_have_run_is_not_created_again(
    cluster: FakeCluster,
) -> None:
    cluster.adds = {"ttlSecondsAfterFinished": 5}
    deploy(cluster, OURS, jobs=1)
    remove_jobs(cluster, "mrunners-0")
    cluster.clock.sleep(5)
    assert resume(cluster) == (["mrunners-0", "mrunners-1"], [])
    cluster.clock.sleep(1)
    assert resume(cluster) == ([], [BOTH_GONE])


def test_a_creator_that_was_stopped_before_it_noted_that_it_was_done_leaves_that_to_the_next(
    cluster: FakeCluster,
) -> None:
    deploy(cluster, OURS, jobs=2)
    del cluster.raw("ConfigMap", "mrunners")["metadata"]["annotations"]
    assert resume(cluster) == ([], [])
    remove_jobs(cluster, "mrunners-0", "mrunners-1")
    assert resume(cluster) == ([], [BOTH_GONE])


def test_a_note_that_cannot_be_written_is_a_warning_with_its_consequence(
    cluster: FakeCluster,
) -> None:
    deploy(cluster, OURS, jobs=2)
    del cluster.raw("ConfigMap", "mrunners")["metadata"]["annotations"]
    cluster.fail("annotate_config_map", UnreachableError("connection reset"))
    assert resume(cluster)[1] == [
        "tracker load/mrunners could not be annotated, so other machines may take a Job that is "
        "deleted for one that was never created: connection reset"
    ]
