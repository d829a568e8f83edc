"""Outcomes become one report; the run is marked once no other attempt can add to it."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from mrunners.errors import (
    ForbiddenError,
    IncompleteError,
    NextStep,
    StillRunningError,
    UnreachableError,
)
from mrunners.hints import describe
from mrunners.plan.metadata import ANNOTATION_COLLECTED_AT, ANNOTATION_JOBS_CREATED_AT
from mrunners.plan.planning import PlannedRun, plan_run
from mrunners.refs import RunRef
from mrunners.reports.outcomes import MissingReason
from mrunners.run.annotate import mark_collected
from mrunners.run.finality import (
    require_all_finished,
    require_final,
    require_finished,
    require_portable,
)
from mrunners.run.kept_report import report_of_kept_run
from mrunners.run.report_store import ReportStore
from mrunners.run.result import (
    CollectedRun,
    collect_outcomes,
    collect_run,
    merge_outcomes,
)
from mrunners.run.snapshot import RunSnapshot, read_final_snapshot, read_snapshot
from mrunners.run.wait import wait_for_run
from tests.factories import flat, merged_pod, missing_pod, multi, traffic
from tests.fakes import START, FakeCluster, RecordingObserver
from tests.unit.env import (
    REPORT,
    address,
    deploy,
    find,
    finish,
    loaded,
    log_of,
    options,
    planned,
    uris,
)

RUN = planned()
POD = "mrunners-0-0-abcde"
FORBIDDEN = ForbiddenError(
    "configmaps is forbidden", verb="patch", resource="configmaps", namespace="load"
)


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster()
    deploy(cluster, RUN)
    return cluster


def snapshot_of(cluster: FakeCluster, planned_run: PlannedRun = RUN) -> RunSnapshot:
    return read_snapshot(cluster, find(cluster, planned_run.plan))


def collect_and_mark(
    cluster: FakeCluster, folder: Path, observer: RecordingObserver | None = None
) -> bool:
    run = find(cluster, RUN.plan)
    snapshot = read_snapshot(cluster, run)
    store, sleep = ReportStore(folder), cluster.clock.sleep
    outcomes = list(collect_outcomes(cluster, run, snapshot, store, sleep=sleep))
    return mark_collected(
        cluster, run, outcomes, observer or RecordingObserver(), cluster.clock.sleep
    )


def test_a_run_that_has_not_finished_names_its_unfinished_jobs(cluster: FakeCluster) -> None:
    cluster.start_pod("mrunners-0", 0)
    cluster.end_pod("mrunners-0", 1)
    with pytest.raises(StillRunningError) as caught:
        require_finished(snapshot_of(cluster))
    assert caught.value.jobs == ("mrunners-0", "mrunners-1")
    assert caught.value.run == RunRef("load", "mrunners")
    assert describe(caught.value) == (
        "the run of tracker load/mrunners has not finished; Jobs left: 2 of 2:\n"
        "  mrunners-0: 1 of 2 pods ended (running)\n"
        "  mrunners-1: 0 of 1 pods ended (starting)\n"
        "wait for it with: mrunners wait load --tracker mrunners\n"
        "report on what has finished so far with: mrunners result load --tracker mrunners --partial"
    )


def test_of_many_unfinished_jobs_ten_are_named() -> None:
    cluster, run = FakeCluster(), planned(*[1] * 12)
    deploy(cluster, run)
    with pytest.raises(StillRunningError) as caught:
        require_finished(snapshot_of(cluster, run))
    assert str(caught.value).endswith("\n  mrunners-9: 0 of 1 pods ended (starting)\n  and 2 more")
    assert len(caught.value.jobs) == 12


def test_a_run_of_which_nothing_can_finish_any_more_counts_as_finished(
    cluster: FakeCluster,
) -> None:
    cluster.clock.sleep(301)
    require_finished(snapshot_of(cluster))


def test_pods_that_started_during_an_outage_are_not_given_up_at_the_first_look_after_it(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    finish(cluster, RUN.plan)
    cluster.raw("Job", "mrunners-1")["status"].pop("conditions")
    pod = cluster.hold_pod("mrunners-1", 0)
    cluster.clock.sleep(360)

    def kubelet_reports() -> None:
        cluster.start_pod("mrunners-1", 0)
        (status,) = cluster.raw("Pod", pod)["status"]["containerStatuses"]
        status["state"]["running"]["startedAt"] = START.isoformat()

    cluster.clock.then(kubelet_reports)
    run, store = find(cluster, RUN.plan), ReportStore(tmp_path)
    with pytest.raises(StillRunningError, match=r"mrunners-1: 0 of 1 pods ended \(running\)"):
        collect_run(cluster, run, store, RecordingObserver(), sleep=cluster.clock.sleep)
    assert not find(cluster, RUN.plan).collected


def test_pods_that_two_looks_show_as_late_did_not_start(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    cluster.clock.sleep(360)
    run, store, observer = find(cluster, RUN.plan), ReportStore(tmp_path), RecordingObserver()
    collected = collect_run(cluster, run, store, observer, sleep=cluster.clock.sleep)
    reasons = [pod.reason for pod in collected.report.coverage.missing]
    assert (reasons, collected.collected) == ([MissingReason.NOT_STARTED] * 3, True)
    assert cluster.clock.slept == [360, 15]


def test_a_pod_that_becomes_late_between_two_looks_may_still_start(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    finish(cluster, RUN.plan)
    cluster.raw("Job", "mrunners-1")["status"].pop("conditions")
    cluster.hold_pod("mrunners-1", 0)
    cluster.remove("Pod", POD)  # which makes for a second look
    cluster.clock.sleep(299)
    run, store = find(cluster, RUN.plan), ReportStore(tmp_path)
    with pytest.raises(StillRunningError, match=r"mrunners-1: 0 of 1 pods ended \(starting\)"):
        collect_run(cluster, run, store, RecordingObserver(), sleep=cluster.clock.sleep)
    assert cluster.clock.slept == [299, 3]


def test_late_pods_are_not_looked_at_twice_while_others_run(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    cluster.start_pod("mrunners-0", 0)
    cluster.clock.sleep(360)
    run = find(cluster, RUN.plan)
    snapshot = read_final_snapshot(cluster, run, ReportStore(tmp_path), cluster.clock.sleep)
    assert (len(snapshot.doubtful_starts), cluster.clock.slept) == (2, [360])


def test_the_merged_report_names_its_run_and_the_requests_of_mrunners(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    finish(cluster, RUN.plan)
    run = find(cluster, RUN.plan)
    snapshot = read_snapshot(cluster, run)
    outcomes = list(collect_outcomes(cluster, run, snapshot, ReportStore(tmp_path)))
    report = merge_outcomes(run, outcomes, traffic=traffic(7))
    assert (report.namespace, report.tracker, report.run, report.requests_by_us) == (
        "load",
        "mrunners",
        RUN.plan.run_id,
        7,
    )
    assert (report.verdict, report.complete) == ("3 of 3 reports merged", True)


def test_the_merged_report_names_the_options_that_fitted_the_pods_to_the_cluster() -> None:
    run = deploy(FakeCluster(), planned(1, cpu_limit="2", label=["a=b"], toleration=["x", "y"]))
    report = merge_outcomes(run, [merged_pod(0, 0, flat())], traffic=traffic(1))
    assert "options of the pods: toleration x, toleration y, cpu-limit 2, label a=b" in report.notes


def test_what_the_profile_causes_goes_from_the_plan_in_the_tracker_into_the_report() -> None:
    request = "    requests: [{shares: 1, staleList: {version: v1, resource: pods}}]\n"
    text = (
        f"version: 1\nspecs:\n  - rate: 10\n    total: 100\n{request}"
        f"  - rate: 50\n    total: 100\n{request}"
    )
    requested = options(runners=uris(1))
    runner = loaded(requested.runners[0], text)
    cluster = FakeCluster()
    run = deploy(cluster, plan_run(requested, [runner], run_key="key"))
    first, second = (flat({"LIST a": [0.05] * 100}, duration="10s") for _ in range(2))
    whole = flat({"LIST a": [0.05] * 200}, duration="20s", received=2000)
    pod = merged_pod(0, 0, multi(first, second, aggregated=whole))
    report = merge_outcomes(run, [pod], traffic=traffic(1))
    assert report.notes == tuple(f"mrunners-0: {warning}" for warning in runner.warnings) != ()
    assert [finding.text for finding in report.findings] == [
        "kperf's own limiter set the pace, not the server: mrunners-0 specs[1] "
        "(10.0 of 50.0 requests/s)"
    ]


def test_the_report_says_what_the_run_overrode() -> None:
    run = deploy(FakeCluster(), planned(1, 1, total="100", rate="5"))
    pods = [merged_pod(index, 0, flat({"LIST a": [0.05] * 100})) for index in range(2)]
    assert merge_outcomes(run, pods, traffic=traffic(1)).notes == (
        "mrunners-0, mrunners-1: the run overrode its load profile with total 100, rate 5",
    )


def test_a_collected_run_is_marked_by_an_annotation_of_its_tracker(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    finish(cluster, RUN.plan)
    assert collect_and_mark(cluster, tmp_path)
    run = find(cluster, RUN.plan)
    assert run.collected
    stamp = "2026-01-02T03:04:05Z"
    assert run.tracker.annotations == {
        ANNOTATION_JOBS_CREATED_AT: stamp,
        ANNOTATION_COLLECTED_AT: stamp,
    }


def test_a_run_whose_missing_report_is_lost_for_good_is_marked_too(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    finish(cluster, RUN.plan)
    cluster.logs[POD] = log_of(RUN.plan, "mrunners-0", 0)[:-80]
    assert collect_and_mark(cluster, tmp_path)
    assert len(cluster.clock.slept) == 2


@pytest.mark.parametrize(
    "error",
    [
        UnreachableError("dial tcp"),
        ForbiddenError("no", verb="get", resource="pods/log", namespace="load"),
        b"",
        b"unable to retrieve container logs for containerd://abc",
    ],
    ids=["unreachable", "forbidden", "empty", "kubelet error"],
)
def test_a_run_is_not_marked_while_a_missing_report_can_still_be_fetched(
    cluster: FakeCluster, tmp_path: Path, error: Exception | bytes
) -> None:
    finish(cluster, RUN.plan)
    cluster.logs[POD] = error
    observer = RecordingObserver()
    assert not collect_and_mark(cluster, tmp_path, observer)
    assert not find(cluster, RUN.plan).collected
    (warning,) = observer.warnings
    assert warning.startswith("the run does not count as collected, because ")
    assert " may still be had: mrunners-0 index 0 (" in warning


def test_a_run_is_not_marked_while_a_pod_on_a_lost_node_exists(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    finish(cluster, RUN.plan)
    cluster.start_pod("mrunners-0", 0)
    cluster.lose_node(POD)
    cluster.raw("Job", "mrunners-0")["status"].pop("conditions")
    cluster.clock.sleep(60)
    observer = RecordingObserver()
    run, store = find(cluster, RUN.plan), ReportStore(tmp_path)
    collected = collect_run(cluster, run, store, observer, sleep=cluster.clock.sleep)
    lost = "DeletionByTaintManager; node node-0 does not answer"
    assert (collected.finished, collected.collected) == (True, False)
    assert [(pod.pod, pod.detail) for pod in collected.unread] == [(POD, lost)]
    assert collected.failures == (
        f"job.batch/mrunners-0: 1 of 2 pods lost: {lost}; check the node",
    )
    assert observer.warnings == [
        "the run does not count as collected, because 1 report may still be had: "
        "mrunners-0 index 0 (disrupted)"
    ]


def test_a_run_is_not_marked_while_pods_run(cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.start_pod("mrunners-0", 0)
    assert not collect_and_mark(cluster, tmp_path)


@pytest.mark.parametrize("removed", ["Job", "Pod"])
def test_a_run_is_not_marked_by_a_machine_that_never_saw_what_is_gone(
    cluster: FakeCluster, tmp_path: Path, removed: str
) -> None:
    finish(cluster, RUN.plan)
    run, here, elsewhere = find(cluster, RUN.plan), tmp_path / "here", tmp_path / "elsewhere"
    wait_for_run(cluster, run, ReportStore(here), RecordingObserver(), sleep=cluster.clock.sleep)
    for name in cluster.names(removed):
        cluster.remove(removed, name)
    cluster.collect_garbage()
    observer = RecordingObserver()
    assert not collect_and_mark(cluster, elsewhere, observer)
    assert not find(cluster, RUN.plan).collected
    assert observer.warnings == [
        "the run does not count as collected, because another machine that waited for it may have "
        f"3 reports of what is gone now: mrunners-0 index 0 ({removed.lower()}-gone); collect it "
        "there, or replace or delete the run if there is no such machine"
    ]
    assert collect_and_mark(cluster, here)
    # It stays collected, also when another machine reads what is left of it.
    assert collect_and_mark(cluster, elsewhere, observer)
    assert len(observer.warnings) == 1


@pytest.mark.parametrize("removed", ["Job", "Pod"])
def test_a_run_whose_pods_are_deleted_while_this_machine_waits_is_marked(
    cluster: FakeCluster, tmp_path: Path, removed: str
) -> None:
    for job in RUN.plan.jobs:
        for index in range(job.pod_count):
            cluster.start_pod(job.name, index)

    def delete() -> None:
        for pod in cluster.list_pods("load", ""):
            cluster.delete_pod("load", pod.name, pod.uid)
        for job in RUN.plan.jobs:
            cluster.finish_job(job.name)
            if removed == "Job":
                cluster.remove("Job", job.name)

    cluster.clock.then(delete)
    run, store = find(cluster, RUN.plan), ReportStore(tmp_path)
    wait_for_run(cluster, run, store, RecordingObserver(), sleep=cluster.clock.sleep)
    assert collect_and_mark(cluster, tmp_path)


def test_a_run_is_not_marked_while_its_jobs_can_still_be_created(tmp_path: Path) -> None:
    cluster = FakeCluster()
    deploy(cluster, RUN, jobs=0)
    assert not collect_and_mark(cluster, tmp_path)
    assert not find(cluster, RUN.plan).collected


def test_a_later_run_under_the_same_name_is_not_marked(cluster: FakeCluster) -> None:
    earlier = find(cluster, RUN.plan)
    cluster.remove("ConfigMap", "mrunners")
    cluster.collect_garbage()
    later = planned(key="later")
    deploy(cluster, later)
    observer = RecordingObserver()
    assert not mark_collected(cluster, earlier, [], observer, cluster.clock.sleep)
    assert observer.warnings == [
        "tracker load/mrunners could not be annotated, so it does not count as collected, and a "
        "later run will not replace it: it was deleted or replaced"
    ]
    assert not find(cluster, later.plan).collected


@pytest.mark.parametrize(
    "error",
    [FORBIDDEN, UnreachableError("dial tcp: i/o timeout")],
    ids=["forbidden", "unreachable"],
)
def test_a_run_that_cannot_be_marked_causes_only_a_warning(
    cluster: FakeCluster, tmp_path: Path, error: Exception
) -> None:
    finish(cluster, RUN.plan)
    cluster.fail("annotate_config_map", error)
    observer = RecordingObserver()
    assert not collect_and_mark(cluster, tmp_path, observer)
    assert observer == RecordingObserver(
        warnings=[
            "tracker load/mrunners could not be annotated, so it does not count as collected, and "
            f"a later run will not replace it: {error}"
        ]
    )
    assert not find(cluster, RUN.plan).collected


@pytest.mark.parametrize(("refusals", "marked"), [(1, True), (2, False)])
def test_one_not_found_from_a_proxy_does_not_keep_a_run_from_being_marked(
    cluster: FakeCluster, tmp_path: Path, refusals: int, marked: bool
) -> None:
    finish(cluster, RUN.plan)
    real, left = cluster.annotate_config_map, [False] * refusals

    def annotate(namespace: str, name: str, uid: str, annotations: Mapping[str, str]) -> bool:
        return left.pop() if left else real(namespace, name, uid, annotations)

    cluster.annotate_config_map = annotate  # type: ignore[method-assign]
    observer = RecordingObserver()
    assert collect_and_mark(cluster, tmp_path, observer) is marked
    assert observer.warnings == (
        []
        if marked
        else [
            "tracker load/mrunners could not be annotated, so it does not count as collected, and "
            "a later run will not replace it: the API server refuses it"
        ]
    )


def test_one_not_found_about_the_tracker_too_does_not_keep_a_run_from_being_marked(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    finish(cluster, RUN.plan)
    real, left = cluster.annotate_config_map, [False]

    def annotate(namespace: str, name: str, uid: str, annotations: Mapping[str, str]) -> bool:
        if left:
            cluster.answer_gone("get_config_map")
            return left.pop()
        return real(namespace, name, uid, annotations)

    cluster.annotate_config_map = annotate  # type: ignore[method-assign]
    assert collect_and_mark(cluster, tmp_path)
    assert cluster.clock.slept == [3.0]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (MissingReason.EMPTY_LOG, IncompleteError),
        (MissingReason.KUBELET_ERROR, IncompleteError),
        (MissingReason.LOG_UNAVAILABLE, UnreachableError),
        (MissingReason.LOG_FORBIDDEN, IncompleteError),
        (MissingReason.STILL_RUNNING, IncompleteError),
    ],
)
def test_an_outcome_that_another_attempt_may_change_is_not_final(
    reason: MissingReason, kind: type[Exception]
) -> None:
    final = missing_pod(0, 0, MissingReason.TRUNCATED)
    require_final([final])
    with pytest.raises(
        kind, match=r"^1 of 2 reports could not be fetched yet: mrunners-0 index 1: "
    ):
        require_final([final, missing_pod(0, 1, reason)])


def test_jobs_that_cannot_finish_are_named_where_all_must_have_finished() -> None:
    cluster, run = FakeCluster(), planned(*[1] * 7)
    deploy(cluster, run)
    with pytest.raises(IncompleteError) as caught:
        require_all_finished(snapshot_of(cluster, run))
    assert str(caught.value) == (
        "Jobs cannot finish: mrunners-0, mrunners-1, mrunners-2, mrunners-3, mrunners-4 and 2 more"
    )


def test_a_run_whose_jobs_have_all_finished_passes(cluster: FakeCluster) -> None:
    finish(cluster, RUN.plan)
    require_all_finished(snapshot_of(cluster))


def test_a_report_that_is_missing_for_good_is_missing_on_every_machine() -> None:
    require_portable([missing_pod(0, 0, MissingReason.TRUNCATED)])


@pytest.mark.parametrize("reason", [MissingReason.POD_GONE, MissingReason.JOB_GONE])
def test_the_report_of_a_deleted_pod_may_be_stored_on_another_machine(
    reason: MissingReason,
) -> None:
    deleted = missing_pod(0, 1, reason)
    with pytest.raises(IncompleteError, match=r"^1 pod was deleted before this machine read"):
        require_portable([missing_pod(0, 0, MissingReason.TRUNCATED), deleted])


def test_a_late_report_stays_set_aside_when_its_job_is_gone(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    finish(cluster, RUN.plan)
    run, store, observer = find(cluster, RUN.plan), ReportStore(tmp_path), RecordingObserver()
    late = START + timedelta(seconds=400)
    store.put(
        address(run, "mrunners-1", 0),
        REPORT,
        pod="mrunners-1-0-abcde",
        node="node-0",
        started_at=late,
        finished_at=late,
        exit_code=0,
    )

    def collected() -> CollectedRun:
        run = find(cluster, RUN.plan)
        return collect_run(cluster, run, store, observer, sleep=cluster.clock.sleep)

    before = collected().report.coverage
    assert [pod.reason for pod in before.missing] == [MissingReason.STARTED_LATE]
    cluster.remove("Job", "mrunners-1")
    assert collected().report.coverage == before
    assert report_of_kept_run(RUN.plan.run_id, store).report.coverage == before


def test_of_a_run_that_was_never_collected_nothing_is_said_but_what_this_machine_has(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    cluster.end_pod("mrunners-0", 1, log=log_of(RUN.plan, "mrunners-0", 1))
    run, store = find(cluster, RUN.plan), ReportStore(tmp_path)
    snapshot = read_snapshot(cluster, run)
    assert len(list(collect_outcomes(cluster, run, snapshot, store))) == 3
    kept = report_of_kept_run(RUN.plan.run_id, store)
    assert [(pod.reason, pod.detail) for pod in kept.report.coverage.missing] == [
        (MissingReason.NOT_KEPT, "https://cluster:6443 was not asked")
    ] * 2
    assert (kept.failures, kept.next_steps) == ((), (NextStep.RESULT,))
