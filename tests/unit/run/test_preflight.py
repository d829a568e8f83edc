"""Every cell of the design's table of what an existing tracker means, and resuming."""

from dataclasses import replace
from pathlib import Path

import pytest

from mrunners.errors import InvalidInputError, RefusedError
from mrunners.plan.metadata import ANNOTATION_COLLECTED_AT
from mrunners.plan.planning import PlannedRun
from mrunners.run.create import create_tracker
from mrunners.run.lookup import ExistingRun
from mrunners.run.preflight import RunAction, preflight, resolve_existing_run
from tests.fakes import FakeCluster, RecordingObserver
from tests.unit.env import deploy, find, finish, options, planned, write_profile
from tests.unit.plan.test_tracker import large, run_of

OURS = planned(key="ours")
THEIRS = planned(key="theirs")


def there(state: str) -> tuple[FakeCluster, ExistingRun]:
    """A cluster with a run of the former key in one of the table's states."""
    cluster = FakeCluster()
    deploy(cluster, THEIRS)
    if state == "running":
        cluster.start_pod("mrunners-0", 0)
    else:
        finish(cluster, THEIRS.plan)
    if state == "collected":
        note = {ANNOTATION_COLLECTED_AT: "2026-01-02T03:04:05Z"}
        assert cluster.annotate_config_map("load", "mrunners", "uid-1", note)
    return cluster, find(cluster, THEIRS.plan)


def decided(cluster: FakeCluster, if_exists: str, wanted: PlannedRun | None = OURS) -> RunAction:
    return resolve_existing_run(cluster, options(if_exists=if_exists), wanted)


def refused(cluster: FakeCluster, if_exists: str, wanted: PlannedRun | None = OURS) -> str:
    with pytest.raises(RefusedError) as caught:
        decided(cluster, if_exists, wanted)
    assert (caught.value.namespace, caught.value.tracker) == ("load", "mrunners")
    return str(caught.value)


@pytest.mark.parametrize("if_exists", ["refuse", "replace"])
def test_a_running_run_is_in_the_way(if_exists: str) -> None:
    cluster, _ = there("running")
    cluster.clock.sleep(252)
    assert refused(cluster, if_exists) == (
        "another run is there: tracker mrunners in namespace load, 4m12s old, running, 0 of 3 pods "
        "ended; wait for it with: mrunners wait load --tracker mrunners; go on with it with "
        "--resume; remove it with: mrunners delete load --tracker mrunners --force; or use another "
        "--tracker"
    )


def test_a_finished_run_that_was_not_collected_is_in_the_way() -> None:
    cluster, _ = there("finished")
    assert refused(cluster, "refuse") == (
        "another run is there: tracker mrunners in namespace load, 0s old, finished, not "
        "collected; collect it with: mrunners result load --tracker mrunners; or start anew with "
        "--replace; or use another --tracker"
    )


@pytest.mark.parametrize(
    ("state", "if_exists"),
    [("finished", "replace"), ("collected", "refuse"), ("collected", "replace")],
)
def test_a_finished_run_is_replaced_when_it_was_collected_or_the_user_says_so(
    state: str, if_exists: str
) -> None:
    cluster, found = there(state)
    assert decided(cluster, if_exists) == RunAction(OURS, replaces=found)


@pytest.mark.parametrize("state", ["running", "finished", "collected"])
def test_resuming_adopts_the_run_that_is_there_whatever_its_state(state: str) -> None:
    cluster, found = there(state)
    expected = RunAction(PlannedRun(THEIRS.plan, THEIRS.profiles), resumes=found)
    assert decided(cluster, "resume") == expected
    assert decided(cluster, "resume", None) == expected


@pytest.mark.parametrize("if_exists", ["refuse", "replace"])
def test_nothing_in_the_way_means_a_new_run(if_exists: str) -> None:
    assert decided(FakeCluster(), if_exists) == RunAction(OURS)


def test_resuming_runners_where_nothing_is_starts_them_and_says_so() -> None:
    warned = replace(OURS, warnings=("there is no run to resume, so a new one is started",))
    assert decided(FakeCluster(), "resume") == RunAction(warned)


@pytest.mark.parametrize("if_exists", ["refuse", "replace"])
@pytest.mark.parametrize("state", ["running", "finished", "collected"])
def test_the_very_same_run_is_gone_on_with(state: str, if_exists: str) -> None:
    cluster, found = there(state)
    expected = RunAction(PlannedRun(THEIRS.plan, THEIRS.profiles), resumes=found)
    assert decided(cluster, if_exists, THEIRS) == expected


def test_resuming_needs_a_run() -> None:
    assert refused(FakeCluster(), "resume", None) == (
        "no tracker mrunners in namespace load; see the runs there are with: kubectl get "
        "configmaps --all-namespaces -l app.kubernetes.io/component=tracker"
    )


def test_resuming_with_other_options_shows_the_differences() -> None:
    cluster, _ = there("running")
    other = planned(2, 1, key="ours", spread="off", service_account="loader")
    assert refused(cluster, "resume", other) == (
        "tracker mrunners in namespace load holds another plan, so it cannot be resumed with these "
        "options:\n"
        "  service_account: the tracker's plan has default, asked for is loader\n"
        "  spread: the tracker's plan has prefer, asked for is off\n"
        "resume it as it is with: mrunners run --namespace load --tracker mrunners --resume"
    )


def test_profiles_in_config_maps_beside_the_tracker_are_found_again() -> None:
    cluster, run = FakeCluster(), run_of(*(large(mark) for mark in "abcdef"))
    create_tracker(cluster, run.plan, run.profiles, RecordingObserver())
    assert decided(cluster, "resume", None).planned.profiles == run.profiles


def test_profiles_that_were_never_written_are_told_with_what_to_do() -> None:
    cluster, run = FakeCluster(), run_of(*(large(mark) for mark in "abcdef"))
    create_tracker(cluster, run.plan, run.profiles, RecordingObserver())
    held = cluster.raw("ConfigMap", "mrunners-profiles-1")["data"]
    cluster.remove("ConfigMap", "mrunners-profiles-1")
    lost = ", ".join(
        job.uri for job in run.plan.jobs if f"profile-{job.profile_digest[:16]}.yaml" in held
    )
    assert refused(cluster, "resume", None) == (
        f"tracker mrunners in namespace load lacks the load profiles of {lost}: its creator was "
        "ended before it wrote them; give the same --runners and --runner-image with --resume"
    )


def test_a_run_is_prepared_from_its_uris(tmp_path: Path) -> None:
    cluster, uri = FakeCluster(), write_profile(tmp_path)
    action = preflight(cluster, options(runners=(uri,)), run_key="key")
    assert [(job.uri, job.pod_count) for job in action.planned.plan.jobs] == [(uri, 2)]
    assert cluster.names("ConfigMap") == []


def test_profiles_are_read_from_config_maps(tmp_path: Path) -> None:
    cluster = FakeCluster()
    text = Path(write_profile(tmp_path).removeprefix("file://").partition("?")[0]).read_text()
    cluster.put(
        {"kind": "ConfigMap", "metadata": {"name": "mixed", "namespace": "ns"}, "data": {"a": text}}
    )
    uri = "configmap:///ns/mixed?numbers=3"
    action = preflight(cluster, options(runners=(uri,)), run_key="key")
    assert action.planned.plan.pods == 3


def test_every_mistake_of_every_uri_is_told_before_the_tracker_is_looked_at() -> None:
    cluster = FakeCluster()
    asked = options(runners=("file:///none/load.yaml?numbers=0", "configmap:///ns/x?numbers=1"))
    with pytest.raises(InvalidInputError) as caught:
        preflight(cluster, asked, run_key="key")
    assert [line.partition(": ")[2] for line in caught.value.problems] == [
        "numbers must be at least 1",
        "cannot load /none/load.yaml: the file does not exist",
        "ConfigMap ns/x does not exist",
    ]
    assert cluster.asked == ["get_config_map"]


def test_resuming_needs_only_the_namespace() -> None:
    cluster, found = there("running")
    asked = options(runners=(), runner_image="", if_exists="resume")
    assert preflight(cluster, asked, run_key="key").resumes == found
