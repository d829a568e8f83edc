import pytest

from mrunners.errors import RefusedError
from mrunners.plan.metadata import ANNOTATION_COLLECTED_AT
from mrunners.run.delete import delete_run, delete_tracker, wait_for_remaining
from mrunners.run.lookup import get_tracker
from tests.fakes import FakeClock, FakeCluster, RecordingObserver
from tests.unit.env import deploy, find, finish, planned

RUN = planned()


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


def collect(cluster: FakeCluster) -> None:
    finish(cluster, RUN.plan)
    uid = find(cluster, RUN.plan).tracker.uid
    assert cluster.annotate_config_map("load", "mrunners", uid, {ANNOTATION_COLLECTED_AT: "now"})


def test_a_tracker_whose_plan_cannot_be_read_can_be_deleted(cluster: FakeCluster) -> None:
    raw = cluster.raw("ConfigMap", "mrunners")
    raw["data"] = {"plan.json": "{}"}
    delete_tracker(cluster, "load", get_tracker(cluster, "load", None), RecordingObserver())
    assert (cluster.names("ConfigMap"), cluster.names("Job")) == ([], [])


def test_what_an_interrupted_delete_left_is_waited_for(cluster: FakeCluster) -> None:
    cluster.remove("ConfigMap", "mrunners")
    assert wait_for_remaining(cluster, "load", "mrunners", RecordingObserver())
    assert cluster.names("Job") == []
    assert not wait_for_remaining(cluster, "load", "mrunners", RecordingObserver())


def test_a_run_that_is_there_is_not_seen_off(cluster: FakeCluster) -> None:
    assert not wait_for_remaining(cluster, "load", "mrunners", RecordingObserver())
    assert cluster.names("ConfigMap") == ["mrunners"]


def test_a_run_that_has_not_finished_needs_force(cluster: FakeCluster) -> None:
    with pytest.raises(RefusedError) as caught:
        delete(cluster, force=False)
    assert str(caught.value) == (
        "tracker mrunners in namespace load, 0s old, starting, 0 of 3 pods ended: it has not "
        "finished; wait for it with: mrunners wait load --tracker mrunners; or delete it all the "
        "same with: mrunners delete load --tracker mrunners --force"
    )
    assert cluster.names("ConfigMap") == ["mrunners"]


def test_a_run_that_was_not_collected_needs_force(cluster: FakeCluster) -> None:
    finish(cluster, RUN.plan)
    with pytest.raises(RefusedError) as caught:
        delete(cluster, force=False)
    assert str(caught.value) == (
        "tracker mrunners in namespace load, 0s old, finished, not collected: its report was not "
        "collected; collect it with: mrunners result load --tracker mrunners; or delete it all the "
        "same with: mrunners delete load --tracker mrunners --force"
    )


def test_a_collected_run_is_deleted_and_waited_for_until_no_job_and_no_pod_is_left(
    cluster: FakeCluster,
) -> None:
    collect(cluster)
    observer = delete(cluster, force=False)
    assert observer == RecordingObserver(
        infos=["waiting until 2 Jobs and 3 pods of the run are gone"]
    )
    assert [cluster.names(kind) for kind in ("ConfigMap", "Job", "Pod")] == [[], [], []]
    assert cluster.clock.slept == [0.5, 0.5]


def test_force_deletes_what_runs(cluster: FakeCluster) -> None:
    cluster.start_pod("mrunners-0", 0)
    delete(cluster, force=True)
    assert cluster.names("Pod") == []


def test_a_run_that_came_after_the_found_one_is_left_alone(cluster: FakeCluster) -> None:
    found = find(cluster, RUN.plan)
    cluster.remove("ConfigMap", "mrunners")
    cluster.collect_garbage()
    deploy(cluster, planned(key="later"))
    delete_run(cluster, found, RecordingObserver(), force=True)
    assert (cluster.names("ConfigMap"), len(cluster.names("Job"))) == (["mrunners"], 2)
