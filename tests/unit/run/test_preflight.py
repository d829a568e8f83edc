"""What an existing tracker means for a new run: every cell of the table in docs/runs.md."""

from dataclasses import replace
from pathlib import Path

import pytest

from mrunners.errors import InvalidInputError, RefusedError
from mrunners.hints import describe
from mrunners.plan.metadata import ANNOTATION_COLLECTED_AT
from mrunners.plan.planning import PlannedRun
from mrunners.profiles.loading import parse_runners
from mrunners.profiles.overrides import ProfileOverrides
from mrunners.run.create import create_tracker
from mrunners.run.lookup import ExistingRun
from mrunners.run.preflight import RunAction, load_profiles, preflight, resolve_existing_run
from tests.fakes import FakeCluster, RecordingObserver
from tests.unit.env import deploy, find, finish, options, planned, write_profile
from tests.unit.plan.test_tracker import large, run_of
from tests.unit.profiles.one_document import parse_profile

OURS = planned(key="ours")
THEIRS = planned(key="theirs")


def cluster_with_run(state: str) -> tuple[FakeCluster, ExistingRun]:
    """Return a cluster with the run THEIRS in one of the table's states, and that run."""
    cluster = FakeCluster()
    deploy(cluster, THEIRS)
    if state == "running":
        cluster.start_pod("mrunners-0", 0)
    else:
        finish(cluster, THEIRS.plan)
    if state == "collected":
        annotation = {ANNOTATION_COLLECTED_AT: "2026-01-02T03:04:05Z"}
        assert cluster.annotate_config_map("load", "mrunners", "uid-1", annotation)
    return cluster, find(cluster, THEIRS.plan)


def resolve(cluster: FakeCluster, if_exists: str, new: PlannedRun | None = OURS) -> RunAction:
    wanted = options(if_exists=if_exists)
    return resolve_existing_run(cluster, wanted, new, cluster.clock.sleep)


def refused(cluster: FakeCluster, if_exists: str, new: PlannedRun | None = OURS) -> str:
    with pytest.raises(RefusedError) as caught:
        resolve(cluster, if_exists, new)
    assert (caught.value.namespace, caught.value.tracker) == ("load", "mrunners")
    assert caught.value.run == OURS.plan.ref
    return describe(caught.value)


@pytest.mark.parametrize("if_exists", ["refuse", "replace"])
def test_a_running_run_refuses_another_one(if_exists: str) -> None:
    cluster, _ = cluster_with_run("running")
    cluster.clock.sleep(252)
    assert refused(cluster, if_exists) == (
        "tracker load/mrunners (running, created 4m12s ago, 0 of 3 pods ended) already exists\n"
        "wait for it with: mrunners wait load --tracker mrunners\n"
        "resume it with: mrunners run --namespace load --tracker mrunners --resume\n"
        "delete it anyway with: mrunners delete load --tracker mrunners --force\n"
        "choose another name with --tracker"
    )


def test_a_finished_run_that_was_not_collected_refuses_another_one() -> None:
    cluster, _ = cluster_with_run("finished")
    assert refused(cluster, "refuse") == (
        "tracker load/mrunners (finished, created 0s ago, its report was not collected) already "
        "exists\n"
        "get its report with: mrunners result load --tracker mrunners\n"
        "replace it by adding --replace\n"
        "choose another name with --tracker"
    )


@pytest.mark.parametrize(
    ("state", "if_exists"),
    [("finished", "replace"), ("collected", "refuse"), ("collected", "replace")],
)
def test_a_finished_run_is_replaced_when_it_was_collected_or_the_options_say_so(
    state: str, if_exists: str
) -> None:
    cluster, existing = cluster_with_run(state)
    assert resolve(cluster, if_exists) == RunAction(OURS, replaces=existing)


def test_a_run_that_can_never_start_is_replaced_like_a_finished_one() -> None:
    cluster = FakeCluster()
    deploy(cluster, THEIRS)
    assert refused(cluster, "replace").startswith("tracker load/mrunners (starting, created 0s ago")
    cluster.clock.sleep(301)
    assert refused(cluster, "refuse") == (
        "tracker load/mrunners (ended with unfinished Jobs, created 5m16s ago, its report was not "
        "collected) already exists\n"
        "get its report with: mrunners result load --tracker mrunners\n"
        "replace it by adding --replace\n"
        "choose another name with --tracker"
    )
    existing = find(cluster, THEIRS.plan)
    assert resolve(cluster, "replace") == RunAction(OURS, replaces=existing)


@pytest.mark.parametrize("request_name", ["list_jobs", "list_pods"])
def test_a_run_that_one_list_lacks_is_not_replaced(request_name: str) -> None:
    cluster, _ = cluster_with_run("running")
    cluster.start_pod("mrunners-0", 1)
    cluster.start_pod("mrunners-1", 0)
    cluster.clock.sleep(301)
    cluster.answer_gone(request_name)
    assert "already exists\nwait for it with: " in refused(cluster, "replace")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_whose_creation_was_interrupted_is_not_replaced_because_of_one_list(
    jobs: int,
) -> None:
    cluster = FakeCluster()
    deploy(cluster, THEIRS, jobs=jobs)
    cluster.raw("ConfigMap", "mrunners")["metadata"].pop("annotations", None)
    cluster.start_pod("mrunners-0", 0)
    cluster.clock.sleep(61)
    cluster.answer_gone("list_jobs")
    assert "already exists\nwait for it with: " in refused(cluster, "replace")


def test_a_run_whose_jobs_two_lists_lack_is_replaced() -> None:
    cluster, _ = cluster_with_run("running")
    for job in THEIRS.plan.jobs:
        cluster.remove("Job", job.name)
    existing = find(cluster, THEIRS.plan)
    assert resolve(cluster, "replace") == RunAction(OURS, replaces=existing)
    assert cluster.clock.slept == [3.0]


TOO_FEW_NODES = (
    "the run has 3 pods, spread require allows one per node, and only 2 nodes can take one: unless "
    "nodes are added, the other pods start when the first have ended, or not in time"
)


@pytest.mark.parametrize(
    ("spread", "nodes", "warnings"),
    [
        ("require", 2, (TOO_FEW_NODES,)),
        ("require", 3, ()),
        ("require", None, ()),
        ("prefer", 2, ()),
    ],
)
def test_more_pods_than_nodes_are_known_before_the_start(
    spread: str, nodes: int | None, warnings: tuple[str, ...]
) -> None:
    cluster = FakeCluster()
    cluster.nodes = nodes
    new = planned(spread=spread)
    assert resolve(cluster, "refuse", new) == RunAction(replace(new, warnings=warnings))


@pytest.mark.parametrize("state", ["running", "finished", "collected"])
def test_resuming_adopts_the_existing_run_whatever_its_state(state: str) -> None:
    cluster, existing = cluster_with_run(state)
    expected = RunAction(PlannedRun(THEIRS.plan, THEIRS.profiles), resumes=existing)
    assert resolve(cluster, "resume") == expected
    assert resolve(cluster, "resume", None) == expected


@pytest.mark.parametrize("if_exists", ["refuse", "replace"])
def test_without_an_existing_run_a_new_one_is_started(if_exists: str) -> None:
    assert resolve(FakeCluster(), if_exists) == RunAction(OURS)


def test_resuming_runners_without_an_existing_run_starts_them_with_a_warning() -> None:
    with_warning = replace(OURS, warnings=("there is no run to resume; starting a new one",))
    assert resolve(FakeCluster(), "resume") == RunAction(with_warning)


@pytest.mark.parametrize("if_exists", ["refuse", "replace"])
@pytest.mark.parametrize("state", ["running", "finished", "collected"])
def test_the_very_same_run_is_resumed(state: str, if_exists: str) -> None:
    cluster, existing = cluster_with_run(state)
    expected = RunAction(PlannedRun(THEIRS.plan, THEIRS.profiles), resumes=existing)
    assert resolve(cluster, if_exists, THEIRS) == expected


def test_resuming_needs_a_run() -> None:
    assert refused(FakeCluster(), "resume", None) == (
        "tracker load/mrunners does not exist\n"
        "list the runs of its namespace with: mrunners list load"
    )


def test_resuming_with_other_options_shows_the_differences() -> None:
    cluster, _ = cluster_with_run("running")
    other = planned(2, 1, key="ours", spread="off", service_account="loader")
    assert refused(cluster, "resume", other) == (
        "the run of tracker load/mrunners was started with different options:\n"
        "  service_account: default in the existing run, loader requested\n"
        "  spread: prefer in the existing run, off requested\n"
        "resume it with: mrunners run --namespace load --tracker mrunners --resume"
    )


def test_resuming_reads_the_profiles_that_did_not_fit_into_the_tracker() -> None:
    cluster, run = FakeCluster(), run_of(*(large(mark) for mark in "abcdef"))
    create_tracker(cluster, run.plan, run.profiles, RecordingObserver())
    assert resolve(cluster, "resume", None).planned.profiles == run.profiles


def test_profiles_that_were_never_written_are_named_with_what_to_do() -> None:
    cluster, run = FakeCluster(), run_of(*(large(mark) for mark in "abcdef"))
    create_tracker(cluster, run.plan, run.profiles, RecordingObserver())
    unwritten = cluster.raw("ConfigMap", "mrunners-profiles-1")["data"]
    cluster.remove("ConfigMap", "mrunners-profiles-1")
    lost = ", ".join(
        job.uri for job in run.plan.jobs if f"profile-{job.profile_digest[:16]}.yaml" in unwritten
    )
    assert refused(cluster, "resume", None) == (
        f"tracker load/mrunners lacks the load profiles of {lost}: its creator was stopped before "
        "it wrote them\n"
        "resume it with --resume and the options that it was started with"
    )


def test_a_run_is_planned_from_its_runner_uris(tmp_path: Path) -> None:
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
    assert action.planned.plan.pod_count == 3


def test_all_errors_of_all_uris_are_reported_before_the_tracker_is_read() -> None:
    cluster = FakeCluster()
    requested = options(runners=("file:///none/load.yaml?numbers=0", "configmap:///ns/x?numbers=1"))
    with pytest.raises(InvalidInputError) as caught:
        preflight(cluster, requested, run_key="key")
    assert [line.partition(": ")[2] for line in caught.value.problems] == [
        "numbers must be at least 1",
        "cannot load /none/load.yaml: the file does not exist",
        "ConfigMap ns/x does not exist",
    ]
    assert cluster.calls == ["get_config_map"]


def test_resuming_needs_only_the_namespace() -> None:
    cluster, existing = cluster_with_run("running")
    requested = options(runners=(), runner_image="", if_exists="resume")
    assert preflight(cluster, requested, run_key="key").resumes == existing


def test_a_run_stores_the_overridden_profile_and_says_so_in_its_plan(tmp_path: Path) -> None:
    uri = write_profile(tmp_path)
    asked = options(runners=[uri], total="7", rate="0")
    planned_run = preflight(FakeCluster(), asked, run_key="key").planned
    (job,) = planned_run.plan.jobs
    written = parse_profile(planned_run.profiles[job.profile_digest]).profile
    assert [(spec.total, spec.rate) for spec in written.specs] == [(7, 0)]
    assert planned_run.plan.overrides == ProfileOverrides(total=7, rate=0)
    again = load_profiles(FakeCluster(), asked, parse_runners(asked.runners))
    assert [runner.digest for runner in again] == [job.profile_digest]
