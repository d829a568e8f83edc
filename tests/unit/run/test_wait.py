"""A wait ends when nothing of the run can finish any more, and fetches reports meanwhile."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import pytest

from mrunners.errors import (
    ApiStatusError,
    ForbiddenError,
    IncompleteError,
    RefusedError,
    UnreachableError,
    WaitTimeoutError,
)
from mrunners.hints import describe
from mrunners.kube.given_up import GivenUp, format_given_up
from mrunners.kube.objects import Event, Job
from mrunners.kube.retry import FailureKind, RequestFailure, RetryPolicy
from mrunners.plan.metadata import ANNOTATION_GIVEN_UP
from mrunners.plan.planning import PlannedRun
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.run.lookup import ExistingRun
from mrunners.run.report_store import ReportStore
from mrunners.run.result import collect_outcomes
from mrunners.run.snapshot import RunSnapshot
from mrunners.run.wait import wait_for_run
from tests.fakes import START, FakeCluster, RecordingObserver
from tests.unit.env import address, deploy, find, log_of, planned

RUN = planned()
FIRST, SECOND = "mrunners-0", "mrunners-1"

# As an observer receives them.
FETCHED_0_0 = "mrunners-0 index 0, pod/mrunners-0-0-abcde on node-0"
FETCHED_0_1 = "mrunners-0 index 1, pod/mrunners-0-1-abcde on node-1"
FETCHED_1_0 = "mrunners-1 index 0, pod/mrunners-1-0-abcde on node-0"


class WaitedRun:
    """A deployed run, and what waiting for it needs."""

    def __init__(
        self, folder: Path, planned_run: PlannedRun = RUN, *, jobs: int | None = None
    ) -> None:
        self.cluster = FakeCluster()
        self.clock = self.cluster.clock
        self.planned = planned_run
        self.existing = deploy(self.cluster, planned_run, jobs=jobs)
        self.store = ReportStore(folder)
        self.observer = RecordingObserver()
        self.cluster.calls.clear()

    def wait(self, existing: ExistingRun | None = None, **limits: float) -> RunSnapshot:
        return wait_for_run(
            self.cluster,
            existing or self.existing,
            self.store,
            self.observer,
            monotonic=self.clock.monotonic,
            sleep=self.clock.sleep,
            **limits,
        )

    def failures(self, **limits: float) -> Sequence[str]:
        """Wait, and return what went wrong with the Jobs."""
        return self.wait(None, **limits).failures

    def start(self) -> None:
        for job in self.planned.plan.jobs:
            for index in range(job.pod_count):
                self.cluster.start_pod(job.name, index)

    def end(self, job: str, *indexes: int, finish: bool = False) -> None:
        for index in indexes:
            self.cluster.end_pod(job, index, log=log_of(self.planned.plan, job, index))
        if finish:
            self.cluster.finish_job(job)

    def end_all(self) -> None:
        self.end(FIRST, 0, 1, finish=True)
        self.end(SECOND, 0, finish=True)

    def changes(self) -> list[str]:
        """Return what the wait has changed in the cluster so far."""
        changing = {"annotate_job", "delete_pod", "suspend_job"}
        return [call for call in self.cluster.calls if call in changing]

    def stored(self) -> list[tuple[str, int]]:
        return [
            (job.name, index)
            for job in self.planned.plan.jobs
            for index in range(job.pod_count)
            if self.store.has(address(self.existing, job.name, index))
        ]


@pytest.fixture
def run(tmp_path: Path) -> WaitedRun:
    return WaitedRun(tmp_path)


def test_a_run_that_has_finished_is_not_waited_for(run: WaitedRun) -> None:
    run.end_all()
    assert run.failures() == ()
    assert (run.clock.slept, run.observer) == (
        [],
        RecordingObserver(fetched=[FETCHED_0_0, FETCHED_0_1, FETCHED_1_0], reports=[3]),
    )
    assert run.stored() == [(FIRST, 0), (FIRST, 1), (SECOND, 0)]


def test_a_wait_says_how_long_the_load_still_takes(run: WaitedRun) -> None:
    run.clock.then(run.start)
    run.clock.then(*[lambda: None] * 3)
    with pytest.raises(WaitTimeoutError):
        run.wait(timeout_seconds=8.0, interval_seconds=2.0)
    assert run.observer.progress_texts == [
        "0 of 3 pods ended, 3 starting, 0 reports, about 10s once all pods run",
        "0 of 3 pods ended, 3 running, 0 reports, about 10s left",
        "0 of 3 pods ended, 3 running, 0 reports, about 8s left",
        "0 of 3 pods ended, 3 running, 0 reports, about 6s left",
        "0 of 3 pods ended, 3 running, 0 reports, about 4s left",
    ]


def test_each_report_is_fetched_when_its_pod_ends(run: WaitedRun) -> None:
    stored = []
    run.start()
    run.clock.then(
        lambda: run.end(FIRST, 1),
        lambda: stored.append(run.stored()),
        lambda: run.end(SECOND, 0, finish=True),
        lambda: stored.append(run.stored()),
        run.end_all,
    )
    assert run.failures() == ()
    assert stored == [[(FIRST, 1)], [(FIRST, 1), (SECOND, 0)]]
    assert run.observer == RecordingObserver(
        fetched=[FETCHED_0_1, FETCHED_1_0, FETCHED_0_0], reports=[0, 1, 1, 2, 2, 3]
    )


def test_a_poll_is_one_list_while_nothing_changes_and_pods_are_listed_once_a_minute(
    run: WaitedRun,
) -> None:
    run.start()
    run.clock.then(*[lambda: None] * 17, run.end_all)
    run.wait(interval_seconds=10)
    unchanged = ["list_jobs"] * 6
    assert run.cluster.calls[:21] == [
        "list_jobs",
        "list_pods",
        *(*unchanged, "list_pods") * 2,
        *unchanged[1:],
    ]


def test_a_log_is_read_only_once(run: WaitedRun) -> None:
    run.start()
    run.clock.then(lambda: run.end(FIRST, 0), lambda: run.end(FIRST, 1, finish=True), run.end_all)
    run.wait()
    assert run.cluster.calls.count("read_log") == 3
    run.wait()
    assert run.cluster.calls.count("read_log") == 3


@pytest.mark.parametrize("content", [None, b""], ids=["refused by a full disk", "lost in a crash"])
def test_a_report_of_which_only_the_facts_are_stored_is_fetched(
    tmp_path: Path, content: bytes | None
) -> None:
    run = WaitedRun(tmp_path)
    run.end_all()
    run.wait()
    for path in tmp_path.rglob("*.gz"):
        path.unlink() if content is None else path.write_bytes(content)
    run.store = ReportStore(tmp_path)
    run.wait()
    assert run.cluster.calls.count("read_log") == 2 * 3
    assert run.stored() == [(FIRST, 0), (FIRST, 1), (SECOND, 0)]


def test_pods_are_listed_every_10_seconds_until_all_have_started_and_once_more_then(
    run: WaitedRun,
) -> None:
    run.clock.then(*[lambda: None] * 24, run.start, run.end_all)
    run.wait(interval_seconds=1)
    before_the_end = run.cluster.calls[: run.cluster.calls.index("read_log")]
    assert before_the_end.count("list_jobs") == 27
    assert before_the_end.count("list_pods") == 5


def test_failed_pods_are_reported_at_the_end(run: WaitedRun) -> None:
    run.end(FIRST, 0)
    run.cluster.end_pod(FIRST, 1, exit_code=1, log=b"kperf: no such file\n")
    run.cluster.finish_job(FIRST)
    run.end(SECOND, 0, finish=True)
    assert run.failures() == (
        "job.batch/mrunners-0: 1 of 2 pods failed (exit 1); see: kubectl logs --namespace load "
        "pod/mrunners-0-1-abcde",
    )
    assert run.observer == RecordingObserver(
        warnings=[
            "pod/mrunners-0-1-abcde on node-1: no report: failed: exit 1; no report frame in 2 "
            "lines of log: kperf: no such file"
        ],
        fetched=[FETCHED_0_0, FETCHED_1_0],
        reports=[2],
    )


def test_pods_that_never_start_end_the_wait_with_their_cause(tmp_path: Path) -> None:
    run = WaitedRun(tmp_path, planned(start_timeout="1m"))
    run.cluster.hold_pod(FIRST, 0, waiting="ErrImagePull", message="kperf:9")
    run.end(SECOND, 0, finish=True)
    run.cluster.start_pod(FIRST, 1)
    run.clock.then(*[lambda: None] * 5, lambda: run.end(FIRST, 1))
    cause = "ErrImagePull: kperf:9; check the runner image"
    assert run.failures() == (
        f"job.batch/mrunners-0: 1 of 2 pods on node-0 did not start in time: {cause}",
    )
    assert run.observer.warnings == [
        f"job.batch/mrunners-0: 1 of 2 pods on node-0 cannot start: {cause}",
        "job.batch/mrunners-0: 1 of 2 pods on node-0 did not start in time, for the same reason",
    ]
    assert 60 < run.clock.seconds < 80
    assert run.stored() == [(FIRST, 1), (SECOND, 0)]


def test_an_exhausted_quota_is_reported_from_the_event_of_the_job(tmp_path: Path) -> None:
    run = WaitedRun(tmp_path, planned(1, start_timeout="1m"))
    uid = run.cluster.raw("Job", FIRST)["metadata"]["uid"]
    run.cluster.events.append(Event(uid, FIRST, "FailedCreate", "exceeded quota: tiny"))
    assert run.failures() == (
        "job.batch/mrunners-0: 1 of 1 pods did not start in time: FailedCreate: exceeded quota: "
        "tiny; "
        "check the namespace's quotas, limits, Pod Security level and ServiceAccount",
    )


def test_a_suspended_run_is_waited_for(tmp_path: Path) -> None:
    run = WaitedRun(tmp_path, planned(1, start_timeout="1m"))
    run.cluster.raw("Job", FIRST)["spec"]["suspend"] = True
    run.clock.then(*[lambda: None] * 80, lambda: run.end(FIRST, 0, finish=True))
    assert run.failures() == ()
    assert run.clock.seconds > 300


def test_missing_jobs_end_the_wait_when_nothing_creates_them(tmp_path: Path) -> None:
    run = WaitedRun(tmp_path, jobs=1)
    run.end(FIRST, 0, 1, finish=True)
    snapshot = run.wait()
    failure = (
        "1 of 2 Jobs of tracker load/mrunners do not exist, and nothing is creating them: "
        "mrunners-1; resume the run to create them"
    )
    assert snapshot.failures == (failure,)
    with pytest.raises(IncompleteError) as caught:
        snapshot.require_complete()
    assert describe(caught.value) == (
        f"{failure}\nresume it with: mrunners run --namespace load --tracker mrunners --resume"
    )
    assert 60 < run.clock.seconds < 80


def test_jobs_that_are_still_being_created_are_waited_for(tmp_path: Path) -> None:
    run = WaitedRun(tmp_path, jobs=1)
    run.end(FIRST, 0, 1, finish=True)

    def create_and_end() -> None:
        deploy(run.cluster, RUN)
        run.end(SECOND, 0, finish=True)

    run.clock.then(lambda: None, lambda: None, create_and_end)
    assert run.failures() == ()


def test_a_job_that_a_ttl_removes_is_not_waited_for_and_loses_nothing_that_was_fetched(
    run: WaitedRun,
) -> None:
    run.start()
    run.clock.then(
        lambda: run.end(FIRST, 0, 1, finish=True),
        lambda: run.cluster.remove("Job", FIRST),
        lambda: run.end(SECOND, 0, finish=True),
    )
    assert run.failures() == ()
    assert run.stored() == [(FIRST, 0), (FIRST, 1), (SECOND, 0)]


@pytest.mark.parametrize(("ttl", "longest"), [(0, 1), (6, 3), (3600, 8)])
def test_jobs_that_a_ttl_removes_are_polled_often_enough_to_fetch_their_reports(
    run: WaitedRun, ttl: int, longest: float
) -> None:
    run.cluster.raw("Job", SECOND)["spec"]["ttlSecondsAfterFinished"] = ttl
    run.start()
    run.clock.then(*[lambda: None] * 50, run.end_all)
    run.wait()
    assert max(run.clock.slept) == longest


def test_a_job_that_was_deleted_before_its_pods_were_read_ends_the_wait_without_advice_to_resume(
    run: WaitedRun,
) -> None:
    run.start()
    run.end(FIRST, 0)
    run.clock.then(lambda: run.end(SECOND, 0, finish=True))

    def delete_first() -> None:
        run.cluster.remove("Job", FIRST)
        run.cluster.collect_garbage()

    run.clock.then(delete_first)
    snapshot = run.wait()
    assert snapshot.failures == (
        "1 of 2 Jobs of tracker load/mrunners were created and do not exist any more, because of a "
        "TTL or because someone deleted them: mrunners-0 (1 of 2 pods are known to have "
        "succeeded); they are not created again, because their load may have run",
    )
    assert snapshot.next_steps == ()


def test_one_list_without_a_job_does_not_end_the_wait(run: WaitedRun) -> None:
    run.start()
    hidden: list[str] = []
    real = run.cluster.list_jobs

    def list_jobs(namespace: str, selector: str) -> list[Job]:
        if run.clock.seconds > 0 and not hidden:
            hidden.append(namespace)
            return []
        return real(namespace, selector)

    run.cluster.list_jobs = list_jobs  # type: ignore[method-assign]
    run.clock.then(lambda: None, run.end_all)
    assert run.failures() == ()
    assert (hidden, run.stored()) == (["load"], [(FIRST, 0), (FIRST, 1), (SECOND, 0)])


def test_the_report_of_a_pod_that_outlives_its_job_is_fetched(run: WaitedRun) -> None:
    run.end(SECOND, 0, finish=True)
    run.end(FIRST, 0, 1)
    run.cluster.remove("Job", FIRST)  # with --cascade=orphan
    assert run.failures() == ()
    assert run.stored() == [(FIRST, 0), (FIRST, 1), (SECOND, 0)]


def test_a_log_that_was_read_badly_is_read_again_while_the_run_continues(run: WaitedRun) -> None:
    run.start()
    run.end(FIRST, 0)
    log = log_of(RUN.plan, FIRST, 0)
    run.cluster.logs["mrunners-0-0-abcde"] = log[: len(log) // 2]

    def restart_kubelet() -> None:
        run.cluster.logs["mrunners-0-0-abcde"] = log

    run.clock.then(restart_kubelet, *[lambda: None] * 15, lambda: run.end(FIRST, 1, finish=True))
    run.clock.then(lambda: run.end(SECOND, 0, finish=True))
    assert run.failures(interval_seconds=10) == ()
    assert run.stored() == [(FIRST, 0), (FIRST, 1), (SECOND, 0)]
    assert run.observer.warnings == [
        "pod/mrunners-0-0-abcde on node-0: no report: truncated: the log's tail is missing: a "
        "frame begins but does not end"
    ]


def test_a_log_without_a_report_is_read_three_times_in_all(run: WaitedRun) -> None:
    run.start()
    run.cluster.end_pod(FIRST, 0, exit_code=1, log=b"panic\n")
    run.clock.then(*[lambda: None] * 40, lambda: run.end(FIRST, 1, finish=True), run.end_all)
    run.wait(interval_seconds=10)
    assert run.cluster.calls.count("read_log") == 3 + 2


def test_a_job_that_is_not_in_the_plan_is_named_once_and_its_reports_are_not_fetched(
    run: WaitedRun,
) -> None:
    copy = deepcopy(run.cluster.raw("Job", FIRST))
    copy["metadata"]["name"] = "copy"
    run.cluster.put(copy)
    run.cluster.end_pod("copy", 0, log=log_of(RUN.plan, FIRST, 0))
    run.clock.then(lambda: None, run.end_all)
    assert run.failures() == ()
    assert run.observer.warnings == [
        "these Jobs have the labels of the run and are not in its plan, so their reports are not "
        "merged: copy"
    ]
    assert run.observer.fetched == [FETCHED_0_0, FETCHED_0_1, FETCHED_1_0]


def test_a_timeout_is_exact_to_the_second(run: WaitedRun) -> None:
    run.start()
    run.clock.then(lambda: run.end(SECOND, 0, finish=True))
    with pytest.raises(WaitTimeoutError) as caught:
        run.wait(timeout_seconds=30)
    assert describe(caught.value) == (
        "timed out after 30s: the run of tracker load/mrunners has not finished; Jobs left: 1 of "
        "2: mrunners-0 (1 of 3 pods ended); the run continues\n"
        "wait for it with: mrunners wait load --tracker mrunners"
    )
    assert (caught.value.seconds, run.clock.seconds) == (30, 30)


def test_a_run_that_ends_at_the_timeout_has_not_timed_out(run: WaitedRun) -> None:
    run.clock.then(run.end_all)
    assert run.failures(timeout_seconds=1) == ()


def test_a_timeout_holds_while_the_api_server_is_away(run: WaitedRun) -> None:
    policy = RetryPolicy(run.clock.monotonic, run.clock.sleep, run.observer.warn)
    policy.call(lambda: None)

    def attempt() -> None:
        raise RequestFailure(FailureKind.TRANSIENT, UnreachableError("connection refused"))

    run.start()
    run.clock.then(
        lambda: None, lambda: run.cluster.before("list_jobs", lambda: policy.call(attempt))
    )
    with pytest.raises(WaitTimeoutError) as caught:
        run.wait(timeout_seconds=30, interval_seconds=4)
    assert describe(caught.value) == (
        "timed out after 30s: the API server has not answered for 26s, so the state of the run of "
        "tracker load/mrunners is unknown (connection refused)\n"
        "wait for it with: mrunners wait load --tracker mrunners"
    )
    assert (caught.value.seconds, run.clock.seconds) == (30, 30)


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("finish", [False, True])
def test_a_timeout_holds_while_logs_are_read(tmp_path: Path, finish: bool, silent: bool) -> None:
    run = WaitedRun(tmp_path, planned(9, 1))
    run.end(FIRST, *range(9), finish=True)
    run.end(SECOND, *range(finish), finish=finish)
    if silent:
        for pod in run.cluster.logs:
            run.cluster.logs[pod] = UnreachableError("read timed out")
    run.cluster.before("read_log", lambda: run.clock.sleep(10))
    if finish:
        assert run.failures(timeout_seconds=25) == ()
    else:
        with pytest.raises(WaitTimeoutError, match=r"timed out after 25s: .* continues"):
            run.wait(timeout_seconds=25)
    assert run.clock.seconds == 30  # the request that was under way ends as it does
    assert run.observer.warnings[-1] == (
        f"the time is up, and {6 + finish} logs of ended pods were not read yet"
    )
    assert len(run.stored()) == (0 if silent else 3)


def test_an_outage_that_outlasts_the_patience_is_not_the_timeout(run: WaitedRun) -> None:
    run.cluster.fail("list_jobs", UnreachableError("connection refused"))
    with pytest.raises(UnreachableError, match="connection refused"):
        run.wait(timeout_seconds=30)


def test_a_retried_wait_has_only_the_rest_of_the_timeout(run: WaitedRun) -> None:
    run.start()
    with pytest.raises(WaitTimeoutError) as caught:
        run.wait(timeout_seconds=30, waited_seconds=20)
    assert (caught.value.seconds, run.clock.seconds) == (30, 10)


def test_a_given_interval_never_changes(run: WaitedRun) -> None:
    run.clock.then(lambda: None, lambda: None, run.end_all)
    run.wait(interval_seconds=7)
    assert run.clock.slept == [7, 7, 7]


def test_one_wrong_404_about_the_tracker_does_not_end_the_wait(run: WaitedRun) -> None:
    run.end(FIRST, 0, 1, finish=True)
    run.cluster.start_pod(SECOND, 0)
    run.cluster.remove("Job", FIRST)
    run.cluster.answer_gone("get_config_map")
    run.clock.then(lambda: None, lambda: run.end(SECOND, 0, finish=True))
    assert run.failures() == ()
    assert run.clock.slept[0] == 3.0


@pytest.mark.parametrize("replaced", [False, True])
def test_a_tracker_that_is_deleted_or_replaced_ends_the_wait(
    run: WaitedRun, replaced: bool
) -> None:
    def delete_tracker() -> None:
        run.cluster.remove("ConfigMap", "mrunners")
        run.cluster.collect_garbage()
        if replaced:
            deploy(run.cluster, planned(key="another"))

    run.start()
    run.clock.then(delete_tracker)
    with pytest.raises(RefusedError) as caught:
        run.wait()
    assert str(caught.value) == (
        "tracker load/mrunners was deleted or replaced, and its Jobs with it"
    )


def test_a_log_that_cannot_be_read_yet_is_a_warning_and_left_to_the_result(run: WaitedRun) -> None:
    run.end_all()
    run.cluster.logs["mrunners-0-0-abcde"] = UnreachableError("dial tcp: i/o timeout")
    assert run.failures() == ()
    assert run.observer == RecordingObserver(
        warnings=[
            "pod/mrunners-0-0-abcde on node-0: no report: log-unavailable: dial tcp: i/o timeout",
        ],
        fetched=[FETCHED_0_1],
        reports=[1],  # mrunners-1-0 is on the same unreachable node
    )


def test_a_log_that_its_node_did_not_return_is_requested_again_while_the_run_continues(
    run: WaitedRun,
) -> None:
    run.start()
    run.end(FIRST, 0)
    log = run.cluster.logs["mrunners-0-0-abcde"]
    run.cluster.logs["mrunners-0-0-abcde"] = UnreachableError("dial tcp: i/o timeout")

    def recover_node() -> None:
        run.cluster.logs["mrunners-0-0-abcde"] = log

    def lose_node_and_end() -> None:
        run.cluster.logs["mrunners-0-0-abcde"] = UnreachableError("no route to node")
        run.end(FIRST, 1, finish=True)
        run.end(SECOND, 0, finish=True)

    run.clock.then(recover_node, *[lambda: None] * 15, lose_node_and_end)
    assert run.failures(interval_seconds=10) == ()
    assert run.stored() == [(FIRST, 0), (FIRST, 1), (SECOND, 0)]
    assert len(run.observer.warnings) == 1


def test_reports_that_cannot_be_stored_are_one_warning_and_are_not_lost(
    run: WaitedRun, tmp_path: Path
) -> None:
    folder = tmp_path / "file"
    folder.touch()
    run.store = ReportStore(folder, run.observer.warn)
    run.end_all()
    assert run.failures() == ()
    assert run.observer.warnings == [
        "reports cannot be kept on disk, and are in memory until this command ends: "
        f"{folder}: Not a directory"
    ]
    assert run.stored() == [(FIRST, 0), (FIRST, 1), (SECOND, 0)]


def test_a_run_that_was_read_later_is_waited_for_in_the_same_way(run: WaitedRun) -> None:
    run.end_all()
    assert run.wait(find(run.cluster, RUN.plan)).failures == ()


SIDECAR = (
    "job.batch/mrunners-0: 2 of 2 pods have ended, but the Job cannot finish: container "
    "istio-proxy "
    "still runs in mrunners-0-0-abcde, mrunners-0-1-abcde; keep it from being injected into the "
    "runners' pods, or make it a native sidecar"
)


def test_reports_are_fetched_and_the_wait_ends_although_sidecars_run_on(tmp_path: Path) -> None:
    run = WaitedRun(tmp_path, planned(2))

    def end_runners() -> None:
        for index in range(2):
            run.cluster.end_runner(FIRST, index, log=log_of(run.planned.plan, FIRST, index))

    run.start()
    run.clock.then(lambda: None, end_runners)
    snapshot = run.wait()
    assert (snapshot.failures, snapshot.holds, snapshot.state.complete) == ((), (SIDECAR,), False)
    assert (snapshot.state.ended, snapshot.state.unstarted) == (2, 0)
    assert run.observer.warnings == [SIDECAR]
    assert run.stored() == [(FIRST, 0), (FIRST, 1)]
    assert 30 < run.clock.seconds < 60
    snapshot.require_complete()


def test_reports_are_fetched_while_the_job_controller_is_away(tmp_path: Path) -> None:
    run = WaitedRun(tmp_path, planned(2))
    counters = {"active": 2, "ready": 2, "completedIndexes": "", "failedIndexes": ""}

    def end_uncounted() -> None:
        run.end(FIRST, 0, 1)
        run.cluster.raw("Job", FIRST)["status"] |= counters

    run.start()
    run.clock.then(end_uncounted)
    snapshot = run.wait(interval_seconds=10)
    assert run.stored() == [(FIRST, 0), (FIRST, 1)]
    assert (snapshot.failures, snapshot.state.complete) == ((), False)
    assert snapshot.holds == (
        "job.batch/mrunners-0: 2 of 2 pods have ended, but the Job cannot finish: the Job "
        "controller has "
        "not counted them; check kube-controller-manager",
    )
    assert 30 < run.clock.seconds < 100


def test_a_job_that_nobody_finishes_after_all_its_pods_ends_the_wait(tmp_path: Path) -> None:
    run = WaitedRun(tmp_path, planned(2))
    run.start()
    run.clock.then(lambda: run.end(FIRST, 0, 1))
    snapshot = run.wait()
    assert (snapshot.failures, snapshot.state.complete) == ((), False)
    assert run.observer.warnings == list(snapshot.holds)
    assert snapshot.holds == (
        "job.batch/mrunners-0: 2 of 2 pods have ended, but the Job cannot finish: the Job "
        "controller has "
        "counted them and done nothing since; check kube-controller-manager",
    )
    assert run.stored() == [(FIRST, 0), (FIRST, 1)]
    assert 30 < run.clock.seconds < 100


def test_a_pod_that_is_lost_with_its_node_ends_the_wait_by_name(tmp_path: Path) -> None:
    run = WaitedRun(tmp_path, planned(2, start_timeout="10s"))
    run.start()
    run.clock.then(lambda: run.end(FIRST, 1), lambda: run.cluster.lose_node("mrunners-0-0-abcde"))
    assert run.failures() == (
        "job.batch/mrunners-0: 1 of 2 pods lost: DeletionByTaintManager; node node-0 does not "
        "answer; "
        "check the node",
    )
    assert run.stored() == [(FIRST, 1)]
    assert 30 < run.clock.seconds < 120
    assert "delete_pod" not in run.cluster.calls


FORBIDDEN = ForbiddenError("forbidden: patch jobs", verb="patch", resource="jobs", namespace="load")


def late_run(folder: Path) -> WaitedRun:
    """Return a run with one pod that runs, one that cannot start and one that does not exist."""
    run = WaitedRun(folder, planned(3, start_timeout="1m"))
    run.cluster.start_pod(FIRST, 0)
    run.cluster.hold_pod(FIRST, 1, waiting="ErrImagePull", message="kperf:9")
    return run


LATE = (
    "job.batch/mrunners-0: 1 of 3 pods did not start in time: ErrImagePull: kperf:9; check the "
    "runner "
    "image",
    "job.batch/mrunners-0: 1 of 3 pods did not start in time: no reason known; see: kubectl "
    "describe "
    "--namespace load job/mrunners-0",
)


def test_late_pods_are_kept_from_starting_and_others_are_not_disturbed(tmp_path: Path) -> None:
    run = late_run(tmp_path)
    changes: list[str] = []

    def end_first() -> None:
        changes.extend(run.changes())
        run.end(FIRST, 0)

    run.clock.then(*[lambda: None] * 12, end_first)
    assert run.failures(interval_seconds=10) == LATE
    assert changes == ["annotate_job", "delete_pod"]
    assert run.changes() == [*changes, "suspend_job"]
    assert run.cluster.names("Pod") == ["mrunners-0-0-abcde"]
    assert run.stored() == [(FIRST, 0)]


def test_a_second_wait_knows_which_pods_were_given_up(tmp_path: Path) -> None:
    run = late_run(tmp_path)
    run.end(FIRST, 0)
    assert run.failures() == (LATE[0].replace("pods did", "pods on node-1 did"), LATE[1])
    began = run.clock.seconds
    assert run.failures() == LATE
    assert run.clock.seconds == began
    run.cluster.raw("Job", FIRST)["spec"]["suspend"] = False
    run.cluster.finish_job(FIRST)
    assert run.failures() == LATE


def test_a_pod_is_late_only_when_it_was_late_for_a_while(tmp_path: Path) -> None:
    # After an outage the kubelets have not yet reported which pods have started.
    run = late_run(tmp_path)
    run.clock.sleep(300)
    run.clock.then(run.start, lambda: run.end(FIRST, 0, 1, 2, finish=True))
    started = run.cluster.raw("Job", FIRST)["status"]
    started["startTime"] = run.cluster.now().isoformat()
    assert run.failures() == ()
    assert run.changes() == []


def test_where_late_pods_cannot_be_kept_from_starting_that_is_said_once(tmp_path: Path) -> None:
    run = late_run(tmp_path)
    run.end(FIRST, 0)
    for _ in range(9):
        run.cluster.fail("annotate_job", FORBIDDEN)
    assert run.failures() == (
        LATE[0].replace("pods did", "pods on node-1 did"),
        LATE[1],
    )
    assert [line for line in run.observer.warnings if "forbidden" in line] == [
        "pods that did not start in time cannot be kept from starting later; if they do, their "
        "reports are not merged: forbidden: patch jobs"
    ]
    assert run.changes() == ["annotate_job"]


@pytest.mark.parametrize("change", ["annotate_job", "delete_pod", "suspend_job"])
def test_what_a_policy_refuses_for_one_job_is_done_for_the_others(
    tmp_path: Path, change: str
) -> None:
    run = WaitedRun(tmp_path, planned(2, 2, start_timeout="1m"))
    for job in (FIRST, SECOND):
        for index in range(2):
            run.cluster.hold_pod(job, index, waiting="ErrImagePull", message="kperf:9")
    run.cluster.fail(change, ApiStatusError("refused by a policy", status=403))
    assert len(run.failures()) == 2
    assert [line for line in run.observer.warnings if "policy" in line] == [
        "pods that did not start in time cannot be kept from starting later; if they do, their "
        "reports are not merged: refused by a policy"
    ]
    assert run.changes().count(change) == (4 if change == "delete_pod" else 2)
    left = {
        "annotate_job": ["mrunners-0-0-abcde", "mrunners-0-1-abcde"],
        "delete_pod": ["mrunners-0-0-abcde"],
        "suspend_job": [],
    }
    assert run.cluster.names("Pod") == left[change]
    assert run.cluster.raw("Job", SECOND)["spec"]["suspend"]


def deletions_told(run: WaitedRun) -> list[str]:
    return [line for line in run.observer.warnings if "was deleted" in line]


def test_a_late_pod_that_the_wait_itself_deletes_is_not_told_as_drained(tmp_path: Path) -> None:
    run = late_run(tmp_path)
    run.clock.then(*[lambda: None] * 12, lambda: run.cluster.start_pod(FIRST, 2))
    run.clock.then(*[lambda: None] * 7, lambda: run.end(FIRST, 0))
    run.wait(interval_seconds=10)
    assert run.cluster.names("Pod") == ["mrunners-0-0-abcde"]
    assert deletions_told(run) == []


def test_a_late_pod_that_another_wait_deletes_is_not_told_as_drained(tmp_path: Path) -> None:
    run = late_run(tmp_path)
    run.cluster.fail("annotate_job", FORBIDDEN)

    def give_up_the_last() -> None:
        job = run.cluster.raw("Job", FIRST)["metadata"]["uid"]
        pod = run.cluster.raw("Pod", "mrunners-0-2-abcde")["metadata"]["uid"]
        note = {ANNOTATION_GIVEN_UP: format_given_up([GivenUp((2,), "", "")])}
        assert run.cluster.annotate_job("load", FIRST, job, note)
        assert run.cluster.delete_pod("load", "mrunners-0-2-abcde", pod)

    run.clock.then(*[lambda: None] * 12, lambda: run.cluster.start_pod(FIRST, 2), lambda: None)
    run.clock.then(give_up_the_last, lambda: None, lambda: run.end(FIRST, 0))
    run.wait(interval_seconds=10)
    assert deletions_told(run) == []


def test_a_pod_that_was_given_up_and_starts_all_the_same_is_stopped(tmp_path: Path) -> None:
    run = late_run(tmp_path)

    def start_late() -> None:
        run.cluster.start_pod(FIRST, 2)

    run.clock.then(*[lambda: None] * 12, start_late, *[lambda: None] * 7, lambda: run.end(FIRST, 0))
    assert len(run.failures(interval_seconds=10)) == 2
    assert run.cluster.names("Pod") == ["mrunners-0-0-abcde"]
    assert run.stored() == [(FIRST, 0)]


@pytest.mark.parametrize("change", ["annotate_job", "delete_pod", "suspend_job"])
def test_what_is_said_to_be_gone_and_is_not_is_changed_all_the_same(
    tmp_path: Path, change: str
) -> None:
    run = late_run(tmp_path)
    run.end(FIRST, 0)
    run.cluster.answer_gone(change)
    # The node is not said any more once the pod is deleted.
    assert tuple(line.replace(" on node-1", "") for line in run.failures()) == LATE
    assert set(run.changes()) == {"annotate_job", "delete_pod", "suspend_job"}
    assert run.changes().count(change) == 2
    assert run.cluster.names("Pod") == ["mrunners-0-0-abcde"]
    assert run.cluster.raw("Job", FIRST)["spec"]["suspend"]


def test_a_change_that_is_never_carried_out_does_not_hold_the_wait(tmp_path: Path) -> None:
    run = late_run(tmp_path)
    run.end(FIRST, 0)
    for _ in range(99):
        run.cluster.answer_gone("suspend_job")
    assert len(run.failures()) == 2
    assert run.changes().count("suspend_job") == 2


def test_a_job_is_stopped_although_a_late_pod_starts_in_the_very_moment(tmp_path: Path) -> None:
    # As with a quota, which lets the next pod in as soon as one has ended.
    run = late_run(tmp_path)

    def end_and_start_late() -> None:
        run.end(FIRST, 0)
        run.cluster.start_pod(FIRST, 2)

    run.clock.then(*[lambda: None] * 12, end_and_start_late)
    assert len(run.failures(interval_seconds=10)) == 2
    assert run.changes() == ["annotate_job", "delete_pod", "delete_pod", "suspend_job"]
    assert run.cluster.names("Pod") == ["mrunners-0-0-abcde"]


def test_a_warning_is_not_repeated_for_each_random_name(tmp_path: Path) -> None:
    run = WaitedRun(tmp_path, planned(2, start_timeout="10m"))
    uid = run.cluster.raw("Job", FIRST)["metadata"]["uid"]

    def refuse(name: str) -> None:
        message = f'pods "mrunners-0-1-{name}" is forbidden: exceeded quota'
        run.cluster.events.append(Event(uid, FIRST, "FailedCreate", message))

    names = ("9p4ks", "t5l8d", "ks9p4", "wx2zz")
    run.clock.then(
        *[lambda name=name: refuse(name) for name in names],
        *[lambda: None] * 3,
        run.start,
        lambda: run.end(FIRST, 0, 1, finish=True),
    )
    assert run.failures(interval_seconds=10) == ()
    assert len(run.observer.warnings) == 1


@pytest.mark.parametrize(("jobs", "longest"), [(100, 8.0), (101, 15.0)])
def test_small_runs_are_looked_at_often_enough_to_tell_within_10_seconds(
    tmp_path: Path, jobs: int, longest: float
) -> None:
    run = WaitedRun(tmp_path, planned(*[1] * jobs))
    run.start()

    def end_all() -> None:
        for job in run.planned.plan.jobs:
            run.end(job.name, 0, finish=True)

    run.clock.then(*[lambda: None] * 60, end_all)
    run.wait()
    assert max(run.clock.slept) == longest


@pytest.mark.parametrize(
    ("jobs", "may_watch", "asked", "lists"),
    [(100, True, 0, None), (101, True, None, 3), (101, False, 1, None)],
)
def test_many_jobs_are_read_again_only_when_one_has_changed(
    tmp_path: Path, jobs: int, may_watch: bool, asked: int | None, lists: int | None
) -> None:
    run = WaitedRun(tmp_path, planned(*[1] * jobs))
    run.cluster.may_watch_jobs = may_watch
    run.start()

    def end_all() -> None:
        for job in run.planned.plan.jobs:
            run.end(job.name, 0, finish=True)

    run.clock.then(*[lambda: None] * 30, end_all)
    run.wait()
    polls, calls = len(run.clock.slept) + 1, run.cluster.calls
    assert len(run.stored()) == jobs
    # The second list shows that nothing moves, and the watch that says otherwise takes a third.
    assert calls.count("list_jobs") == (polls if lists is None else lists), calls
    assert calls.count("jobs_changed") == (polls - 2 if asked is None else asked)


def test_a_pod_that_is_deleted_before_anyone_saw_it_start_is_reported_too(tmp_path: Path) -> None:
    run = WaitedRun(tmp_path, planned(2))
    run.cluster.hold_pod(FIRST, 0, waiting="ContainerCreating")
    run.cluster.start_pod(FIRST, 1)

    def delete_one() -> None:
        uid = run.cluster.raw("Pod", "mrunners-0-0-abcde")["metadata"]["uid"]
        assert run.cluster.delete_pod("load", "mrunners-0-0-abcde", uid)

    run.clock.then(lambda: None, delete_one, lambda: run.end(FIRST, 1, finish=True))
    run.wait()
    assert run.observer.warnings == [
        "pod/mrunners-0-0-abcde on node-0 was deleted before it ended: drained, evicted, by hand, "
        "or with its node"
    ]


@pytest.mark.parametrize("ran", [True, False])
def test_a_pod_that_was_seen_without_a_node_is_told_if_it_ran_since(
    tmp_path: Path, ran: bool
) -> None:
    run = WaitedRun(tmp_path, planned(2))
    name = run.cluster.unschedule_pod(FIRST, 0, "no node fits")
    run.cluster.start_pod(FIRST, 1)

    def delete_one() -> None:
        pod = run.cluster.raw("Pod", name)
        assert run.cluster.delete_pod("load", name, pod["metadata"]["uid"])
        if ran:
            pod["spec"]["nodeName"] = "node-7"
        run.cluster.deletions.append(pod)

    run.clock.then(lambda: None, delete_one, lambda: run.end(FIRST, 1, finish=True))
    run.wait()
    line = f"pod/{name} on node-7 was deleted before it ended, by a person or a program"
    assert [text for text in run.observer.warnings if "was deleted" in text] == [line] * ran


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (
            {
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "EvictionByEvictionAPI",
                "message": "Eviction API: evicting",
            },
            ": EvictionByEvictionAPI: Eviction API: evicting",
        ),
        ({"type": "Ready", "status": "True"}, ", by a person or a program"),
    ],
)
def test_why_a_pod_was_deleted_is_asked_for_and_kept(
    tmp_path: Path, condition: dict[str, str], why: str
) -> None:
    run = WaitedRun(tmp_path, planned(2))
    name = "mrunners-0-0-abcde"

    def delete_one() -> None:
        pod = run.cluster.raw("Pod", name)
        assert run.cluster.delete_pod("load", name, pod["metadata"]["uid"])
        pod["status"]["conditions"] = [condition]
        run.cluster.deletions.append(pod)

    run.start()
    run.clock.then(delete_one, lambda: run.end(FIRST, 1, finish=True))
    snapshot = run.wait()
    assert run.observer.warnings == [f"pod/{name} on node-0 was deleted while it ran{why}"]
    assert run.cluster.calls.count("list_deleted_pods") == 1
    outcomes = collect_outcomes(run.cluster, run.existing, snapshot, ReportStore(tmp_path))
    gone = next(outcome for outcome in outcomes if outcome.report is None)
    detail = "its pod failed or was deleted while it ran, and does not exist any more"
    assert (gone.missing, gone.detail) == (
        (MissingReason.DISRUPTED, f"EvictionByEvictionAPI: Eviction API: evicting; {detail}")
        if "Eviction" in why
        else (MissingReason.POD_GONE, detail)
    )


def test_a_pod_that_is_deleted_while_it_runs_is_reported_and_keeps_its_node(
    tmp_path: Path,
) -> None:
    run = WaitedRun(tmp_path, planned(2))

    def delete_one() -> None:
        uid = run.cluster.raw("Pod", "mrunners-0-0-abcde")["metadata"]["uid"]
        assert run.cluster.delete_pod("load", "mrunners-0-0-abcde", uid)

    run.start()
    run.clock.then(delete_one, lambda: run.end(FIRST, 1, finish=True))
    snapshot = run.wait()
    assert run.observer.warnings == [
        "pod/mrunners-0-0-abcde on node-0 was deleted while it ran: drained, evicted, by hand, or "
        "with its node"
    ]
    outcomes = collect_outcomes(run.cluster, run.existing, snapshot, ReportStore(tmp_path))
    gone = next(outcome for outcome in outcomes if outcome.report is None)
    assert gone == PodOutcome(
        job=FIRST,
        job_index=0,
        uri=run.planned.plan.jobs[0].uri,
        index=0,
        pod="mrunners-0-0-abcde",
        node="node-0",
        started_at=START,
        missing=MissingReason.POD_GONE,
        detail="its pod failed or was deleted while it ran, and does not exist any more",
    )
