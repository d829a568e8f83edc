"""Every object of a run is created exactly once, or adopted, or refused."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from mrunners.errors import (
    ApiStatusError,
    ClusterError,
    RefusedError,
    UnreachableError,
    WaitTimeoutError,
)
from mrunners.hints import describe
from mrunners.kube.objects import Job
from mrunners.kube.retry import FailureKind, RequestFailure, RetryPolicy
from mrunners.plan.metadata import Manifest
from mrunners.plan.planning import PlannedRun
from mrunners.refs import RunRef
from mrunners.run.create import StartedRun, create_jobs, create_tracker, start_run
from mrunners.run.delete import wait_until_deleted
from mrunners.run.preflight import RunAction
from mrunners.run.report_store import ReportStore
from tests.fakes import FakeClock, FakeCluster, Raw, RecordingObserver
from tests.unit.env import deploy, find, finish, planned
from tests.unit.plan.test_tracker import large, run_of

JOBS = ["mrunners-0", "mrunners-1"]
GONE = (
    "1 Job of the run existed and was deleted since: {}; not created again, because the load "
    "may have run"
)
FOREIGN = (
    "job.batch/mrunners-1 exists in namespace load and does not belong to this run; delete it, "
    "then resume the run\n"
    "resume it with: mrunners run --namespace load --tracker mrunners --resume\n"
    "delete it anyway with: mrunners delete load --tracker mrunners --force"
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The clock by which the run package waits."""
    clock = FakeClock()
    monkeypatch.setattr("mrunners.run.create.time", clock)
    monkeypatch.setattr("mrunners.run.create_job.time", clock)
    monkeypatch.setattr("mrunners.run.create_tracker.time", clock)
    monkeypatch.setattr("mrunners.run.delete.time", clock)
    return clock


@pytest.fixture
def cluster(clock: FakeClock) -> FakeCluster:
    return FakeCluster(clock)


def start(
    cluster: FakeCluster, run: PlannedRun, observer: RecordingObserver | None = None
) -> StartedRun:
    """Create the tracker or adopt it."""
    return start_run(cluster, RunAction(run), observer or RecordingObserver())


def tracker_uid(cluster: FakeCluster, run: PlannedRun) -> str:
    """Create the tracker or adopt it, and return its UID."""
    return create_tracker(cluster, run.plan, run.profiles, RecordingObserver()).uid


def create(
    cluster: FakeCluster, run: StartedRun, observer: RecordingObserver | None = None
) -> list[str]:
    """Create or adopt all Jobs, and return their UIDs."""
    jobs = create_jobs(cluster, run, run.existing.plan.jobs, observer or RecordingObserver())
    return [job.uid for job in jobs]


def create_all(cluster: FakeCluster, run: PlannedRun) -> StartedRun:
    """Create tracker and Jobs."""
    started = start(cluster, run)
    create(cluster, started)
    return started


def refusal(cluster: FakeCluster, run: StartedRun) -> str:
    with pytest.raises(RefusedError) as caught:
        create(cluster, run)
    error = caught.value
    assert (error.namespace, error.tracker) == ("load", "mrunners")
    assert error.run == RunRef("load", "mrunners")
    return describe(error)


def job_uid(cluster: FakeCluster, name: str) -> str:
    uid = cluster.raw("Job", name)["metadata"]["uid"]
    assert isinstance(uid, str)
    return uid


def test_a_run_is_its_tracker_and_one_job_per_runner(cluster: FakeCluster) -> None:
    observer = RecordingObserver()
    uids = create(cluster, start(cluster, planned(), observer), observer)
    assert (cluster.names("ConfigMap"), cluster.names("Job")) == (["mrunners"], JOBS)
    assert uids == [job_uid(cluster, name) for name in JOBS]
    assert observer == RecordingObserver(trackers=["mrunners"])


def test_a_tracker_whose_response_was_lost_is_adopted(cluster: FakeCluster) -> None:
    cluster.lose_answer("create_config_map")
    uid = tracker_uid(cluster, planned())
    assert cluster.raw("ConfigMap", "mrunners")["metadata"]["uid"] == uid


def test_a_job_whose_response_was_lost_is_adopted(cluster: FakeCluster) -> None:
    run = start(cluster, planned())
    cluster.lose_answer("create_job")
    uids = create(cluster, run)
    assert cluster.names("Job") == JOBS
    assert uids[0] == job_uid(cluster, "mrunners-0")


def test_a_second_attempt_after_an_error_creates_each_job_exactly_once(
    cluster: FakeCluster,
) -> None:
    run = start(cluster, planned(1, 1, 1))
    cluster.fail("create_job", UnreachableError("connection reset"), carried_out=True)
    with pytest.raises(UnreachableError):
        create(cluster, run)
    first = job_uid(cluster, "mrunners-0")
    second_attempt = start(cluster, planned(1, 1, 1))
    assert second_attempt.existing.tracker == run.existing.tracker
    assert create(cluster, second_attempt)[0] == first
    assert cluster.names("Job") == ["mrunners-0", "mrunners-1", "mrunners-2"]


def test_the_tracker_of_another_run_is_refused(cluster: FakeCluster) -> None:
    deploy(cluster, planned(key="theirs"))
    with pytest.raises(RefusedError) as caught:
        tracker_uid(cluster, planned())
    assert describe(caught.value) == (
        "another run was created first: tracker load/mrunners (starting, created 0s ago, 0 of 3 "
        "pods ended)\n"
        "wait for it with: mrunners wait load --tracker mrunners\n"
        "choose another name with --tracker"
    )


def test_a_config_map_that_is_no_tracker_is_refused(cluster: FakeCluster) -> None:
    cluster.put({"kind": "ConfigMap", "metadata": {"name": "mrunners", "namespace": "load"}})
    with pytest.raises(
        RefusedError, match=r"^configmap/mrunners in namespace load is not a tracker of mrunners$"
    ):
        tracker_uid(cluster, planned())


def test_a_foreign_job_is_refused_by_name(cluster: FakeCluster) -> None:
    run = start(cluster, planned())
    foreign: Raw = {
        "kind": "Job",
        "metadata": {"name": "mrunners-1", "namespace": "load"},
        "spec": {},
    }
    cluster.put(foreign)
    assert refusal(cluster, run) == FOREIGN


@pytest.mark.parametrize("change", ["digest", "run id"])
def test_a_job_of_ours_that_was_changed_is_refused_by_name(
    cluster: FakeCluster, change: str
) -> None:
    run = create_all(cluster, planned())
    meta = cluster.raw("Job", "mrunners-1")["metadata"]
    if change == "digest":
        meta["annotations"]["mrunners.dev/digest"] = "another"
    else:
        meta["labels"] = {**meta["labels"], "mrunners.dev/run-id": "another"}
    assert refusal(cluster, run) == FOREIGN


def test_a_job_of_ours_that_is_being_deleted_is_not_created_again(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    run = create_all(cluster, planned())
    cluster.raw("Job", "mrunners-1")["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    observer = RecordingObserver()
    assert create(cluster, run, observer) == [job_uid(cluster, "mrunners-0")]
    assert (observer.warnings, clock.slept) == ([GONE.format("mrunners-1")], [])


def test_a_second_attempt_does_not_create_again_what_was_created_and_is_gone(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    store, run = ReportStore(tmp_path), start(cluster, planned(1, 1, 1))
    jobs = run.existing.plan.jobs
    create_jobs(cluster, run, jobs[:1], RecordingObserver(), store)
    cluster.fail("create_job", UnreachableError("connection reset"))
    with pytest.raises(UnreachableError):
        create_jobs(cluster, run, jobs[1:], RecordingObserver(), store)
    cluster.remove("Job", "mrunners-0")
    observer = RecordingObserver()
    created = create_jobs(cluster, run, jobs, observer, store)
    assert [job.name for job in created] == cluster.names("Job") == ["mrunners-1", "mrunners-2"]
    assert observer.warnings == [GONE.format("mrunners-0")]


def test_a_disk_that_cannot_be_written_does_not_keep_jobs_from_being_created(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    run = start(cluster, planned())
    store = ReportStore(tmp_path / "file")
    create_jobs(cluster, run, run.existing.plan.jobs, RecordingObserver(), store)
    assert cluster.names("Job") == JOBS


@pytest.mark.parametrize("first_half", [0, 1, 2])
def test_the_tracker_has_an_annotation_once_all_jobs_are_created(
    cluster: FakeCluster, first_half: int
) -> None:
    run = start(cluster, planned())
    jobs = run.existing.plan.jobs
    create_jobs(cluster, run, jobs[:first_half], RecordingObserver())
    annotations = find(cluster, planned().plan).tracker.annotations
    done = {"mrunners.dev/jobs-created-at": "2026-01-02T03:04:05Z"}
    assert annotations == (done if first_half == 2 else {})
    create_jobs(cluster, run, jobs[first_half:], RecordingObserver())
    assert find(cluster, planned().plan).tracker.annotations == done


def test_a_job_whose_owner_was_deleted_is_waited_for_and_created_again(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    run = create_all(cluster, planned())
    old = cluster.raw("Job", "mrunners-1")["metadata"]
    old["ownerReferences"][0]["uid"] = "a former tracker's"
    clock.then(cluster.collect_garbage)
    uids = create(cluster, run)
    assert uids[1] == job_uid(cluster, "mrunners-1") != old["uid"]


def test_a_former_runs_job_whose_deletion_never_ends_is_refused_after_half_a_minute(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    run = create_all(cluster, planned())
    meta = cluster.raw("Job", "mrunners-1")["metadata"]
    meta["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    meta["ownerReferences"][0]["uid"] = "a former tracker's"
    assert refusal(cluster, run) == FOREIGN
    assert 30 <= clock.seconds < 32


def test_a_job_that_was_deleted_with_its_tracker_is_not_created_again(
    cluster: FakeCluster,
) -> None:
    run = start(cluster, planned())
    cluster.lose_answer("create_job")
    real = cluster.get_job

    def get_job(namespace: str, name: str) -> None:
        cluster.remove("ConfigMap", "mrunners")
        cluster.collect_garbage()
        assert real(namespace, name) is None

    cluster.get_job = get_job  # type: ignore[method-assign]
    assert refusal(cluster, run) == (
        "job.batch/mrunners-0 in namespace load disappeared right after it was created: tracker "
        "load/mrunners was "
        "deleted; run again"
    )
    assert cluster.names("Job") == []


def test_two_wrong_404s_after_a_lost_answer_do_not_end_the_creation(cluster: FakeCluster) -> None:
    run = start(cluster, planned())
    cluster.lose_answer("create_job")
    cluster.answer_gone("get_job")
    cluster.answer_gone("get_config_map")
    create(cluster, run)
    assert cluster.names("Job") == JOBS


def test_the_remains_of_a_former_run_are_waited_for(cluster: FakeCluster, clock: FakeClock) -> None:
    deploy(cluster, planned(key="former"))
    cluster.start_pod("mrunners-0", 0)
    cluster.remove("ConfigMap", "mrunners")
    clock.then(lambda: None, cluster.collect_garbage)
    observer = RecordingObserver()
    create(cluster, start(cluster, planned(), observer))
    assert observer == RecordingObserver(
        infos=["waiting for 2 Jobs and 1 pod of the run to be deleted"],
        trackers=["mrunners"],
    )
    assert (cluster.names("Job"), cluster.names("Pod")) == (JOBS, [])


def test_the_remains_of_the_same_run_are_waited_for_too(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    deploy(cluster, planned())
    cluster.remove("ConfigMap", "mrunners")
    clock.then(cluster.collect_garbage)
    start(cluster, planned())
    assert cluster.names("Job") == []


def test_a_run_under_another_tracker_is_not_waited_for(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    deploy(cluster, planned(tracker="nightly"))
    start(cluster, planned())
    assert clock.slept == []


def test_what_keeps_a_pod_from_being_deleted_is_named(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    deploy(cluster, planned(1))
    pod = cluster.raw("Pod", cluster.start_pod("mrunners-0", 0))
    pod["metadata"]["finalizers"] = ["batch.kubernetes.io/job-tracking", "example.com/keep"]
    with pytest.raises(WaitTimeoutError) as caught:
        wait_until_deleted(cluster, "load", "", RecordingObserver(), timeout_seconds=10)
    assert str(caught.value) == (
        "after 10s, 1 Job and 1 pod in namespace load are not deleted: job.batch/mrunners-0, "
        "pod/mrunners-0-0-abcde (node node-0, finalizer example.com/keep); check their nodes and "
        "finalizers, and try again"
    )


def test_remains_that_are_never_deleted_end_the_wait_with_their_names(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    deploy(cluster, planned())
    with pytest.raises(WaitTimeoutError) as caught:
        wait_until_deleted(cluster, "load", "", RecordingObserver(), timeout_seconds=10)
    assert describe(caught.value) == (
        "after 10s, 2 Jobs and 0 pods in namespace load are not deleted: job.batch/mrunners-0, "
        "job.batch/mrunners-1; check their nodes and finalizers, and try again"
    )
    assert caught.value.seconds == 10
    assert 10 <= clock.seconds <= 11


def test_large_profiles_go_to_config_maps_of_their_own_once(cluster: FakeCluster) -> None:
    run = run_of(*(large(mark) for mark in "abcdef"))
    uid = tracker_uid(cluster, run)
    overflow = cluster.raw("ConfigMap", "mrunners-profiles-1")
    assert overflow["metadata"]["ownerReferences"][0]["uid"] == uid
    assert tracker_uid(cluster, run) == uid
    assert cluster.raw("ConfigMap", "mrunners-profiles-1") is overflow


def test_a_former_runs_profiles_are_waited_for_and_never_adopted(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    run = run_of(*(large(mark) for mark in "abcdef"))
    former = planned(key="former").plan
    former_plan = run.plan.model_copy(update={"run_id": former.run_id})
    tracker_uid(cluster, PlannedRun(former_plan, run.profiles))
    cluster.remove("ConfigMap", "mrunners")
    clock.then(cluster.collect_garbage)
    uid = tracker_uid(cluster, run)
    overflow = cluster.raw("ConfigMap", "mrunners-profiles-1")
    assert overflow["metadata"]["ownerReferences"][0]["uid"] == uid


def test_a_foreign_config_map_with_the_name_of_one_for_profiles_is_refused(
    cluster: FakeCluster,
) -> None:
    name = "mrunners-profiles-1"
    cluster.put({"kind": "ConfigMap", "metadata": {"name": name, "namespace": "load"}})
    with pytest.raises(RefusedError) as caught:
        tracker_uid(cluster, run_of(*(large(mark) for mark in "abcdef")))
    assert describe(caught.value) == FOREIGN.replace(
        "job.batch/mrunners-1", "configmap/mrunners-profiles-1"
    )


def test_a_field_that_an_old_api_server_drops_is_warned_about_once(cluster: FakeCluster) -> None:
    cluster.ignores = {"backoffLimitPerIndex"}
    observer = RecordingObserver()
    create(cluster, start(cluster, planned()), observer)
    assert observer.warnings == [
        "this API server ignores spec.backoffLimitPerIndex of Jobs: one failing pod ends its "
        "siblings and their reports are lost"
    ]


def test_fields_that_a_policy_adds_are_warned_about_once_each(cluster: FakeCluster) -> None:
    cluster.adds = {"ttlSecondsAfterFinished": 2, "activeDeadlineSeconds": 60}
    observer = RecordingObserver()
    run = start(cluster, planned())
    for job in run.missing:  # as a flow does
        create_jobs(cluster, run, [job], observer)
    assert cluster.calls.count("annotate_config_map") == 2
    assert observer.warnings == [
        "this cluster adds spec.ttlSecondsAfterFinished 2 to Jobs: each Job is removed that many "
        "seconds after it has finished, and with it every report that was not fetched: wait for "
        "the run from now on",
        "this cluster adds spec.activeDeadlineSeconds 60 to Jobs: pods that run longer are killed "
        "and their reports are lost",
    ]
    assert find(cluster, planned().plan).tracker.annotations == {
        "mrunners.dev/job-ttl-seconds": "2",
        "mrunners.dev/jobs-created-at": "2026-01-02T03:04:05Z",
    }


class Partitioned(FakeCluster):
    """Carries out the creation of the first Job, and then cannot be reached for some time."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        super().__init__(clock)
        self.adds = {"ttlSecondsAfterFinished": 60}
        self._policy = RetryPolicy(clock.monotonic, clock.sleep, warn=lambda line: None)
        self._policy.call(lambda: None)
        self._seconds = seconds
        self._until = 0.0

    def create_job(self, namespace: str, manifest: Manifest) -> Job | None:
        first = "Job" not in {kind for kind, _, _ in self._objects} and not self._until

        def attempt() -> Job | None:
            self._reach()
            created = super(Partitioned, self).create_job(namespace, manifest)
            if first and not self._until:
                self._until = self.clock.seconds + self._seconds
                self._reach()
            return created

        return self._policy.call(attempt)

    def get_job(self, namespace: str, name: str) -> Job | None:
        self._policy.call(self._reach)
        return super().get_job(namespace, name)

    def _reach(self) -> None:
        if self.clock.seconds < self._until:
            raise RequestFailure(FailureKind.TRANSIENT, UnreachableError("no route to host"))


def test_a_job_that_a_ttl_removed_while_its_answer_was_lost_is_not_created_again(
    clock: FakeClock,
) -> None:
    cluster = Partitioned(clock, 300)
    run, observer = start(cluster, planned()), RecordingObserver()
    clock.then(*[lambda: None] * 10, lambda: cluster.remove("Job", "mrunners-0"))
    created = create_jobs(cluster, run, run.existing.plan.jobs, observer)
    assert [job.name for job in created] == cluster.names("Job") == ["mrunners-1"]
    assert observer.warnings[-1] == GONE.format("mrunners-0")


def test_a_job_that_exists_when_the_api_server_is_back_is_adopted(clock: FakeClock) -> None:
    cluster = Partitioned(clock, 300)
    run = start(cluster, planned())
    assert create(cluster, run)[0] == job_uid(cluster, "mrunners-0")
    assert cluster.names("Job") == JOBS


def test_a_creation_of_unknown_end_is_left_to_a_resumed_run_where_jobs_are_removed(
    clock: FakeClock,
) -> None:
    cluster = Partitioned(clock, 2000)
    run = start(cluster, planned())
    with pytest.raises(ClusterError) as caught:
        create(cluster, run)
    # A step repeats what was unreachable, and would create the Job again.
    assert not isinstance(caught.value, UnreachableError)
    assert describe(caught.value) == (
        "it is not known whether job.batch/mrunners-0 in namespace load was created: no route to "
        "host\n"
        "resume it with: mrunners run --namespace load --tracker mrunners --resume"
    )


def test_a_creator_that_is_killed_right_after_a_job_was_created_leaves_its_ttl(
    cluster: FakeCluster, clock: FakeClock
) -> None:
    cluster.adds = {"ttlSecondsAfterFinished": 60}
    run = start(cluster, planned(1))
    cluster.fail("create_job", KeyError("killed"), carried_out=True)
    with pytest.raises(KeyError):
        create(cluster, run)
    cluster.remove("Job", "mrunners-0")
    clock.seconds += 61
    observer = RecordingObserver()
    assert start(cluster, planned(1), observer).missing == ()
    assert observer.warnings == [GONE.format("mrunners-0")]


def test_a_webhook_without_dry_runs_does_not_keep_jobs_from_being_created(
    cluster: FakeCluster,
) -> None:
    cluster.adds = {"ttlSecondsAfterFinished": 60}
    text = 'admission webhook "ttl.example.com" does not support dry run'
    cluster.fail("dry_run_job", ApiStatusError(text, status=400, reason="BadRequest"))
    create_all(cluster, planned())
    assert cluster.names("Job") == JOBS
    annotations = find(cluster, planned().plan).tracker.annotations
    assert annotations["mrunners.dev/job-ttl-seconds"] == "60"


def test_a_finished_job_is_adopted_as_it_is(cluster: FakeCluster) -> None:
    run = create_all(cluster, planned())
    finish(cluster, planned().plan)
    create(cluster, run)
    after = find(cluster, planned().plan)
    assert after.state.complete
    assert replace(run.existing, state=after.state, tracker=after.tracker) == after
    assert after.tracker.uid == run.existing.tracker.uid


class Concurrent(FakeCluster):
    """Carries out creations only when so many are in flight, as long as so many are left.

    Attributes:
        most: How many were in flight at once.
        alone: Whether no other was while the first Job was created.
    """

    def __init__(self, clock: FakeClock, jobs: int, connections: int) -> None:
        super().__init__(clock, connections=connections)
        self._changed = threading.Condition()
        self._left, self._active = jobs, 0
        self.most = 0
        self.alone = False

    def create_job(self, namespace: str, manifest: Manifest) -> Job | None:
        together = min(self.connections, self._left)
        with self._changed:
            self._active += 1
            self.most = max(self.most, self._active)
            self._changed.notify_all()
            if not self.names("Job"):  # long enough for any other thread to come
                self.alone = not self._changed.wait_for(lambda: self._active > 1, 0.3)
            else:
                limit = self.connections
                assert self._changed.wait_for(
                    lambda: self._active >= together or self.most >= limit, 20
                )
        created = super().create_job(namespace, manifest)
        with self._changed:
            self._active -= 1
            self._left -= 1
        return created


def before(cluster: FakeCluster, name: str) -> int | None:
    """Return how many Jobs were created before one, as it says; None if all before it were."""
    annotations = cluster.raw("Job", name)["metadata"]["annotations"]
    text = annotations.get("mrunners.dev/jobs-created-before")
    return None if text is None else int(text)


def test_jobs_are_created_on_all_connections_at_once_after_the_first(clock: FakeClock) -> None:
    cluster = Concurrent(clock, 40, 4)
    run, observer = start(cluster, planned(*[1] * 40)), RecordingObserver()
    requests = cluster.requests
    jobs = create_jobs(cluster, run, run.missing, observer)
    names = [job.name for job in run.existing.plan.jobs]
    assert ([job.name for job in jobs], set(cluster.names("Job"))) == (names, set(names))
    assert (cluster.alone, cluster.names("Job")[0]) == (True, "mrunners-0")
    # Besides: a dry run that shows a TTL, and the note that all are created.
    assert (cluster.most, cluster.requests - requests) == (4, 42)
    assert observer == RecordingObserver()


def test_each_job_says_how_many_were_surely_created_before_it(clock: FakeClock) -> None:
    cluster = Concurrent(clock, 40, 4)
    plan = create_all(cluster, planned(*[1] * 40)).existing.plan
    names = cluster.names("Job")
    said = [before(cluster, job.name) for job in plan.jobs]
    assert (said[0], said[1], any(said)) == (None, None, True)
    for job, number in zip(plan.jobs, said, strict=True):
        surely = job.index if number is None else number
        created_before = names[: names.index(job.name)]
        assert {one.name for one in plan.jobs[:surely]} <= {*created_before}
        assert job.index - surely < 8


def test_a_killed_creator_leaves_gaps_that_are_no_deleted_jobs(cluster: FakeCluster) -> None:
    cluster.connections = 3
    barrier = threading.Barrier(3, timeout=20)

    def kill() -> None:
        if len(cluster.names("Job")) == 1 and barrier.wait() == 0:
            raise KeyError("killed")

    run = start(cluster, planned(1, 1, 1, 1))
    cluster.before("create_job", kill)
    with pytest.raises(KeyError):
        create(cluster, run)
    cluster.before("create_job", lambda: None)
    observer = RecordingObserver()
    second = start(cluster, planned(1, 1, 1, 1), observer)
    # Of three that were created together two exist, and the first of them may be the third.
    assert len(second.missing) == 1
    create_jobs(cluster, second, second.missing, observer)
    assert sorted(cluster.names("Job")) == [f"mrunners-{index}" for index in range(4)]
    assert observer.warnings == []
    assert "mrunners.dev/jobs-created-at" in find(cluster, second.existing.plan).tracker.annotations


def test_after_a_refused_job_no_further_one_is_created_and_those_that_were_are_counted(
    cluster: FakeCluster,
) -> None:
    cluster.connections = 4
    run, observer = start(cluster, planned(*[1] * 60)), RecordingObserver()
    foreign: Raw = {"kind": "Job", "metadata": {"name": "mrunners-5", "namespace": "load"}}
    cluster.put({**foreign, "spec": {}})
    with pytest.raises(RefusedError, match=r"job\.batch/mrunners-5 exists in namespace load"):
        create_jobs(cluster, run, run.missing, observer)
    created = len(cluster.names("Job")) - 1
    assert 5 <= created <= 5 + 2 * 4
    assert observer.infos == [f"{created} of 60 Jobs were created before this error"]
    assert find(cluster, run.existing.plan).tracker.annotations == {}


def test_a_ttl_is_noted_before_any_job_is_created_beside_another(cluster: FakeCluster) -> None:
    cluster.connections = 4
    cluster.adds = {"ttlSecondsAfterFinished": 60}
    create_all(cluster, planned(*[1] * 9))
    first = cluster.calls.index("create_job")
    assert cluster.calls[first - 2 : first] == ["dry_run_job", "annotate_config_map"]
    assert cluster.calls.count("annotate_config_map") == 2
