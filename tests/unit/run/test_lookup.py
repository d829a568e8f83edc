"""A run is found by its tracker's name, or as the only one of its namespace."""

import pytest

from mrunners.errors import RefusedError
from mrunners.hints import describe
from mrunners.refs import RunRef
from mrunners.run.lookup import get_run, get_run_or_none, get_tracker, resolve_tracker
from tests.fakes import FakeCluster
from tests.unit.env import deploy, planned


def refused(cluster: FakeCluster, tracker: str | None = None) -> str:
    with pytest.raises(RefusedError) as caught:
        get_run(cluster, resolve_tracker(cluster, "load", tracker))
    assert (caught.value.namespace, caught.value.tracker) == ("load", tracker)
    return describe(caught.value)


def test_the_only_run_of_a_namespace_needs_no_name() -> None:
    cluster = FakeCluster()
    deployed = deploy(cluster, planned(tracker="nightly"))
    assert resolve_tracker(cluster, "load", None) == RunRef("load", "nightly")
    assert get_run(cluster, RunRef("load", "nightly")) == deployed
    assert get_run_or_none(cluster, RunRef("load", "nightly")) == deployed


def test_a_named_tracker_is_not_looked_up_to_resolve_it() -> None:
    cluster = FakeCluster()
    assert resolve_tracker(cluster, "load", "nightly") == RunRef("load", "nightly")
    assert cluster.calls == []


def test_a_namespace_without_a_run_says_how_to_start_one() -> None:
    assert refused(FakeCluster()) == (
        "no tracker in namespace load: nothing was run there, or it was deleted\n"
        "start one with: mrunners run --namespace load --runner-image … --runners …"
    )


def test_of_several_runs_one_must_be_chosen() -> None:
    cluster = FakeCluster()
    deploy(cluster, planned(tracker="nightly"))
    deploy(cluster, planned(tracker="daily", key="other"))
    assert refused(cluster) == ("namespace load has 2 trackers: daily, nightly; choose one")


def test_a_tracker_that_does_not_exist_says_how_to_list_all() -> None:
    cluster = FakeCluster()
    deploy(cluster, planned())
    assert refused(cluster, "nightly") == (
        "tracker load/nightly does not exist\n"
        "list all trackers with: kubectl get configmaps --all-namespaces --selector "
        "app.kubernetes.io/component=tracker"
    )


def test_a_tracker_that_is_being_deleted_does_not_count() -> None:
    cluster = FakeCluster()
    deploy(cluster, planned())
    cluster.raw("ConfigMap", "mrunners")["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    assert refused(cluster).startswith("no tracker in namespace load: ")
    assert refused(cluster, "mrunners").startswith("tracker load/mrunners does not exist\n")
    assert get_run_or_none(cluster, RunRef("load", "mrunners")) is None


def test_a_foreign_config_map_is_refused() -> None:
    cluster = FakeCluster()
    cluster.put({"kind": "ConfigMap", "metadata": {"name": "x", "namespace": "load"}})
    assert refused(cluster, "x") == (
        "configmap load/x is not a tracker of mrunners\nchoose another name with --tracker"
    )
    with pytest.raises(RefusedError, match=r"^configmap load/x is not a tracker of mrunners$"):
        get_tracker(cluster, RunRef("load", "x"))
