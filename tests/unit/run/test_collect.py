"""Every planned pod has an outcome: its report, or the reason why its report is missing."""

from pathlib import Path

import pytest

from mrunners.errors import ApiStatusError, ForbiddenError, UnauthorizedError, UnreachableError
from mrunners.kube.given_up import GivenUp, format_given_up
from mrunners.plan.planning import PlannedRun
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.run.report_store import ReportStore
from mrunners.run.result import collect_outcomes, require_final
from mrunners.run.snapshot import read_snapshot
from tests.fakes import START, FakeCluster, Raw
from tests.unit.env import REPORT, deploy, find, finish, log_of, planned

RUN = planned(1)
JOB, POD = "mrunners-0", "mrunners-0-0-abcde"
LATE = 301


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
    run = find(cluster, planned_run.plan)
    return list(collect_outcomes(cluster, run, read_snapshot(cluster, run), store))


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
    (path,) = tmp_path.rglob("*.gz")
    path.write_bytes(b"")
    assert collect(cluster, store) == [REPORTED]
    assert cluster.calls.count("read_log") == 2


def test_a_job_that_does_not_exist_was_not_created(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.remove("Job", JOB)
    assert collect(cluster, store) == [
        outcome(missing=MissingReason.NOT_CREATED, detail="the Job does not exist")
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
    detail = "its pod was deleted before the report was fetched"
    assert collect(cluster, store) == [outcome(missing=MissingReason.POD_GONE, detail=detail)]


def test_the_report_of_a_pod_whose_job_finished_without_it_is_lost(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.raw("Job", JOB)["status"]["conditions"] = [
        {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "too long"}
    ]
    assert collect(cluster, store) == [
        outcome(missing=MissingReason.POD_GONE, detail="DeadlineExceeded: too long")
    ]


def test_a_pod_that_was_deleted_is_not_said_to_have_ended(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.start_pod(JOB, 0)
    assert cluster.delete_pod("load", POD, cluster.raw("Pod", POD)["metadata"]["uid"])
    detail = "its pod was deleted, perhaps while it ran"
    assert collect(cluster, store) == [outcome(missing=MissingReason.POD_GONE, detail=detail)]


def test_the_report_of_a_runner_that_ended_beside_a_sidecar_is_read(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.end_runner(JOB, 0, log=log_of(RUN.plan, JOB, 0))
    assert collect(cluster, store) == [REPORTED]


def test_a_pod_on_a_lost_node_is_disrupted_with_its_node_and_not_late(
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
    )
    require_final([only])


@pytest.mark.parametrize("stored", [False, True])
def test_the_report_of_a_pod_that_started_too_late_is_set_aside(
    cluster: FakeCluster, store: ReportStore, stored: bool
) -> None:
    cluster.clock.sleep(400)
    cluster.end_pod(JOB, 0, log=log_of(RUN.plan, JOB, 0))
    at = cluster.now()
    if stored:  # by a release that merged it
        uid = cluster.raw("Job", JOB)["metadata"]["uid"]
        times = {"started_at": at, "finished_at": at}
        store.put(uid, 0, REPORT, pod=POD, node="node-0", exit_code=0, **times)
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
    assert collect(cluster, store) == [missing(MissingReason.POD_GONE, "the pod was deleted")]


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


def test_a_container_that_never_ran_is_a_final_failure(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.end_pod(JOB, 0, exit_code=1, log=b"")
    cluster.finish_job(JOB)
    cluster.logs[POD] = ApiStatusError("container is not available", status=400)
    (only,) = collect(cluster, store)
    assert only.missing is MissingReason.FAILED
    assert only.detail.endswith("container is not available")
    require_final([only])


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
    cluster.raw("Pod", POD)["status"]["conditions"] = [
        {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "EvictionByEvictionAPI",
            "message": "drained",
        }
    ]
    assert collect(cluster, store) == [
        missing(MissingReason.DISRUPTED, "EvictionByEvictionAPI: drained", exit_code=143)
    ]


@pytest.mark.parametrize(
    ("log", "detail"),
    [
        (b"", "exit 137 (Error); the pod's log is empty"),
        (b"text\n", "exit 137 (Error); no report frame in 2 lines of log"),
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
    assert not store.has(cluster.raw("Job", JOB)["metadata"]["uid"], 0)


def test_a_report_of_a_failed_pod_is_merged_with_its_exit_code(
    cluster: FakeCluster, store: ReportStore
) -> None:
    cluster.end_pod(JOB, 0, exit_code=1, log=log_of(RUN.plan, JOB, 0))
    assert collect(cluster, store) == [ended(1, report=parse_report(REPORT))]


def test_a_stored_report_that_this_release_rejects_is_the_only_one_missing(
    cluster: FakeCluster, store: ReportStore
) -> None:
    finish(cluster, RUN.plan)
    uid = cluster.raw("Job", JOB)["metadata"]["uid"]
    store.put(uid, 0, b"{}", pod=POD, node=None, started_at=None, finished_at=None, exit_code=0)
    (only,) = collect(cluster, store)
    assert (only.report, only.missing) == (None, MissingReason.INVALID_REPORT)
