"""A wait ends when nothing of the run can finish any more, and fetches reports meanwhile."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import pytest

from mrunners.errors import IncompleteError, RefusedError, UnreachableError, WaitTimeoutError
from mrunners.hints import describe
from mrunners.kube.objects import Event, Job
from mrunners.plan.planning import PlannedRun
from mrunners.run.lookup import ExistingRun
from mrunners.run.report_store import ReportStore
from mrunners.run.snapshot import RunSnapshot
from mrunners.run.wait import wait_for_run
from tests.fakes import FakeCluster, RecordingObserver
from tests.unit.env import address, deploy, find, log_of, planned

RUN = planned()
FIRST, SECOND = "mrunners-0", "mrunners-1"

# As an observer receives them.
FETCHED_0_0 = "mrunners-0 index 0, pod mrunners-0-0-abcde on node-0"
FETCHED_0_1 = "mrunners-0 index 1, pod mrunners-0-1-abcde on node-1"
FETCHED_1_0 = "mrunners-1 index 0, pod mrunners-1-0-abcde on node-0"


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


def test_a_poll_is_one_list_while_nothing_changes(run: WaitedRun) -> None:
    run.start()
    run.clock.then(*[lambda: None] * 50, run.end_all)
    run.wait()
    unchanged = run.cluster.calls[2:52]
    assert unchanged == ["list_jobs"] * 50
    assert run.cluster.calls[:2] == ["list_jobs", "list_pods"]


def test_a_log_is_read_only_once(run: WaitedRun) -> None:
    run.start()
    run.clock.then(lambda: run.end(FIRST, 0), lambda: run.end(FIRST, 1, finish=True), run.end_all)
    run.wait()
    assert run.cluster.calls.count("read_log") == 3
    run.wait()
    assert run.cluster.calls.count("read_log") == 3


def test_pods_are_listed_every_10_seconds_while_some_have_not_started(run: WaitedRun) -> None:
    run.clock.then(*[lambda: None] * 24, run.start, run.end_all)
    run.wait(interval_seconds=1)
    before_the_end = run.cluster.calls[: run.cluster.calls.index("read_log")]
    assert before_the_end.count("list_jobs") == 27
    assert before_the_end.count("list_pods") == 4


def test_failed_pods_are_reported_at_the_end(run: WaitedRun) -> None:
    run.end(FIRST, 0)
    run.cluster.end_pod(FIRST, 1, exit_code=1, log=b"kperf: no such file\n")
    run.cluster.finish_job(FIRST)
    run.end(SECOND, 0, finish=True)
    assert run.failures() == (
        "job mrunners-0: 1 of 2 pods failed (exit 1); see: kubectl logs --namespace load "
        "pod/mrunners-0-1-abcde",
    )
    assert run.observer == RecordingObserver(
        warnings=[
            "pod mrunners-0-1-abcde: no report: no-frame: no report frame in 2 lines of log: "
            "kperf: no such file"
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
        f"job mrunners-0: 1 of 2 pods on node-0 did not start in time: {cause}",
    )
    assert run.observer.warnings == [
        f"job mrunners-0: 1 of 2 pods on node-0 cannot start: {cause}",
        f"job mrunners-0: 1 of 2 pods on node-0 did not start in time: {cause}",
    ]
    assert 60 < run.clock.seconds < 80
    assert run.stored() == [(FIRST, 1), (SECOND, 0)]


def test_an_exhausted_quota_is_reported_from_the_event_of_the_job(tmp_path: Path) -> None:
    run = WaitedRun(tmp_path, planned(1, start_timeout="1m"))
    uid = run.cluster.raw("Job", FIRST)["metadata"]["uid"]
    run.cluster.events.append(Event(uid, FIRST, "FailedCreate", "exceeded quota: tiny"))
    assert run.failures() == (
        "job mrunners-0: 1 of 1 pods did not start in time: FailedCreate: exceeded quota: tiny; "
        "check the namespace's quotas, limits, Pod Security level and ServiceAccount",
    )


def test_a_suspended_run_is_waited_for(tmp_path: Path) -> None:
    run = WaitedRun(tmp_path, planned(1, start_timeout="1m"))
    run.cluster.raw("Job", FIRST)["spec"]["suspend"] = True
    run.clock.then(*[lambda: None] * 50, lambda: run.end(FIRST, 0, finish=True))
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


@pytest.mark.parametrize(("ttl", "longest"), [(0, 1), (6, 3), (3600, 15)])
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
        "pod mrunners-0-0-abcde: no report: truncated: the log's tail is missing: a frame "
        "begins but does not end"
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


def test_a_given_interval_never_changes(run: WaitedRun) -> None:
    run.clock.then(lambda: None, lambda: None, run.end_all)
    run.wait(interval_seconds=7)
    assert run.clock.slept == [7, 7, 7]


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
            "pod mrunners-0-0-abcde: no report: log-unavailable: dial tcp: i/o timeout",
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
