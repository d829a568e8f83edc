"""Every planned pod has an outcome: its report, or the reason why its report is missing."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mrunners.errors import (
    ApiStatusError,
    ForbiddenError,
    IncompleteError,
    UnauthorizedError,
    UnreachableError,
)
from mrunners.kube.given_up import GivenUp, format_given_up
from mrunners.kube.objects import Placement
from mrunners.plan.metadata import run_selector
from mrunners.plan.planning import PlannedRun
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.run.finality import require_final
from mrunners.run.report_store import ReportStore
from mrunners.run.result import collect_outcomes
from mrunners.run.snapshot import read_final_snapshot
from tests.factories import body_of, flat, printed
from tests.fakes import START, FakeCluster, Raw
from tests.unit.env import REPORT, address, deploy, find, finish, log_of, planned

RUN = planned(1)
JOB, POD = "mrunners-0", "mrunners-0-0-abcde"
LATE = 301
URL = "GET https://10.0.0.1:6443/version"


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster()
    deploy(cluster, RUN)
    return cluster


@pytest.fixture
def store(tmp_path: Path) -> ReportStore:
    return ReportStore(tmp_path)


def collect(
    cluster: FakeCluster, store: ReportStore, planned_run: PlannedRun = RUN
) -> list[PodOutcome]:
    run, sleep = find(cluster, planned_run.plan), cluster.clock.sleep
    snapshot = read_final_snapshot(cluster, run, store, sleep)
    return list(collect_outcomes(cluster, run, snapshot, store, sleep=sleep))


def test_the_log_says_when_the_load_began(cluster: FakeCluster, store: ReportStore) -> None:
    log = b"\nmrunners-load v1 pod=%s started=1767323045.250000" % POD.encode()
    finish(cluster, RUN.plan, {(JOB, 0): log + log_of(RUN.plan, JOB, 0)})
    began = datetime(2026, 1, 2, 3, 4, 5, 250_000, tzinfo=UTC)
    assert [pod.started_at for pod in collect(cluster, store)] == [began]
    assert [pod.started_at for pod in collect(cluster, store)] == [began]  # from the store


@pytest.mark.parametrize(("ends_after", "began"), [(40, True), (20, False)])
def test_a_pod_without_a_report_began_with_the_others_or_never(
    cluster: FakeCluster, store: ReportStore, ends_after: int, began: bool
) -> None:
    together = planned(1, key="together", tracker="together", start_delay="30s")
    run = deploy(cluster, together)
    job = together.plan.jobs[0].name
    cluster.start_pod(job, 0)
    cluster.clock.seconds += ends_after
    cluster.end_pod(job, 0, exit_code=1, log=b"")
    cluster.finish_job(job)
    (failed,) = collect(cluster, store, together)
    assert failed.missing is MissingReason.FAILED
    assert failed.started_at == (run.start_at if began else None)


def drain(cluster: FakeCluster, reason: str = "EvictionByEvictionAPI") -> None:
    cluster.raw("Pod", POD)["status"]["conditions"] = [
        {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": reason,
            "message": "drained",
        }
    ]


def outcome(**fields: object) -> PodOutcome:
    defaults: Raw = {"job": JOB, "job_index": 0, "uri": RUN.plan.jobs[0].uri, "index": 0}
    return PodOutcome(**(defaults | fields))


def ended(exit_code: int = 0, **fields: object) -> PodOutcome:
    defaults: Raw = {
        "pod": POD,
        "node": "node-0",
        "started_at": START,
        "finished_at": START,
        "exit_code": exit_code,
    }
    return outcome(**(defaults | fields))


def gone(detail: str, **fields: object) -> PodOutcome:
    defaults: Raw = {"missing": MissingReason.POD_GONE, "detail": detail, "unseen": True}
    return outcome(**(defaults | fields))


def wait_for(cluster: FakeCluster, store: ReportStore) -> None:
    """See the run's pods as a wait does."""
    store.seen_pods(find(cluster, RUN.plan).stored).add(JOB, cluster.list_pods("load", ""))


def missing(reason: MissingReason, detail: str = "", exit_code: int = 0) -> PodOutcome:
    return ended(exit_code, missing=reason, detail=detail)


REPORTED = ended(report=parse_report(REPORT))


def test_a_pods_report_comes_from_its_log(cluster: FakeCluster, store: ReportStore) -> None:
    finish(cluster, RUN.plan)
    assert collect(cluster, store) == [REPORTED]


def test_outcomes_are_in_plan_order_and_by_index(store: ReportStore) -> None:
    cluster, run = FakeCluster(), planned(2, 3)
    deploy(cluster, run)
    finish(cluster, run.plan)
    outcomes = collect(cluster, store, run)
    assert [(pod.job_index, pod.index) for pod in outcomes] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
        (1, 2),
    ]
    assert all(pod.report is not None for pod in outcomes)


def test_a_plain_report_is_read_as_kperf_prints_it(store: ReportStore) -> None:
    cluster, run = FakeCluster(), planned(1, report="plain")
    deploy(cluster, run)
    finish(cluster, run.plan, {(JOB, 0): REPORT})
    assert collect(cluster, store, run) == [REPORTED]


def test_a_log_is_never_read_twice(cluster: FakeCluster, store: ReportStore) -> None:
    finish(cluster, RUN.plan)
    collect(cluster, store)
    assert collect(cluster, store) == [REPORTED]
    assert cluster.calls.count("read_log") == 1


def test_a_framed_report_is_stored_as_its_pod_packed_it(
    cluster: FakeCluster, store: ReportStore, tmp_path: Path
) -> None:
    cluster.end_pod(JOB, 0, log=log_of(RUN.plan, JOB, 0))
    collect(cluster, store)
    (path,) = tmp_path.rglob("*.report.json.gz")
    assert path.read_bytes() == base64.b64decode(body_of(REPORT))


def test_a_stored_report_is_used_even_when_its_pod_was_deleted(
    cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan)
    collect(cluster, store)
    cluster.remove("Pod", POD)
    assert collect(cluster, store) == [REPORTED]


def test_a_damaged_entry_of_the_store_is_fetched_again(
    cluster: FakeCluster, store: ReportStore, tmp_path: Path
) -> None:
    finish(cluster, RUN.plan)
    collect(cluster, store)
    (path,) = tmp_path.rglob("*.report.json.gz")
    path.write_bytes(b"")
    assert collect(cluster, store) == [REPORTED]
    assert cluster.calls.count("read_log") == 2


def test_a_job_that_nothing_created_was_not_created(store: ReportStore) -> None:
    cluster = FakeCluster()
    deploy(cluster, RUN, jobs=0)
    assert collect(cluster, store) == [
        outcome(missing=MissingReason.NOT_CREATED, detail="the Job was never created")
    ]


JOB_GONE = outcome(
    missing=MissingReason.JOB_GONE,
    unseen=True,
    detail="its Job was deleted, by a TTL or by someone, before the report was fetched",
)


def test_a_job_that_was_created_and_does_not_exist_is_gone(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.remove("Job", JOB)
    assert collect(cluster, store) == [JOB_GONE]
    require_final([JOB_GONE])


def test_the_stored_reports_of_a_job_that_is_gone_are_merged(store: ReportStore) -> None:
    cluster, run = FakeCluster(), planned(2)
    deploy(cluster, run)
    cluster.end_pod(JOB, 0, log=log_of(run.plan, JOB, 0))
    cluster.start_pod(JOB, 1)
    collect(cluster, store, run)
    cluster.remove("Job", JOB)
    cluster.collect_garbage()
    uri = run.plan.jobs[0].uri
    assert collect(cluster, store, run) == [
        replace(REPORTED, uri=uri),
        replace(JOB_GONE, uri=uri, index=1),
    ]


def test_the_log_of_a_pod_that_outlives_its_job_is_read(
    cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan)
    cluster.remove("Job", JOB)  # with --cascade=orphan
    assert collect(cluster, store) == [REPORTED]


def test_the_report_of_a_job_that_was_created_again_is_the_one_that_was_stored_first(
    cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan)
    collect(cluster, store)
    again = cluster.raw("Job", JOB)
    cluster.remove("Pod", POD)
    again["metadata"]["uid"] = "another"
    cluster.end_pod(JOB, 0, log=log_of(RUN.plan, JOB, 0, raw=printed(flat({URL: [0.5]}))))
    assert collect(cluster, store) == [REPORTED]


def test_the_reports_of_the_next_run_with_the_same_run_key_are_its_own(
    cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan)
    collect(cluster, store)
    cluster.remove("ConfigMap", "mrunners")
    cluster.collect_garbage()
    deploy(cluster, RUN)
    assert collect(cluster, store) == [
        outcome(missing=MissingReason.STILL_RUNNING, detail="it has no pod yet")
    ]


def test_a_pod_that_runs_is_still_running(cluster: FakeCluster, store: ReportStore) -> None:
    cluster.start_pod(JOB, 0)
    assert collect(cluster, store) == [
        outcome(pod=POD, node="node-0", started_at=START, missing=MissingReason.STILL_RUNNING)
    ]


def test_a_pod_that_does_not_exist_yet_counts_as_still_running(
    cluster: FakeCluster, store: ReportStore
) -> None:
    assert collect(cluster, store) == [
        outcome(missing=MissingReason.STILL_RUNNING, detail="it has no pod yet")
    ]


def test_a_pod_that_is_overdue_did_not_start(cluster: FakeCluster, store: ReportStore) -> None:
    cluster.hold_pod(JOB, 0, waiting="ErrImagePull", message="kperf:9")
    cluster.clock.sleep(LATE)
    assert collect(cluster, store) == [
        outcome(
            pod=POD,
            node="node-0",
            missing=MissingReason.NOT_STARTED,
            detail="ErrImagePull: kperf:9",
        )
    ]


def test_a_pod_that_was_never_created_did_not_start(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.clock.sleep(LATE)
    assert collect(cluster, store) == [
        outcome(missing=MissingReason.NOT_STARTED, detail="no reason known")
    ]


def test_the_report_of_a_pod_that_was_deleted_after_it_ended_is_lost(
    cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan)
    cluster.remove("Pod", POD)
    detail = "its pod ended, and was deleted before the report was fetched"
    assert collect(cluster, store) == [gone(detail)]


def test_a_pod_that_is_gone_is_named_with_its_node_as_long_as_the_scheduler_tells(
    cluster: FakeCluster, store: ReportStore
) -> None:
    created = cluster.now()
    before = created - timedelta(seconds=1)
    finish(cluster, RUN.plan)
    cluster.remove("Pod", POD)
    cluster.placements = [
        Placement(POD, "node-7", created + timedelta(seconds=1)),
        Placement("mrunners-0-0-zzzzz", "the first of two", created),
        Placement("mrunners-0-0-zzzzz", "an earlier Job of this name", before),
        Placement("mrunners-0-01-abcde", "another Job", created + timedelta(seconds=2)),
        Placement(POD, None, created + timedelta(seconds=3)),
    ]
    detail = "its pod ended, and was deleted before the report was fetched"
    assert collect(cluster, store) == [gone(detail, pod=POD, node="node-7")]


def test_a_pod_that_a_wait_has_seen_is_named_without_asking_the_scheduler(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.start_pod(JOB, 0)
    wait_for(cluster, store)
    finish(cluster, RUN.plan)
    cluster.remove("Pod", POD)
    detail = "its pod ended, and was deleted before the report was fetched"
    seen: Raw = {"pod": POD, "node": "node-0", "started_at": START}
    assert collect(cluster, store) == [gone(detail, unseen=False, **seen)]
    assert "list_placements" not in cluster.calls
    cluster.remove("Job", JOB)
    assert collect(cluster, store) == [replace(JOB_GONE, unseen=False, **seen)]


def test_a_pod_of_an_earlier_job_of_that_name_is_not_taken_for_this_one(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.start_pod(JOB, 0)
    (pod,) = cluster.list_pods("load", "")
    store.seen_pods(find(cluster, RUN.plan).stored).add(JOB, [replace(pod, job_uid="earlier")])
    finish(cluster, RUN.plan)
    cluster.remove("Pod", POD)
    detail = "its pod ended, and was deleted before the report was fetched"
    assert collect(cluster, store) == [gone(detail)]


def test_the_stored_outcomes_cost_no_request(cluster: FakeCluster, store: ReportStore) -> None:
    finish(cluster, RUN.plan)
    run = find(cluster, RUN.plan)
    snapshot = read_final_snapshot(cluster, run, store, cluster.clock.sleep)
    cluster.calls.clear()
    detail = "its pod ended, and was deleted before the report was fetched"
    assert list(collect_outcomes(cluster, run, snapshot, store, stored=True)) == [gone(detail)]
    assert cluster.calls == []


def test_placements_are_read_only_when_a_pod_is_gone(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.start_pod(JOB, 0)
    collect(cluster, store)
    finish(cluster, RUN.plan)
    collect(cluster, store)
    assert "list_placements" not in cluster.calls


def test_a_pod_that_was_deleted_while_it_ran_is_not_said_to_have_ended(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.start_pod(JOB, 0)
    cluster.remove("Pod", POD)
    cluster.raw("Job", JOB)["status"]["failedIndexes"] = "0"
    cluster.finish_job(JOB)
    detail = "its pod failed or was deleted while it ran, and does not exist any more"
    assert collect(cluster, store) == [gone(detail)]


def test_one_list_without_a_pod_or_a_job_does_not_make_them_gone(
    cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan)
    for method in ("list_pods", "list_jobs"):
        real = getattr(cluster, method)
        bad = iter([True])

        def once(*args: str, real: Any = real, bad: Any = bad) -> Any:
            return [] if next(bad, False) else real(*args)

        cluster.clock.slept.clear()
        run = find(cluster, RUN.plan)
        setattr(cluster, method, once)
        snapshot = read_final_snapshot(cluster, run, store, cluster.clock.sleep)
        assert (snapshot.state.complete, [pod.name for pod in snapshot.pods]) == (True, [POD])
        assert len(cluster.clock.slept) == 1


LOG = log_of(RUN.plan, JOB, 0)
BAD_READS = {
    "cut in half": LOG[: len(LOG) // 2],
    "the head is missing": LOG[len(LOG) // 2 :],
    "empty": b"",
    "a kubelet's error": b"unable to retrieve container logs for containerd://abc",
    "a login page": b"<html>sign in</html>\n",
    "garbled": LOG.replace(b"\nH4s", b"\nXXXX"),
    "another checksum": LOG.replace(b"sha256=", b"sha256=0", 1),
    "two frames": LOG + LOG,
    "another pod's": log_of(planned(1, key="another").plan, JOB, 0),
}


@pytest.mark.parametrize("bad", BAD_READS.values(), ids=BAD_READS.keys())
@pytest.mark.parametrize("times", [1, 2])
def test_a_log_that_was_read_badly_once_or_twice_is_read_again(
    bad: bytes, times: int, cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan, {(JOB, 0): bad})
    cluster.clock.then(*[lambda: None] * (times - 1), lambda: cluster.logs.update({POD: LOG}))
    assert collect(cluster, store) == [REPORTED]
    assert len(cluster.clock.slept) == times
    assert cluster.calls.count("read_log") == times + 1


def test_a_log_of_a_pod_that_exists_and_is_once_not_found_is_read_again(
    cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan)
    del cluster.logs[POD]
    cluster.clock.then(lambda: cluster.logs.update({POD: LOG}))
    assert collect(cluster, store) == [REPORTED]


def test_a_log_that_stays_bad_is_read_three_times(cluster: FakeCluster, store: ReportStore) -> None:
    finish(cluster, RUN.plan, {(JOB, 0): BAD_READS["cut in half"]})
    (only,) = collect(cluster, store)
    assert only.missing is MissingReason.TRUNCATED
    assert cluster.calls.count("read_log") == 3
    require_final([only])


def test_all_doubtful_logs_are_read_again_together(store: ReportStore) -> None:
    cluster, run = FakeCluster(), planned(2, 2, 2)
    deploy(cluster, run)
    finish(cluster, run.plan)
    good = dict(cluster.logs)
    for pod in good:
        cluster.logs[pod] = b""
    cluster.clock.then(lambda: None, lambda: cluster.logs.update(good))
    outcomes = collect(cluster, store, run)
    assert [pod.report is not None for pod in outcomes] == [True] * 6
    assert len(cluster.clock.slept) == 2


def test_a_report_of_another_reason_is_not_waited_for(
    cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan, {(JOB, 0): log_of(RUN.plan, JOB, 0, raw=b"{}")})
    (only,) = collect(cluster, store)
    assert (only.missing, cluster.clock.slept) == (MissingReason.INVALID_REPORT, [])


@pytest.mark.parametrize("bad", ["empty", "a kubelet's error"])
def test_an_empty_log_and_a_kubelets_error_are_never_final(
    bad: str, cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan, {(JOB, 0): BAD_READS[bad]})
    (only,) = collect(cluster, store)
    with pytest.raises(IncompleteError, match="could not be fetched yet"):
        require_final([only])


@pytest.mark.parametrize(
    ("reason", "missing"),
    [
        ("ContainerStatusUnknown", MissingReason.FAILED),
        ("Error", MissingReason.KUBELET_ERROR),
    ],
)
def test_a_container_that_its_node_has_lost_has_failed_and_another_may_still_have_a_log(
    reason: str, missing: MissingReason, cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.end_pod(JOB, 0, exit_code=137, log=BAD_READS["a kubelet's error"])
    (status,) = cluster.raw("Pod", POD)["status"]["containerStatuses"]
    status["state"]["terminated"]["reason"] = reason
    (only,) = collect(cluster, store)
    assert only.missing is missing


def test_the_report_of_a_pod_whose_job_finished_without_it_is_lost(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.raw("Job", JOB)["status"]["conditions"] = [
        {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "too long"}
    ]
    assert collect(cluster, store) == [gone("DeadlineExceeded: too long")]


def test_the_report_of_a_runner_that_ended_beside_a_sidecar_is_read(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.end_runner(JOB, 0, log=log_of(RUN.plan, JOB, 0))
    assert collect(cluster, store) == [REPORTED]


def test_a_pod_on_a_lost_node_is_disrupted_with_its_node_and_not_final_while_it_exists(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.start_pod(JOB, 0)
    cluster.lose_node(POD)
    cluster.clock.sleep(LATE)
    (only,) = collect(cluster, store)
    detail = "DeletionByTaintManager; node node-0 does not answer"
    assert only == outcome(
        pod=POD,
        node="node-0",
        started_at=START,
        missing=MissingReason.DISRUPTED,
        detail=detail,
        unread=True,
    )
    with pytest.raises(IncompleteError, match=f"mrunners-0 index 0: disrupted: {detail}$"):
        require_final([only])
    finish(cluster, RUN.plan)  # the node is back
    assert [pod.report for pod in collect(cluster, store)] == [parse_report(REPORT)]


@pytest.mark.parametrize("stored", [False, True])
def test_the_report_of_a_pod_that_started_too_late_is_set_aside(
    cluster: FakeCluster, store: ReportStore, stored: bool
) -> None:
    cluster.clock.sleep(400)
    cluster.end_pod(JOB, 0, log=log_of(RUN.plan, JOB, 0))
    at = cluster.now()
    if stored:  # by a release that merged it
        store.put(
            address(find(cluster, RUN.plan), JOB, 0),
            REPORT,
            pod=POD,
            node="node-0",
            started_at=at,
            finished_at=at,
            exit_code=0,
        )
    (only,) = collect(cluster, store)
    assert only == ended(
        started_at=at,
        finished_at=at,
        missing=MissingReason.STARTED_LATE,
        detail="it started 6m40s after its Job; the start timeout is 5m",
    )
    require_final([only])
    assert "read_log" not in cluster.calls


def test_a_pod_that_was_given_up_did_not_start_although_its_job_counts_it_as_failed(
    cluster: FakeCluster, store: ReportStore
) -> None:
    raw = cluster.raw("Job", JOB)
    note = format_given_up([GivenUp((0,), "ErrImagePull", "kperf:9")])
    raw["metadata"]["annotations"]["mrunners.dev/not-started"] = note
    raw["status"]["failedIndexes"] = "0"
    cluster.finish_job(JOB)
    (only,) = collect(cluster, store)
    assert only == outcome(missing=MissingReason.NOT_STARTED, detail="ErrImagePull: kperf:9")
    require_final([only])


def test_the_report_of_a_pod_that_is_deleted_while_its_log_is_read_is_lost(
    cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan)
    del cluster.logs[POD]
    lost = missing(MissingReason.POD_GONE, "the pod was deleted")
    assert collect(cluster, store) == [replace(lost, unseen=True)]
    wait_for(cluster, store)
    assert collect(cluster, store) == [lost]


def test_a_log_on_a_lost_node_is_unavailable(cluster: FakeCluster, store: ReportStore) -> None:
    finish(cluster, RUN.plan)
    cluster.logs[POD] = UnreachableError("dial tcp: i/o timeout")
    assert collect(cluster, store) == [
        missing(MissingReason.LOG_UNAVAILABLE, "dial tcp: i/o timeout")
    ]


def test_a_node_that_did_not_return_a_log_is_not_asked_for_another_one(store: ReportStore) -> None:
    cluster, run = FakeCluster(), planned(2, 2, 1)
    deploy(cluster, run)
    finish(cluster, run.plan)
    on_node_0 = ("mrunners-0-0-abcde", "mrunners-1-0-abcde", "mrunners-2-0-abcde")
    for pod in on_node_0:
        cluster.logs[pod] = UnreachableError("dial tcp: i/o timeout")
    outcomes = collect(cluster, store, run)
    assert [(o.pod, o.detail) for o in outcomes if o.missing is MissingReason.LOG_UNAVAILABLE] == [
        (on_node_0[0], "dial tcp: i/o timeout"),
        (on_node_0[1], "node node-0 did not return another pod's log"),
        (on_node_0[2], "node node-0 did not return another pod's log"),
    ]
    assert sum(outcome.report is not None for outcome in outcomes) == 2
    assert cluster.calls.count("read_log") == 3


NO_LOG = ApiStatusError("container is not available", status=400)


def test_a_container_that_never_ran_is_a_final_failure(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.hold_pod(JOB, 0)
    status = cluster.raw("Pod", POD)["status"]
    status |= {"phase": "Failed", "reason": "OutOfcpu", "containerStatuses": []}
    cluster.finish_job(JOB)
    cluster.logs[POD] = NO_LOG
    (only,) = collect(cluster, store)
    detail = "no log (OutOfcpu): container is not available"
    assert only == outcome(pod=POD, node="node-0", missing=MissingReason.FAILED, detail=detail)
    require_final([only])


@pytest.mark.parametrize("reason", ["StartError", "ContainerStatusUnknown"])
def test_a_container_that_its_node_cannot_know_is_a_final_failure(
    reason: str, cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.end_pod(JOB, 0, exit_code=128)
    (status,) = cluster.raw("Pod", POD)["status"]["containerStatuses"]
    status["state"]["terminated"]["reason"] = reason
    cluster.logs[POD] = NO_LOG
    (only,) = collect(cluster, store)
    assert only.missing is MissingReason.FAILED
    require_final([only])


@pytest.mark.parametrize("exit_code", [0, 1])
def test_one_400_does_not_end_the_search_for_the_log_of_a_container_that_ran(
    exit_code: int, cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.end_pod(JOB, 0, exit_code=exit_code)
    cluster.logs[POD] = NO_LOG
    (only,) = collect(cluster, store)
    assert only.missing is MissingReason.LOG_UNAVAILABLE
    with pytest.raises(UnreachableError, match="container is not available"):
        require_final([only])
    cluster.logs[POD] = LOG
    assert [pod.report for pod in collect(cluster, store)] == [parse_report(REPORT)]


def test_an_answer_about_one_log_says_nothing_about_the_others_of_its_node(
    store: ReportStore,
) -> None:
    cluster, run = FakeCluster(), planned(1, 1)
    deploy(cluster, run)
    finish(cluster, run.plan)
    cluster.logs[POD] = NO_LOG
    outcomes = collect(cluster, store, run)
    assert [pod.missing for pod in outcomes] == [MissingReason.LOG_UNAVAILABLE, None]


def test_rejected_credentials_end_the_collection_and_are_not_blamed_on_the_pod(
    cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan)
    cluster.logs[POD] = UnauthorizedError("the token has expired")
    with pytest.raises(UnauthorizedError):
        collect(cluster, store)


def test_a_log_that_may_not_be_read_is_forbidden(cluster: FakeCluster, store: ReportStore) -> None:
    finish(cluster, RUN.plan)
    cluster.logs[POD] = ForbiddenError(
        "forbidden: get pods/log", verb="get", resource="pods/log", namespace="load"
    )
    assert collect(cluster, store) == [
        missing(MissingReason.LOG_FORBIDDEN, "forbidden: get pods/log")
    ]


def test_a_disruption_explains_a_missing_report_better_than_the_log(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.end_pod(JOB, 0, exit_code=143, log=b"half a line")
    drain(cluster)
    assert collect(cluster, store) == [
        missing(MissingReason.DISRUPTED, "EvictionByEvictionAPI: drained", exit_code=143)
    ]


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (UnreachableError("answered 500"), MissingReason.LOG_UNAVAILABLE),
        (
            ForbiddenError("no", verb="get", resource="pods/log", namespace="load"),
            MissingReason.LOG_FORBIDDEN,
        ),
        (b"unable to retrieve container logs for containerd://a", MissingReason.KUBELET_ERROR),
        (b"", MissingReason.EMPTY_LOG),
    ],
    ids=["unavailable", "forbidden", "kubelet error", "empty"],
)
def test_a_disruption_does_not_hide_that_a_log_can_still_be_read(
    log: bytes | Exception, reason: MissingReason, cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan)
    drain(cluster)
    cluster.logs[POD] = log
    (only,) = collect(cluster, store)
    assert only.missing is reason
    assert only.detail.endswith("; EvictionByEvictionAPI: drained")
    with pytest.raises((IncompleteError, UnreachableError), match="could not be fetched yet"):
        require_final([only])
    cluster.logs[POD] = LOG
    assert collect(cluster, store) == [REPORTED]


@pytest.mark.parametrize(
    ("disruption", "end"),
    [("EvictionByEvictionAPI", "ContainerStatusUnknown"), ("TerminationByKubelet", "Error")],
)
def test_a_disruption_explains_a_log_that_its_node_has_lost_for_good(
    disruption: str, end: str, cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.end_pod(JOB, 0, exit_code=137, log=BAD_READS["a kubelet's error"])
    drain(cluster, disruption)
    (status,) = cluster.raw("Pod", POD)["status"]["containerStatuses"]
    status["state"]["terminated"]["reason"] = end
    only = missing(MissingReason.DISRUPTED, f"{disruption}: drained", exit_code=137)
    assert collect(cluster, store) == [only]
    require_final([only])


@pytest.mark.parametrize(
    ("log", "detail"),
    [
        (b"", "exit 137; the pod's log is empty"),
        (b"text\n", "exit 137; no report frame in 2 lines of log: text"),
    ],
)
def test_the_exit_code_explains_a_log_without_any_line_of_the_runner(
    cluster: FakeCluster, store: ReportStore, log: bytes, detail: str
) -> None:
    cluster.end_pod(JOB, 0, exit_code=137, log=log)
    assert collect(cluster, store) == [missing(MissingReason.FAILED, detail, exit_code=137)]


def test_a_damaged_frame_explains_more_than_the_exit_code(
    cluster: FakeCluster, store: ReportStore
) -> None:
    truncated = log_of(RUN.plan, JOB, 0)[:-80]
    cluster.end_pod(JOB, 0, exit_code=1, log=truncated)
    (pod,) = collect(cluster, store)
    assert pod.missing is MissingReason.TRUNCATED


def test_an_empty_log_is_a_missing_report_and_not_an_empty_one(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.end_pod(JOB, 0, log=b"")
    assert collect(cluster, store) == [missing(MissingReason.EMPTY_LOG, "the pod's log is empty")]


def test_a_report_of_another_run_is_never_merged(cluster: FakeCluster, store: ReportStore) -> None:
    cluster.end_pod(JOB, 0, log=log_of(planned(1, key="another").plan, JOB, 0))
    assert collect(cluster, store) == [
        missing(MissingReason.FOREIGN_FRAME, "the begin line names another run")
    ]


def test_an_invalid_report_is_not_stored(cluster: FakeCluster, store: ReportStore) -> None:
    cluster.end_pod(JOB, 0, log=log_of(RUN.plan, JOB, 0, raw=b"{}"))
    (pod,) = collect(cluster, store)
    assert pod.missing is MissingReason.INVALID_REPORT
    assert not store.has(address(find(cluster, RUN.plan), JOB, 0))


def test_a_report_of_a_failed_pod_is_merged_with_its_exit_code(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.end_pod(JOB, 0, exit_code=1, log=log_of(RUN.plan, JOB, 0))
    assert collect(cluster, store) == [ended(1, report=parse_report(REPORT))]


def test_a_stored_report_that_this_release_rejects_is_the_only_one_missing(
    cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan)
    stored_at = address(find(cluster, RUN.plan), JOB, 0)
    store.put(stored_at, b"{}", pod=POD, node=None, started_at=None, finished_at=None, exit_code=0)
    (only,) = collect(cluster, store)
    assert (only.report, only.missing) == (None, MissingReason.INVALID_REPORT)


@pytest.mark.parametrize(
    ("started", "believed"),
    [
        ("1767323044.999999", False),  # before its container
        ("1767323045.900000", True),
        ("1767323047.000000", False),  # after its end
    ],
)
def test_a_start_that_cannot_be_is_not_believed(
    cluster: FakeCluster, store: ReportStore, started: str, believed: bool
) -> None:
    log = f"\nmrunners-load v1 pod={POD} started={started}".encode()
    finish(cluster, RUN.plan, {(JOB, 0): log + log_of(RUN.plan, JOB, 0)})
    (pod,) = collect(cluster, store)
    whole = cluster.list_pods("load", run_selector(RUN.plan.run_id))[0].started
    assert whole is not None
    assert whole.timestamp() == 1767323045
    assert (pod.started_at != whole) is believed
    assert pod.finished_at is not None
    assert pod.started_at is not None
    assert pod.finished_at >= pod.started_at
