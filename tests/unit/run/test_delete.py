"""A run is deleted with all that it owns; one that is still needed only by force."""

import pytest

from mrunners.errors import ClusterError, RefusedError
from mrunners.hints import describe
from mrunners.plan.metadata import ANNOTATION_COLLECTED_AT
from mrunners.refs import RunRef
from mrunners.run.delete import delete_run, delete_tracker, wait_for_remaining
from mrunners.run.lookup import get_tracker
from tests.fakes import FakeClock, FakeCluster, RecordingObserver
from tests.unit.env import deploy, find, finish, planned

RUN = planned()
REF = RunRef("load", "mrunners")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    clock = FakeClock()
    monkeypatch.setattr("mrunners.run.delete.time", clock)
    cluster = FakeCluster(clock)
    deploy(cluster, RUN)
    clock.then(lambda: None, cluster.collect_garbage)
    return cluster


def delete(cluster: FakeCluster, *, force: bool) -> RecordingObserver:
    observer = RecordingObserver()
    delete_run(cluster, find(cluster, RUN.plan), observer, force=force)
    return observer


def refused(cluster: FakeCluster) -> str:
    with pytest.raises(RefusedError) as caught:
        delete(cluster, force=False)
    assert caught.value.run == REF
    assert cluster.names("ConfigMap") == ["mrunners"]
    return describe(caught.value)


def test_a_tracker_whose_plan_cannot_be_read_can_be_deleted(cluster: FakeCluster) -> None:
    cluster.raw("ConfigMap", "mrunners")["data"] = {"plan.json": "{}"}
    delete_tracker(cluster, REF, get_tracker(cluster, REF), RecordingObserver())
    assert (cluster.names("ConfigMap"), cluster.names("Job")) == ([], [])


def test_the_remains_of_an_interrupted_delete_are_waited_for(cluster: FakeCluster) -> None:
    cluster.remove("ConfigMap", "mrunners")
    assert wait_for_remaining(cluster, REF, RecordingObserver())
    assert cluster.names("Job") == []
    assert not wait_for_remaining(cluster, REF, RecordingObserver())


def test_a_run_whose_tracker_exists_has_no_remains(cluster: FakeCluster) -> None:
    assert not wait_for_remaining(cluster, REF, RecordingObserver())
    assert cluster.names("ConfigMap") == ["mrunners"]


def test_a_run_that_has_not_finished_needs_force(cluster: FakeCluster) -> None:
    assert refused(cluster) == (
        "tracker load/mrunners (starting, created 0s ago, 0 of 3 pods ended) was not deleted: "
        "it has not finished\n"
        "wait for it with: mrunners wait load --tracker mrunners\n"
        "delete it anyway with: mrunners delete load --tracker mrunners --force"
    )


def test_a_run_that_was_not_collected_needs_force(cluster: FakeCluster) -> None:
    finish(cluster, RUN.plan)
    assert refused(cluster) == (
        "tracker load/mrunners (finished, created 0s ago, its report was not collected) was not "
        "deleted\n"
        "get its report with: mrunners result load --tracker mrunners\n"
        "delete it anyway with: mrunners delete load --tracker mrunners --force"
    )


def test_a_collected_run_is_deleted_until_no_job_and_no_pod_is_left(cluster: FakeCluster) -> None:
    finish(cluster, RUN.plan)
    uid = find(cluster, RUN.plan).tracker.uid
    assert cluster.annotate_config_map("load", "mrunners", uid, {ANNOTATION_COLLECTED_AT: "now"})
    observer = delete(cluster, force=False)
    assert observer == RecordingObserver(
        infos=[
            "deleting configmap/mrunners in namespace load of https://cluster:6443 (context test)",
            "waiting for 2 Jobs and 3 pods of the run to be deleted",
        ]
    )
    assert [cluster.names(kind) for kind in ("ConfigMap", "Job", "Pod")] == [[], [], []]
    assert cluster.clock.slept == [0.5, 0.5]


def test_a_run_that_can_never_start_counts_as_finished(cluster: FakeCluster) -> None:
    cluster.clock.seconds += 301
    assert refused(cluster) == (
        "tracker load/mrunners (ended with unfinished Jobs, created 5m16s ago, its report was not "
        "collected) was not deleted\n"
        "get its report with: mrunners result load --tracker mrunners\n"
        "delete it anyway with: mrunners delete load --tracker mrunners --force"
    )
    uid = find(cluster, RUN.plan).tracker.uid
    assert cluster.annotate_config_map("load", "mrunners", uid, {ANNOTATION_COLLECTED_AT: "now"})
    cluster.clock.then(cluster.collect_garbage)
    delete(cluster, force=False)
    assert cluster.names("Job") == []


def test_a_collected_run_whose_jobs_one_list_lacks_is_not_deleted(cluster: FakeCluster) -> None:
    uid = find(cluster, RUN.plan).tracker.uid
    assert cluster.annotate_config_map("load", "mrunners", uid, {ANNOTATION_COLLECTED_AT: "now"})
    cluster.start_pod("mrunners-0", 0)
    cluster.answer_gone("list_jobs")
    assert ": it has not finished" in refused(cluster)
    assert cluster.names("Job") == ["mrunners-0", "mrunners-1"]


def test_a_live_run_has_no_remains_although_one_answer_denies_its_tracker(
    cluster: FakeCluster,
) -> None:
    cluster.answer_gone("get_config_map")
    assert not wait_for_remaining(cluster, REF, RecordingObserver())
    assert cluster.clock.slept == [3.0]


def test_a_run_whose_pods_are_held_by_sidecars_counts_as_finished(cluster: FakeCluster) -> None:
    for job in RUN.plan.jobs:
        for index in range(job.pod_count):
            cluster.end_runner(job.name, index)
    assert ": it has not finished" in refused(cluster)
    cluster.clock.seconds += 31
    uid = find(cluster, RUN.plan).tracker.uid
    assert cluster.annotate_config_map("load", "mrunners", uid, {ANNOTATION_COLLECTED_AT: "now"})
    delete(cluster, force=False)
    assert cluster.names("Job") == []


def test_force_deletes_a_run_that_has_not_finished(cluster: FakeCluster) -> None:
    cluster.start_pod("mrunners-0", 0)
    delete(cluster, force=True)
    assert cluster.names("Pod") == []


class Denying(FakeCluster):
    """Answers a number of times that the tracker does not exist when it is to be deleted."""

    denials = 0

    def delete_config_map(self, namespace: str, name: str, uid: str) -> bool:
        if self.denials:
            self.denials -= 1
            return False
        return super().delete_config_map(namespace, name, uid)


@pytest.fixture
def denying(monkeypatch: pytest.MonkeyPatch) -> Denying:
    clock = FakeClock()
    monkeypatch.setattr("mrunners.run.delete.time", clock)
    cluster = Denying(clock)
    deploy(cluster, RUN)
    clock.then(cluster.collect_garbage)
    return cluster


def test_a_tracker_that_exists_is_deleted_although_the_first_answer_denies_it(
    denying: Denying,
) -> None:
    denying.denials = 1
    delete(denying, force=True)
    assert [denying.names(kind) for kind in ("ConfigMap", "Job", "Pod")] == [[], [], []]


def test_a_tracker_whose_existence_is_always_denied_ends_the_delete(denying: Denying) -> None:
    denying.denials = 3
    with pytest.raises(ClusterError, match="tracker load/mrunners exists, but the API server"):
        delete(denying, force=True)
    assert (denying.names("ConfigMap"), denying.clock.slept) == (["mrunners"], [])


def test_a_later_run_under_the_same_name_is_left_alone(cluster: FakeCluster) -> None:
    deleted = find(cluster, RUN.plan)
    cluster.remove("ConfigMap", "mrunners")
    cluster.collect_garbage()
    deploy(cluster, planned(key="later"))
    delete_run(cluster, deleted, RecordingObserver(), force=True)
    assert (cluster.names("ConfigMap"), len(cluster.names("Job"))) == (["mrunners"], 2)
