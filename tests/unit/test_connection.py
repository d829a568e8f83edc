"""The facade without Prefect: each sequence of a run's life, on a cluster in memory."""

import functools
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mrunners.connection import Connection, connect
from mrunners.errors import (
    ForbiddenError,
    InvalidInputError,
    InvalidOptionsError,
    NextStep,
    RefusedError,
    StillRunningError,
    UnreachableError,
    WaitTimeoutError,
)
from mrunners.hints import describe
from mrunners.plan.options import RunOptions
from mrunners.refs import ClusterRef, RunRef
from mrunners.reports.analysis.finding import lines_of
from mrunners.reports.budget import SampleBudget
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason
from mrunners.run.report_store import ReportStore
from mrunners.run.result import CollectedRun
from mrunners.run_handle import Run
from tests.fakes import FakeClock, FakeCluster, RecordingObserver
from tests.unit.env import REPORT, deploy, find, finish, log_of, options, planned, write_profile

REF = RunRef("load", "mrunners")
FIRST_POD = "mrunners-0-0-abcde"
FORBIDDEN = ForbiddenError(
    "configmaps is forbidden", verb="patch", resource="configmaps", namespace="load"
)


@dataclass
class Env:
    """A connection to a cluster in memory, and what the tests look at."""

    folder: Path
    cluster: FakeCluster
    observer: RecordingObserver = field(default_factory=RecordingObserver)

    @property
    def connection(self) -> Connection:
        store = ReportStore(self.folder / "reports")
        return Connection(self.cluster, self.observer, store, sleep=self.cluster.clock.sleep)

    def options(self, **changes: object) -> RunOptions:
        """Return options for one runner with two pods."""
        return options(runners=(write_profile(self.folder),), **changes)

    def start(self, **changes: object) -> Run:
        return self.connection.start(self.options(**changes))

    def start_and_finish(self) -> Run:
        run = self.start()
        finish(self.cluster, run.plan)
        return run

    def marked(self) -> bool:
        return self.connection.get("load").existing.collected

    def objects(self) -> list[list[str]]:
        return [self.cluster.names(kind) for kind in ("ConfigMap", "Job", "Pod")]


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Env:
    clock = FakeClock()
    monkeypatch.setattr("mrunners.run.create.time", clock)
    monkeypatch.setattr("mrunners.run.create_job.time", clock)
    monkeypatch.setattr("mrunners.run.create_tracker.time", clock)
    monkeypatch.setattr("mrunners.run.delete.time", clock)
    return Env(tmp_path, FakeCluster(clock))


# Connecting.


def test_a_connection_is_a_context_manager_around_its_cluster(env: Env) -> None:
    with env.connection as connection:
        assert connection.cluster is env.cluster
    assert env.cluster.calls == []


def test_connecting_with_a_kubeconfig_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no-such-file"):
        connect(str(tmp_path / "no-such-file"))


# Starting.


def test_a_preflight_decides_and_creates_nothing(env: Env) -> None:
    action = env.connection.preflight(env.options(), run_key="key")
    assert (action.planned.plan.ref, action.planned.plan.pod_count) == (REF, 2)
    assert (action.replaces, action.resumes) == (None, None)
    assert env.objects() == [[], [], []]


def test_starting_creates_the_tracker_and_the_jobs(env: Env) -> None:
    run = env.start()
    assert (run.ref, run.plan.pod_count) == (REF, 2)
    assert env.objects() == [["mrunners"], ["mrunners-0"], []]
    assert run.describe() == ("tracker load/mrunners (starting, created 0s ago, 0 of 2 pods ended)")
    assert env.observer == RecordingObserver(trackers=["mrunners"])


def test_a_run_whose_pods_were_read_is_described_with_the_time_that_is_left(env: Env) -> None:
    run = env.start()
    for index in range(2):
        env.cluster.start_pod("mrunners-0", index)
    env.cluster.clock.seconds += 4
    run = env.connection.get("load")
    run.snapshot(run.existing.state)
    assert run.describe() == (
        "tracker load/mrunners (running, created 4s ago, 0 of 2 pods ended): about 6s left"
    )


def test_wrong_options_are_refused_before_anything_is_sent(env: Env) -> None:
    with pytest.raises(InvalidOptionsError) as caught:
        env.start(namespace="No", tracker="Neither")
    assert [problem.field for problem in caught.value.fields] == ["namespace", "advanced.tracker"]
    assert env.cluster.calls == []


def test_starting_again_with_the_same_run_key_adopts_what_exists(env: Env) -> None:
    first = env.start(run_key="nightly")
    uid = env.cluster.raw("Job", "mrunners-0")["metadata"]["uid"]
    second = env.start(run_key="nightly")
    assert second.existing.tracker.uid == first.existing.tracker.uid
    assert env.cluster.raw("Job", "mrunners-0")["metadata"]["uid"] == uid


def test_without_a_run_key_every_start_is_another_run(env: Env) -> None:
    run = env.start()
    with pytest.raises(RefusedError) as caught:
        env.start()
    assert str(caught.value) == f"{run.describe()} already exists"


BARE = options(runners=(), runner_image="", if_exists="resume")


def test_starting_with_resume_creates_the_missing_jobs(env: Env) -> None:
    action = env.connection.preflight(env.options(), run_key="key")
    started = env.connection.create_tracker(action)
    assert env.connection.start(BARE).plan == started.existing.plan
    assert env.cluster.names("Job") == ["mrunners-0"]


def test_nothing_of_a_run_whose_jobs_a_ttl_removed_is_lost_or_loaded_again(env: Env) -> None:
    env.cluster.adds = {"ttlSecondsAfterFinished": 2}
    run = env.start_and_finish()
    run.wait(sleep=env.cluster.clock.sleep)
    env.cluster.remove("Job", "mrunners-0")
    env.cluster.collect_garbage()
    for same in (env.connection.start(BARE), env.connection.get("load")):
        same.wait(sleep=env.cluster.clock.sleep).require_complete()
        collected = same.collect_and_save()
        assert (collected.report.verdict, collected.complete) == ("2 of 2 reports merged", True)
    assert (env.cluster.names("Job"), env.marked()) == ([], True)


def test_another_machine_knows_that_the_jobs_existed_and_does_not_create_them_again(
    env: Env, tmp_path: Path
) -> None:
    run = env.start_and_finish()
    run.wait(sleep=env.cluster.clock.sleep)
    env.cluster.remove("Job", "mrunners-0")
    env.cluster.collect_garbage()
    store, sleep = ReportStore(tmp_path / "other"), env.cluster.clock.sleep
    other = Connection(env.cluster, RecordingObserver(), store, sleep=sleep)
    collected = other.start(BARE).collect_and_save()
    assert env.cluster.names("Job") == []
    assert [pod.reason for pod in collected.report.coverage.missing] == [MissingReason.JOB_GONE] * 2
    assert (collected.finished, collected.next_steps) == (True, ())
    assert collected.failures == (
        "1 of 1 Jobs of tracker load/mrunners were created and do not exist any more, because of a "
        "TTL or because someone deleted them: mrunners-0 (0 of 2 pods are known to have "
        "succeeded); they are not created again, because their load may have run",
    )


def test_a_job_that_is_not_in_the_plan_is_named_with_the_report(env: Env) -> None:
    run = env.start_and_finish()
    copy = deepcopy(env.cluster.raw("Job", "mrunners-0"))
    copy["metadata"]["name"] = "copy"
    env.cluster.put(copy)
    warning = (
        "these Jobs have the labels of the run and are not in its plan, so their reports are not "
        "merged: copy"
    )
    assert run.collect().verdict == "2 of 2 reports merged"
    run.snapshot()
    run.snapshot(final=True)
    assert env.observer.warnings == [warning] * 3


def test_a_collected_run_is_replaced(env: Env) -> None:
    first = env.start_and_finish()
    first.collect()
    env.cluster.clock.then(env.cluster.collect_garbage)
    second = env.start()
    assert second.plan.run_id != first.plan.run_id
    assert env.objects() == [["mrunners"], ["mrunners-0"], []]


def test_the_two_halves_of_a_start_can_be_done_apart(env: Env) -> None:
    action = env.connection.preflight(env.options(), run_key="key")
    started = env.connection.create_tracker(action)
    assert env.objects() == [["mrunners"], [], []]
    assert env.connection.create_jobs(started, started.missing) == ["mrunners-0"]
    assert env.connection.bind(started.existing).ref == REF


# Getting and waiting.


def test_an_existing_run_is_found_with_and_without_its_name(env: Env) -> None:
    run = env.start()
    assert env.connection.resolve("load") == REF
    for same in (env.connection.get("load"), env.connection.get("load", "mrunners")):
        assert (same.ref, same.plan) == (run.ref, run.plan)


def test_a_run_that_does_not_exist_is_not_found(env: Env) -> None:
    assert env.connection.resolve("load", "nightly") == RunRef("load", "nightly")
    with pytest.raises(RefusedError, match=r"^tracker load/nightly does not exist$"):
        env.connection.get("load", "nightly")
    with pytest.raises(RefusedError, match=r"^no tracker in namespace load: "):
        env.connection.resolve("load")


def test_a_snapshot_shows_the_jobs_and_pods_of_the_moment(env: Env) -> None:
    run = env.start()
    env.cluster.end_pod("mrunners-0", 0)
    env.cluster.start_pod("mrunners-0", 1)
    snapshot = run.snapshot()
    assert (snapshot.ref, snapshot.state.ended, snapshot.state.running) == (REF, 1, 1)
    assert [pod.name for pod in snapshot.pods] == [FIRST_POD, "mrunners-0-1-abcde"]
    assert [job.planned.name for job in snapshot.may_finish] == ["mrunners-0"]


def test_waiting_returns_the_run_as_it_ended_and_fetches_its_reports(env: Env) -> None:
    run, clock = env.start(), env.cluster.clock
    clock.then(lambda: None, lambda: finish(env.cluster, run.plan))
    snapshot = run.wait(timeout=600, interval=3, sleep=clock.sleep)
    assert (snapshot.failures, snapshot.state.complete) == ((), True)
    snapshot.require_complete()
    assert clock.slept == [3, 3]
    assert env.observer.fetched == [
        "mrunners-0 index 0, pod/mrunners-0-0-abcde on node-0",
        "mrunners-0 index 1, pod/mrunners-0-1-abcde on node-1",
    ]


def test_a_wait_that_takes_too_long_says_how_to_continue(env: Env) -> None:
    run = env.start()
    with pytest.raises(WaitTimeoutError) as caught:
        run.wait(timeout=0, sleep=env.cluster.clock.sleep)
    assert (caught.value.run, caught.value.next_steps) == (REF, (NextStep.WAIT,))


# Collecting.


def test_collecting_merges_all_reports_and_marks_the_run(env: Env) -> None:
    run = env.start_and_finish()
    report = run.collect()
    assert (report.verdict, report.complete) == ("2 of 2 reports merged", True)
    assert (report.namespace, report.tracker, report.run) == (
        "load",
        "mrunners",
        run.plan.run_id,
    )
    assert (report.latencies_by_url, report.errors) == (None, None)
    assert env.marked()


def test_a_raw_report_keeps_every_sample(env: Env) -> None:
    report = env.start_and_finish().collect(raw=True)
    assert report.latencies_by_url is not None
    assert sum(map(len, report.latencies_by_url.values())) == report.total
    assert report.errors == ()


def test_a_run_that_can_still_finish_is_not_collected(env: Env) -> None:
    run = env.start()
    env.cluster.end_pod("mrunners-0", 0, log=log_of(run.plan, "mrunners-0", 0))
    env.cluster.start_pod("mrunners-0", 1)
    with pytest.raises(StillRunningError) as caught:
        run.collect()
    assert caught.value.next_steps == (NextStep.WAIT, NextStep.PARTIAL_RESULT)
    assert "read_log" not in env.cluster.calls


def test_a_partial_report_has_what_ended_so_far_and_never_marks_the_run(env: Env) -> None:
    run = env.start()
    env.cluster.end_pod("mrunners-0", 0, log=log_of(run.plan, "mrunners-0", 0))
    env.cluster.start_pod("mrunners-0", 1)
    saved: list[CollectedRun] = []
    collected = run.collect_and_save(saved.append, partial=True)
    assert [run.report for run in saved] == [collected.report]
    assert collected.report.verdict == (
        "1 of 2 reports merged; 1 missing: mrunners-0 index 1 (still-running)"
    )
    assert (collected.saved, collected.collected, collected.finished) == (True, False, False)
    assert (collected.failures, collected.complete) == ((), False)
    assert not env.marked()


def test_a_report_beyond_the_sample_budget_is_missing_with_its_reason(
    env: Env, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = parse_report(REPORT).samples
    assert samples
    budget = functools.partial(SampleBudget, max_samples=samples)  # for the first pod only
    monkeypatch.setattr("mrunners.run.result.SampleBudget", budget)
    report = env.start_and_finish().collect()
    assert report.verdict == (
        "1 of 2 reports merged; 1 missing: mrunners-0 index 1 (over-limit: with its 3 samples the "
        "run would exceed the limit of 3; split the run, or shorten its load)"
    )
    assert env.marked()


def test_the_report_is_saved_before_the_run_is_marked(env: Env) -> None:
    run = env.start_and_finish()
    saved: list[tuple[MergedReport, bool]] = []
    collected = run.collect_and_save(lambda run: saved.append((run.report, env.marked())))
    assert saved == [(collected.report, False)]
    assert (collected.saved, collected.collected, collected.finished) == (True, True, True)
    assert (collected.failures, collected.complete) == ((), True)
    warnings = lines_of(collected.report.findings)
    assert collected.summary == "\n".join(("2 of 2 reports merged", *warnings))
    assert env.marked()


def test_a_run_whose_report_cannot_be_saved_is_not_marked(env: Env) -> None:
    run = env.start_and_finish()

    def save(collected: CollectedRun) -> None:
        raise OSError("No space left on device")

    with pytest.raises(OSError, match=r"^No space left on device$"):
        run.collect_and_save(save)
    assert not env.marked()
    assert not env.marked()


def test_what_was_fetched_before_a_failed_save_is_not_fetched_again(env: Env) -> None:
    run = env.start_and_finish()

    def save(collected: CollectedRun) -> None:
        raise OSError("No space left on device")

    with pytest.raises(OSError, match=r"^No space left on device$"):
        run.collect_and_save(save)
    assert run.collect().complete
    assert env.cluster.calls.count("read_log") == 2


def test_a_failed_pod_is_a_failure_and_a_missing_report_of_a_marked_run(env: Env) -> None:
    run = env.start()
    env.cluster.end_pod("mrunners-0", 0, log=log_of(run.plan, "mrunners-0", 0))
    env.cluster.end_pod("mrunners-0", 1, exit_code=137)
    env.cluster.finish_job("mrunners-0")
    collected = run.collect_and_save()
    assert collected.failures == (
        "job.batch/mrunners-0: 1 of 2 pods failed (exit 137); see: kubectl logs --namespace load "
        "pod/mrunners-0-1-abcde",
    )
    assert not collected.complete
    warnings = lines_of(collected.report.findings)
    lines = (collected.report.verdict, *collected.failures, *warnings)
    assert collected.summary == "\n".join(lines)
    assert (collected.collected, env.marked()) == (True, True)


def test_a_run_is_not_marked_while_a_log_can_still_be_read_later(env: Env) -> None:
    run = env.start_and_finish()
    log = env.cluster.logs[FIRST_POD]
    env.cluster.logs[FIRST_POD] = UnreachableError("dial tcp: i/o timeout")
    assert not run.collect_and_save().collected
    assert not env.marked()
    env.cluster.logs[FIRST_POD] = log
    assert run.collect_and_save().collected
    assert env.marked()


def test_a_run_that_may_not_be_marked_still_gives_its_report_with_a_warning(env: Env) -> None:
    run = env.start_and_finish()
    env.cluster.fail("annotate_config_map", FORBIDDEN)
    collected = run.collect_and_save(lambda report: None)
    assert (collected.report.complete, collected.saved, collected.collected) == (True, True, False)
    assert env.observer.warnings == [
        "tracker load/mrunners could not be annotated, so it does not count as collected, and a "
        "later run will not replace it: configmaps "
        "is forbidden"
    ]


def test_outcomes_can_be_collected_job_by_job_and_marked_later(env: Env) -> None:
    plan = planned(2, 1).plan
    deploy(env.cluster, planned(2, 1))
    finish(env.cluster, plan)
    run = env.connection.bind(find(env.cluster, plan))
    snapshot = run.snapshot()
    second = list(run.outcomes(snapshot, snapshot.state.jobs[1:]))
    assert [(outcome.job, outcome.index) for outcome in second] == [("mrunners-1", 0)]
    outcomes = list(run.outcomes(snapshot))
    assert [outcome.report is not None for outcome in outcomes] == [True] * 3
    assert not env.marked()
    assert run.mark_collected(outcomes)
    assert env.marked()


# Deleting.


def test_a_run_can_be_deleted_after_collecting_without_force(env: Env) -> None:
    run = env.start_and_finish()
    run.wait(sleep=env.cluster.clock.sleep)
    run.collect()
    env.cluster.clock.then(env.cluster.collect_garbage)
    run.delete()
    assert env.objects() == [[], [], []]


def test_a_run_that_was_collected_by_another_process_can_be_deleted_without_force(
    env: Env,
) -> None:
    run = env.start_and_finish()
    env.connection.get("load").collect()
    env.cluster.clock.then(env.cluster.collect_garbage)
    run.delete()
    assert env.objects() == [[], [], []]


@pytest.mark.parametrize("finished", [False, True])
def test_a_run_that_is_still_needed_is_deleted_only_by_force(env: Env, finished: bool) -> None:
    run = env.start_and_finish() if finished else env.start()
    first = NextStep.RESULT if finished else NextStep.WAIT
    with pytest.raises(RefusedError) as caught:
        run.delete()
    assert caught.value.next_steps == (first, NextStep.FORCE_DELETE)
    assert env.cluster.names("ConfigMap") == ["mrunners"]
    env.cluster.clock.then(env.cluster.collect_garbage)
    run.delete(force=True)
    assert env.objects() == [[], [], []]


@pytest.mark.parametrize("force", [False, True])
def test_a_run_that_was_deleted_meanwhile_needs_no_force(env: Env, force: bool) -> None:
    run = env.start()
    env.cluster.remove("ConfigMap", "mrunners")
    env.cluster.clock.then(env.cluster.collect_garbage)
    run.delete(force=force)
    assert env.objects() == [[], [], []]


def test_a_run_that_runs_is_not_deleted_because_of_one_wrong_404(env: Env) -> None:
    run = env.start()
    env.cluster.start_pod("mrunners-0", 0)
    env.cluster.answer_gone("get_config_map")
    with pytest.raises(RefusedError, match="was not deleted: it has not finished"):
        run.delete()
    assert (env.objects(), env.cluster.clock.slept) == (
        [["mrunners"], ["mrunners-0"], [FIRST_POD]],
        [3.0],
    )


def test_a_run_whose_tracker_is_said_to_be_gone_twice_is_not_deleted_either(env: Env) -> None:
    run = env.start()
    env.cluster.start_pod("mrunners-0", 0)
    env.cluster.answer_gone("get_config_map")
    env.cluster.answer_gone("get_config_map")
    with pytest.raises(WaitTimeoutError, match="1 Job and 1 pod in namespace load are not"):
        run.delete()
    assert env.objects() == [["mrunners"], ["mrunners-0"], [FIRST_POD]]
    assert "delete_config_map" not in env.cluster.calls


@pytest.mark.parametrize("force", [False, True])
def test_a_later_run_under_the_same_name_is_not_deleted(env: Env, force: bool) -> None:
    earlier = env.start()
    env.cluster.remove("ConfigMap", "mrunners")
    env.cluster.collect_garbage()
    later = env.start()
    earlier.delete(force=force)
    assert env.connection.get("load").plan == later.plan
    assert env.cluster.names("Job") == ["mrunners-0"]


def test_a_collected_run_is_deleted_by_its_namespace_alone(env: Env) -> None:
    env.start_and_finish().collect()
    env.cluster.clock.then(env.cluster.collect_garbage)
    assert env.connection.delete("load") == REF
    assert env.objects() == [[], [], []]
    assert env.observer.infos == [
        "deleting configmap/mrunners in namespace load of https://cluster:6443 (context test)",
        "waiting for 1 Job and 2 pods of the run to be deleted",
    ]


def test_an_unfinished_run_is_deleted_by_its_name_only_with_force(env: Env) -> None:
    env.start(tracker="nightly")
    with pytest.raises(RefusedError) as caught:
        env.connection.delete("load", "nightly")
    assert describe(caught.value) == (
        "tracker load/nightly (starting, created 0s ago, 0 of 2 pods ended) was not deleted: "
        "it has not finished\n"
        "wait for it with: mrunners wait load --tracker nightly\n"
        "delete it anyway with: mrunners delete load --tracker nightly --force"
    )
    env.cluster.clock.then(env.cluster.collect_garbage)
    assert env.connection.delete("load", "nightly", force=True) == RunRef("load", "nightly")
    assert env.objects() == [[], [], []]


def test_a_run_whose_plan_cannot_be_read_is_deleted_only_by_force(env: Env) -> None:
    env.start()
    env.cluster.raw("ConfigMap", "mrunners")["data"] = {"plan.json": "{}"}
    with pytest.raises(RefusedError) as caught:
        env.connection.delete("load")
    assert caught.value.next_steps == (NextStep.FORCE_DELETE,)
    assert env.cluster.names("ConfigMap") == ["mrunners"]
    env.cluster.clock.then(env.cluster.collect_garbage)
    assert env.connection.delete("load", force=True) == REF
    assert env.objects() == [[], [], []]


@pytest.mark.parametrize("tracker", [None, "mrunners"])
@pytest.mark.parametrize("force", [False, True])
def test_an_interrupted_delete_is_finished_by_the_next_one(
    env: Env, tracker: str | None, force: bool
) -> None:
    env.start()
    env.cluster.start_pod("mrunners-0", 0)
    env.cluster.remove("ConfigMap", "mrunners")
    env.cluster.clock.then(lambda: None, lambda: None, env.cluster.collect_garbage)
    assert env.connection.delete("load", tracker, force=force) == REF
    assert env.objects() == [[], [], []]
    assert env.cluster.clock.slept == [3.0, 0.5, 0.5]


def test_a_tracker_that_is_already_being_deleted_is_waited_for(env: Env) -> None:
    env.start()
    metadata = env.cluster.raw("ConfigMap", "mrunners")["metadata"]
    metadata["deletionTimestamp"] = "2026-01-02T03:04:05Z"

    def end_deletion() -> None:
        env.cluster.remove("ConfigMap", "mrunners")
        env.cluster.collect_garbage()

    env.cluster.clock.then(end_deletion)
    assert env.connection.delete("load", "mrunners") == REF
    assert env.objects() == [[], [], []]


@pytest.mark.parametrize(
    ("tracker", "message"),
    [
        (None, r"^no tracker in namespace load: nothing was run there, or it was deleted$"),
        ("nightly", r"^tracker load/nightly does not exist$"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_deleting_a_run_that_does_not_exist_is_refused(
    env: Env, tracker: str | None, message: str, force: bool
) -> None:
    with pytest.raises(RefusedError, match=message):
        env.connection.delete("load", tracker, force=force)


@pytest.mark.parametrize("force", [False, True])
def test_of_several_runs_none_is_deleted_without_its_name(env: Env, force: bool) -> None:
    env.start(tracker="daily")
    env.start(tracker="nightly")
    with pytest.raises(RefusedError, match=r"^namespace load has 2 trackers: daily, nightly$"):
        env.connection.delete("load", force=force)
    assert env.cluster.names("ConfigMap") == ["daily", "nightly"]


@pytest.mark.parametrize("force", [False, True])
def test_a_foreign_config_map_is_never_deleted(env: Env, force: bool) -> None:
    env.cluster.put({"kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "load"}})
    with pytest.raises(
        RefusedError, match=r"^configmap/theirs in namespace load is not a tracker of mrunners$"
    ):
        env.connection.delete("load", "theirs", force=force)
    assert env.cluster.names("ConfigMap") == ["theirs"]


def connection_to_mine_here(folder: Path) -> Connection:
    cluster = FakeCluster(FakeClock())
    mine = ClusterRef("mine", "here")
    return Connection(cluster, RecordingObserver(), ReportStore(folder), mine)


@pytest.mark.parametrize("field", ["kubeconfig", "context"])
def test_options_that_name_another_cluster_are_refused(tmp_path: Path, field: str) -> None:
    given = options(runners=[write_profile(tmp_path)], **{field: "other"})
    with pytest.raises(InvalidOptionsError) as caught:
        connection_to_mine_here(tmp_path).preflight(given, run_key="key")
    assert str(caught.value) == f"{field}: differs from that of the connection; leave it empty"


@pytest.mark.parametrize("given", [{}, {"kubeconfig": "mine", "context": "here"}])
def test_options_that_name_no_cluster_or_the_same_are_accepted(
    tmp_path: Path, given: dict[str, str]
) -> None:
    requested = options(runners=[write_profile(tmp_path)], **given)
    action = connection_to_mine_here(tmp_path).preflight(requested, run_key="key")
    assert action.planned.plan.namespace == "load"
