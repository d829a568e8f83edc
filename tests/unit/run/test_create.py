from dataclasses import replace

import pytest

from mrunners.errors import RefusedError, UnreachableError, WaitTimeoutError
from mrunners.plan.planning import PlannedRun
from mrunners.run.create import create_jobs, create_tracker
from mrunners.run.delete import wait_until_gone
from tests.fakes import FakeClock, FakeCluster, Raw, RecordingObserver
from tests.unit.env import deploy, find, finish, planned
from tests.unit.plan.test_tracker import large, run_of

JOBS = ["mrunners-0", "mrunners-1"]
FOREIGN = (
    "job mrunners-1 in namespace load exists and is not of this run; delete it and go on with: "
    "mrunners run --namespace load --tracker mrunners --resume; or give this run up with: "
    "mrunners delete load --tracker mrunners --force; and choose another --tracker"
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The time that creating and waiting for leftovers take."""
    clock = FakeClock()
    monkeypatch.setattr("mrunners.run.create.time", clock)
    monkeypatch.setattr("mrunners.run.delete.time", clock)
    return clock


@pytest.fixture
def cluster(clock: FakeClock) -> FakeCluster:
    return FakeCluster(clock)


def track(cluster: FakeCluster, run: PlannedRun, observer: RecordingObserver | None = None) -> str:
    return create_tracker(cluster, run.plan, run.profiles, observer or RecordingObserver()).uid


def create(
    cluster: FakeCluster, run: PlannedRun, uid: str, observer: RecordingObserver | None = None
) -> list[str]:
    seen = create_jobs(
        cluster,
        run.plan,
        run.plan.jobs,
        profiles=run.profiles,
        tracker_uid=uid,
        observer=observer or RecordingObserver(),
    )
    return [job.uid for job in seen]


def refusal(cluster: FakeCluster, run: PlannedRun, uid: str) -> str:
    with pytest.raises(RefusedError) as caught:
        create(cluster, run, uid)
    assert (caught.value.namespace, caught.value.tracker) == ("load", "mrunners")
    return str(caught.value)


def test_a_run_is_its_tracker_and_one_job_per_runner(cluster: FakeCluster) -> None:
    observer = RecordingObserver()
    uid = track(cluster, planned(), observer)
    made = create(cluster, planned(), uid, observer)
    assert (cluster.names("ConfigMap"), cluster.names("Job")) == (["mrunners"], JOBS)
    assert made == [cluster.raw("Job", name)["metadata"]["uid"] for name in JOBS]
    assert observer == RecordingObserver(trackers=["mrunners"])


def test_a_tracker_whose_answer_was_lost_is_adopted(cluster: FakeCluster) -> None:
    cluster.lose_answer("create_config_map")
    uid = track(cluster, planned())
    assert cluster.raw("ConfigMap", "mrunners")["metadata"]["uid"] == uid


def test_a_job_whose_answer_was_lost_is_adopted(cluster: FakeCluster) -> None:
    uid = track(cluster, planned())
    cluster.lose_answer("create_job")
    made = create(cluster, planned(), uid)
    assert cluster.names("Job") == JOBS
    assert made[0] == cluster.raw("Job", "mrunners-0")["metadata"]["uid"]


def test_creating_again_after_an_error_makes_no_job_twice_and_misses_none(
    cluster: FakeCluster,
) -> None:
    uid = track(cluster, planned(1, 1, 1))
    cluster.fail("create_job", UnreachableError("gone"), carried_out=True)
    with pytest.raises(UnreachableError):
        create(cluster, planned(1, 1, 1), uid)
    first = cluster.raw("Job", "mrunners-0")["metadata"]["uid"]
    assert track(cluster, planned(1, 1, 1)) == uid
    assert create(cluster, planned(1, 1, 1), uid)[0] == first
    assert cluster.names("Job") == ["mrunners-0", "mrunners-1", "mrunners-2"]


def test_the_tracker_of_another_run_is_refused(cluster: FakeCluster) -> None:
    deploy(cluster, planned(key="theirs"))
    with pytest.raises(RefusedError) as caught:
        track(cluster, planned())
    assert str(caught.value) == (
        "another run came first: tracker mrunners in namespace load, 0s old, starting, 0 of 3 pods "
        "ended"
    )


def test_a_config_map_that_is_no_tracker_is_refused(cluster: FakeCluster) -> None:
    cluster.put({"kind": "ConfigMap", "metadata": {"name": "mrunners", "namespace": "load"}})
    with pytest.raises(
        RefusedError, match=r"^configmap load/mrunners is not a tracker of mrunners"
    ):
        track(cluster, planned())


def test_a_foreign_job_is_refused_by_name(cluster: FakeCluster) -> None:
    uid = track(cluster, planned())
    theirs: Raw = {
        "kind": "Job",
        "metadata": {"name": "mrunners-1", "namespace": "load"},
        "spec": {},
    }
    cluster.put(theirs)
    assert refusal(cluster, planned(), uid) == FOREIGN


@pytest.mark.parametrize("change", ["digest", "run id"])
def test_a_job_of_ours_that_was_changed_is_refused_by_name(
    cluster: FakeCluster, change: str
) -> None:
    found = deploy(cluster, planned())
    meta = cluster.raw("Job", "mrunners-1")["metadata"]
    if change == "digest":
        meta["annotations"]["mrunners.dev/digest"] = "another"
    else:
        meta["labels"] = {**meta["labels"], "mrunners.dev/run-id": "another"}
    assert refusal(cluster, planned(), found.tracker.uid) == FOREIGN


def test_a_job_that_is_going_is_waited_for_and_created_again(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    found = deploy(cluster, planned())
    old = cluster.raw("Job", "mrunners-1")["metadata"]
    old["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    clock.then(lambda: None, lambda: cluster.remove("Job", "mrunners-1"))
    made = create(cluster, planned(), found.tracker.uid)
    assert made[1] == cluster.raw("Job", "mrunners-1")["metadata"]["uid"] != old["uid"]


def test_a_job_whose_owner_is_gone_is_waited_for_and_created_again(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    found = deploy(cluster, planned())
    old = cluster.raw("Job", "mrunners-1")["metadata"]
    old["ownerReferences"][0]["uid"] = "a former tracker's"
    clock.then(cluster.collect_garbage)
    made = create(cluster, planned(), found.tracker.uid)
    assert made[1] == cluster.raw("Job", "mrunners-1")["metadata"]["uid"] != old["uid"]


def test_a_job_that_never_goes_is_refused_after_half_a_minute(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    found = deploy(cluster, planned())
    cluster.raw("Job", "mrunners-1")["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    assert refusal(cluster, planned(), found.tracker.uid) == FOREIGN
    assert 30 <= clock.seconds < 32


def test_a_job_that_vanishes_because_its_tracker_did_is_not_created_again(
    cluster: FakeCluster,
) -> None:
    uid = track(cluster, planned())
    cluster.lose_answer("create_job")
    real = cluster.get_job

    def get_job(namespace: str, name: str) -> None:
        cluster.remove("ConfigMap", "mrunners")
        cluster.collect_garbage()
        assert real(namespace, name) is None

    cluster.get_job = get_job  # type: ignore[method-assign]
    assert refusal(cluster, planned(), uid) == (
        "job mrunners-0 vanished right after it was created: tracker mrunners in namespace load "
        "was deleted meanwhile; run again"
    )
    assert cluster.names("Job") == []


def test_the_leftovers_of_a_former_run_are_waited_for(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    deploy(cluster, planned(key="former"))
    cluster.start_pod("mrunners-0", 0)
    cluster.remove("ConfigMap", "mrunners")
    clock.then(lambda: None, cluster.collect_garbage)
    observer = RecordingObserver()
    create(cluster, planned(), track(cluster, planned(), observer))
    assert observer == RecordingObserver(
        infos=["waiting until 2 Jobs and 1 pods of the run are gone"],
        trackers=["mrunners"],
    )
    assert (cluster.names("Job"), cluster.names("Pod")) == (JOBS, [])


def test_the_leftovers_of_the_same_run_are_waited_for_too(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    deploy(cluster, planned())
    cluster.remove("ConfigMap", "mrunners")
    clock.then(cluster.collect_garbage)
    track(cluster, planned())
    assert cluster.names("Job") == []


def test_a_run_under_another_tracker_is_not_waited_for(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    deploy(cluster, planned(tracker="night"))
    track(cluster, planned())
    assert clock.slept == []


def test_leftovers_that_stay_end_the_wait_with_their_names(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    deploy(cluster, planned())
    with pytest.raises(WaitTimeoutError) as caught:
        wait_until_gone(cluster, "load", "", RecordingObserver(), patience_seconds=10)
    assert str(caught.value) == (
        "after 10s there are still 2 Jobs and 0 pods of the run in namespace load: "
        "job mrunners-0, job mrunners-1; see whether their nodes are gone, and try again"
    )
    assert 10 <= clock.seconds <= 11


def test_large_profiles_go_to_config_maps_of_their_own_once(cluster: FakeCluster) -> None:
    run = run_of(*(large(mark) for mark in "abcdef"))
    uid = track(cluster, run)
    overflow = cluster.raw("ConfigMap", "mrunners-profiles-1")
    assert overflow["metadata"]["ownerReferences"][0]["uid"] == uid
    assert track(cluster, run) == uid
    assert cluster.raw("ConfigMap", "mrunners-profiles-1") is overflow


def test_a_former_runs_profiles_are_waited_for_and_not_mistaken_for_ours(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    run = run_of(*(large(mark) for mark in "abcdef"))
    former = planned(key="former").plan
    track(cluster, PlannedRun(run.plan.model_copy(update={"run_id": former.run_id}), run.profiles))
    cluster.remove("ConfigMap", "mrunners")
    clock.then(cluster.collect_garbage)
    uid = track(cluster, run)
    overflow = cluster.raw("ConfigMap", "mrunners-profiles-1")
    assert overflow["metadata"]["ownerReferences"][0]["uid"] == uid


def test_a_foreign_config_map_in_the_place_of_profiles_is_refused(cluster: FakeCluster) -> None:
    name = "mrunners-profiles-1"
    cluster.put({"kind": "ConfigMap", "metadata": {"name": name, "namespace": "load"}})
    with pytest.raises(RefusedError, match=r"^configmap mrunners-profiles-1 in namespace load ex"):
        track(cluster, run_of(*(large(mark) for mark in "abcdef")))


def test_what_an_old_server_drops_is_warned_about_once(cluster: FakeCluster) -> None:
    cluster.ignores = {"backoffLimitPerIndex"}
    observer = RecordingObserver()
    create(cluster, planned(), track(cluster, planned()), observer)
    assert observer.warnings == [
        "this API server ignores spec.backoffLimitPerIndex of Jobs: one failing pod ends its "
        "siblings and their reports are lost"
    ]


def test_a_finished_job_is_adopted_as_it_is(cluster: FakeCluster) -> None:
    run = planned()
    found = deploy(cluster, run)
    finish(cluster, run.plan)
    create(cluster, run, found.tracker.uid)
    assert find(cluster, run.plan).state.complete
    assert replace(found, state=find(cluster, run.plan).state) == find(cluster, run.plan)
