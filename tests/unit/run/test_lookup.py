import pytest

from mrunners.errors import RefusedError
from mrunners.run.lookup import get_run
from tests.fakes import FakeCluster
from tests.unit.env import deploy, planned


def refused(cluster: FakeCluster, tracker: str | None = None) -> str:
    with pytest.raises(RefusedError) as caught:
        get_run(cluster, "load", tracker)
    return str(caught.value)


def test_the_only_run_of_a_namespace_needs_no_name() -> None:
    cluster = FakeCluster()
    found = deploy(cluster, planned(tracker="night"))
    assert get_run(cluster, "load", None) == get_run(cluster, "load", "night") == found


def test_a_namespace_without_a_run_says_how_to_start_one() -> None:
    assert refused(FakeCluster()) == (
        "no tracker in namespace load: nothing was run there, or it was deleted; start one with: "
        "mrunners run --namespace load …"
    )


def test_of_several_runs_one_must_be_chosen() -> None:
    cluster = FakeCluster()
    deploy(cluster, planned(tracker="night"))
    deploy(cluster, planned(tracker="day", key="other"))
    assert refused(cluster) == (
        "namespace load has 2 trackers: day, night; choose one with --tracker"
    )


def test_a_tracker_that_is_going_is_none() -> None:
    cluster = FakeCluster()
    deploy(cluster, planned())
    cluster.raw("ConfigMap", "mrunners")["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    assert refused(cluster).startswith("no tracker in namespace load")
    assert refused(cluster, "mrunners").startswith("no tracker mrunners in namespace load")


def test_a_config_map_of_somebody_else_is_refused() -> None:
    cluster = FakeCluster()
    cluster.put({"kind": "ConfigMap", "metadata": {"name": "x", "namespace": "load"}})
    assert refused(cluster, "x") == (
        "configmap load/x is not a tracker of mrunners; choose another name with --tracker"
    )
