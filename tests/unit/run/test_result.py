from pathlib import Path

import pytest

from mrunners.errors import ForbiddenError, IncompleteError, StillRunningError, UnreachableError
from mrunners.plan.metadata import ANNOTATION_COLLECTED_AT
from mrunners.reports.outcomes import MissingReason
from mrunners.run.report_store import ReportStore
from mrunners.run.result import (
    collect_run,
    mark_collected,
    merge_outcomes,
    read_full_snapshot,
    require_ended,
    require_final,
    require_finished,
)
from tests.factories import missing_pod
from tests.fakes import FakeCluster
from tests.unit.env import deploy, find, finish, planned

RUN = planned()
POD = "mrunners-0-0-abcde"


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster()
    deploy(cluster, RUN)
    return cluster


def marked(cluster: FakeCluster, folder: Path) -> bool:
    found = find(cluster, RUN.plan)
    outcomes = collect_run(cluster, found, read_full_snapshot(cluster, found), ReportStore(folder))
    return mark_collected(cluster, found, outcomes)


def test_a_run_that_goes_on_names_its_unfinished_jobs(cluster: FakeCluster) -> None:
    cluster.start_pod("mrunners-0", 0)
    cluster.end_pod("mrunners-0", 1)
    found = find(cluster, RUN.plan)
    with pytest.raises(StillRunningError) as caught:
        require_finished(found, read_full_snapshot(cluster, found))
    assert caught.value.jobs == ("mrunners-0", "mrunners-1")
    assert str(caught.value) == (
        "2 of 2 Jobs have not finished:\n"
        "  mrunners-0: 1 of 2 pods ended (running)\n"
        "  mrunners-1: 0 of 1 pods ended (starting)\n"
        "wait for them with: mrunners wait load --tracker mrunners; or take what is there with "
        "--partial"
    )


def test_of_many_unfinished_jobs_ten_are_named() -> None:
    cluster, run = FakeCluster(), planned(*[1] * 12)
    found = deploy(cluster, run)
    with pytest.raises(StillRunningError) as caught:
        require_finished(found, read_full_snapshot(cluster, found))
    assert "\n  and 2 more\n" in str(caught.value)
    assert len(caught.value.jobs) == 12


def test_a_run_of_which_nothing_can_finish_any_more_has_ended(cluster: FakeCluster) -> None:
    cluster.clock.sleep(301)
    found = find(cluster, RUN.plan)
    require_finished(found, read_full_snapshot(cluster, found))


def test_the_merged_report_is_of_this_run(cluster: FakeCluster, tmp_path: Path) -> None:
    finish(cluster, RUN.plan)
    found = find(cluster, RUN.plan)
    outcomes = collect_run(
        cluster, found, read_full_snapshot(cluster, found), ReportStore(tmp_path)
    )
    report = merge_outcomes(found, outcomes, requests=7)
    assert (report.namespace, report.tracker, report.run, report.requests_by_us) == (
        "load",
        "mrunners",
        RUN.plan.run_id,
        7,
    )
    assert (report.verdict, report.complete) == ("3 of 3 reports merged", True)


def test_a_report_that_was_fully_written_is_noted_on_the_tracker(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    finish(cluster, RUN.plan)
    assert marked(cluster, tmp_path)
    found = find(cluster, RUN.plan)
    assert found.collected
    assert found.tracker.annotations == {ANNOTATION_COLLECTED_AT: "2026-01-02T03:04:05Z"}


def test_a_report_with_a_final_gap_is_noted_too(cluster: FakeCluster, tmp_path: Path) -> None:
    finish(cluster, RUN.plan)
    cluster.logs[POD] = b""
    assert marked(cluster, tmp_path)


@pytest.mark.parametrize(
    "error",
    [
        UnreachableError("dial tcp"),
        ForbiddenError("no", verb="get", resource="pods/log", namespace="load"),
    ],
    ids=["unreachable", "forbidden"],
)
def test_nothing_is_noted_while_a_report_could_still_be_had(
    cluster: FakeCluster, tmp_path: Path, error: Exception
) -> None:
    finish(cluster, RUN.plan)
    cluster.logs[POD] = error
    assert not marked(cluster, tmp_path)
    assert not find(cluster, RUN.plan).collected


def test_nothing_is_noted_while_pods_run(cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.start_pod("mrunners-0", 0)
    assert not marked(cluster, tmp_path)


def test_nothing_is_noted_while_jobs_may_yet_be_created(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    for job in RUN.plan.jobs:
        cluster.remove("Job", job.name)
    assert not marked(cluster, tmp_path)
    assert not find(cluster, RUN.plan).collected


def test_nothing_is_noted_on_a_run_that_came_after(cluster: FakeCluster) -> None:
    found = find(cluster, RUN.plan)
    cluster.remove("ConfigMap", "mrunners")
    cluster.collect_garbage()
    deploy(cluster, planned(key="later"))
    assert not mark_collected(cluster, found, [])


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
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
    with pytest.raises(kind, match="1 of 2 reports could not be had yet: mrunners-0 index 1"):
        require_final([final, missing_pod(0, 1, reason)])


def test_a_run_that_cannot_finish_has_not_ended_and_its_jobs_are_named() -> None:
    cluster = FakeCluster()
    seven = planned(*[1] * 7)
    deploy(cluster, seven)
    with pytest.raises(IncompleteError) as caught:
        require_ended(read_full_snapshot(cluster, find(cluster, seven.plan)))
    assert str(caught.value) == (
        "Jobs that cannot finish: mrunners-0, mrunners-1, mrunners-2, mrunners-3, mrunners-4, …"
    )


def test_a_run_whose_jobs_have_all_finished_has_ended(cluster: FakeCluster) -> None:
    finish(cluster, RUN.plan)
    require_ended(read_full_snapshot(cluster, find(cluster, RUN.plan)))
