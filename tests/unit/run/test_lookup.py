"""A run is found by its tracker's name, or as the only one of its namespace."""

import json

import pytest

from mrunners.errors import RefusedError
from mrunners.hints import describe
from mrunners.refs import RunRef
from mrunners.run.lookup import get_run, get_run_or_none, get_tracker, resolve_tracker
from tests.fakes import FakeCluster
from tests.unit.env import deploy, finish, planned


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
    assert refused(cluster) == (
        "namespace load has 2 trackers: daily, nightly\nname one with --tracker"
    )


def test_a_tracker_that_does_not_exist_says_how_to_list_all() -> None:
    cluster = FakeCluster()
    deploy(cluster, planned())
    assert refused(cluster, "nightly") == (
        "tracker load/nightly does not exist\n"
        "list the runs of its namespace with: mrunners list load"
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
        "configmap/x in namespace load is not a tracker of mrunners\nchoose another name with "
        "--tracker"
    )
    with pytest.raises(
        RefusedError, match=r"^configmap/x in namespace load is not a tracker of mrunners$"
    ):
        get_tracker(cluster, RunRef("load", "x"))


REF = RunRef("load", "mrunners")


def rewrite_tracker(cluster: FakeCluster, **edits: object) -> None:
    """Delete the tracker without its Jobs, and write another one with an edited plan."""
    old = cluster.raw("ConfigMap", "mrunners")
    plan = json.loads(old["data"]["plan.json"]) | edits
    new = {**old, "data": {**old["data"], "plan.json": json.dumps(plan)}}
    uid = cluster.put(new)["metadata"]["uid"]
    for name in cluster.names("Job"):
        cluster.raw("Job", name)["metadata"]["ownerReferences"][0]["uid"] = uid


def edit_plan(cluster: FakeCluster, change: str) -> None:
    jobs = json.loads(cluster.raw("ConfigMap", "mrunners")["data"]["plan.json"])["jobs"]
    match change:
        case "fewer pods":
            jobs[0]["pod_count"] = 1
        case "more pods":
            jobs[1]["pod_count"] = 7
        case "fewer Jobs":
            del jobs[1]
        case "another URI":
            jobs[0]["uri"] = "file:///other.yaml?numbers=2"
        case "another profile":
            jobs[1]["profile_digest"] = "0" * 64
    rewrite_tracker(cluster, jobs=jobs)


@pytest.mark.parametrize(
    ("change", "contradiction"),
    [
        ("fewer Jobs", "job.batch/mrunners-1 is not in the plan"),
        ("fewer pods", "job.batch/mrunners-0 has 2 pods, and the plan 1"),
        ("more pods", "job.batch/mrunners-1 has 1 pod, and the plan 7"),
        (
            "another URI",
            "job.batch/mrunners-0 was made from file:///load/0.yaml?numbers=2, and the plan has "
            "file:///other.yaml?numbers=2",
        ),
        ("another profile", "job.batch/mrunners-1 has another load profile than the plan"),
    ],
)
def test_a_tracker_is_believed_only_as_far_as_its_jobs_agree(
    change: str, contradiction: str
) -> None:
    cluster = FakeCluster()
    deploy(cluster, planned())
    edit_plan(cluster, change)
    with pytest.raises(RefusedError) as caught:
        get_run(cluster, REF)
    assert describe(caught.value) == (
        "the Jobs of tracker load/mrunners are not those of its plan, so its report would be "
        f"wrong: {contradiction}\n"
        "delete it anyway with: mrunners delete load --tracker mrunners --force"
    )


def test_jobs_that_their_tracker_does_not_own_are_not_taken_for_its_own() -> None:
    cluster = FakeCluster()
    deploy(cluster, planned())
    for name in cluster.names("Job"):
        cluster.raw("Job", name)["metadata"]["ownerReferences"] = []
    with pytest.raises(
        RefusedError,
        match=r"wrong: job.batch/mrunners-0 is not owned by this tracker, job.batch/mrunners-1 is "
        r"not owned by",
    ):
        get_run(cluster, REF)


def test_jobs_of_a_former_tracker_of_the_same_run_key_are_about_to_be_deleted() -> None:
    cluster = FakeCluster()
    deploy(cluster, planned())
    cluster.raw("Job", "mrunners-0")["metadata"]["ownerReferences"][0]["uid"] = "a former one's"
    assert get_run(cluster, REF).state.gone == planned().plan.jobs[:1]


@pytest.mark.parametrize("label", [None, "another"])
def test_a_job_whose_run_id_label_was_edited_still_belongs_to_its_tracker(
    label: str | None,
) -> None:
    cluster = FakeCluster()
    deployed = deploy(cluster, planned())
    finish(cluster, deployed.plan)
    meta = cluster.raw("Job", "mrunners-1")["metadata"]
    meta["labels"] = {**meta["labels"], "mrunners.dev/run-id": label}
    if label is None:
        del meta["labels"]["mrunners.dev/run-id"]
    assert get_run(cluster, REF).state.complete


@pytest.mark.parametrize(
    ("annotations", "seconds", "gone"),
    [
        ({}, 3600, 0),
        ({"mrunners.dev/jobs-created-at": "2026-01-02T03:04:05Z"}, 0, 2),
        ({"mrunners.dev/job-ttl-seconds": "5"}, 60, 0),
        ({"mrunners.dev/job-ttl-seconds": "5"}, 61, 2),
        ({"mrunners.dev/job-ttl-seconds": "100"}, 100, 0),
        ({"mrunners.dev/job-ttl-seconds": "x"}, 3600, 0),
    ],
)
def test_the_annotations_of_a_tracker_tell_jobs_that_are_gone_from_those_never_created(
    annotations: dict[str, str], seconds: float, gone: int
) -> None:
    cluster = FakeCluster()
    deploy(cluster, planned(), jobs=0)
    cluster.raw("ConfigMap", "mrunners")["metadata"]["annotations"] = annotations
    cluster.clock.sleep(seconds)
    assert len(get_run(cluster, REF).state.gone) == gone
