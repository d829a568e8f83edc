from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from mrunners.connection import Connection
from mrunners.errors import IncompleteError, StillRunningError, UnreachableError
from mrunners.refs import ClusterRef
from mrunners.reports.budget import SampleBudget
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.run.kept_report import report_of_kept_run
from mrunners.run.lookup import ExistingRun
from mrunners.run.report_store import ReportStore
from mrunners.run.result import merge_outcomes
from mrunners.run.snapshot import RunSnapshot, read_snapshot
from mrunners.status.run_state import JobState
from mrunners_flows import collect as collect_module
from mrunners_flows.collect import collect
from mrunners_tasks import reports
from mrunners_tasks.report_files import ReportFiles
from tests.factories import flat, merged_pod, traffic
from tests.fakes import FakeCluster, RecordingObserver
from tests.unit.env import deploy, finish, planned

URL = "GET https://10.0.0.1:6443/version"
CLUSTER = ClusterRef("somewhere")


class Steps:
    """The steps of `collect`, which note what they are called with.

    Attributes:
        calls: The label of each batch that is collected, and whether it had to be final.
        not_final: What is raised instead of a final result.
        saved: Whether saving the report succeeds.
        marked: The outcomes that the run was marked as collected with.
    """

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self.calls: list[tuple[str, bool]] = []
        self.not_final: Exception | None = None
        self.saved = True
        self.marked: Sequence[PodOutcome] | None = None

    def read_pods(self, cluster: ClusterRef, run: ExistingRun, *, final: bool) -> RunSnapshot:
        assert cluster == CLUSTER
        self.calls.append(("pods", final))
        if final and self.not_final is not None:
            raise self.not_final
        return read_snapshot(self._cluster, run)

    def collect_reports(
        self,
        cluster: ClusterRef,
        run: ExistingRun,
        snapshot: RunSnapshot,
        jobs: Sequence[JobState],
        label: str,
        *,
        final: bool,
    ) -> list[PodOutcome]:
        assert (cluster, snapshot.ref) == (CLUSTER, run.ref)
        self.calls.append((label, final))
        if final and self.not_final is not None:
            raise self.not_final
        return [
            merged_pod(job.planned.index, index, flat({URL: [0.1] * 4}))
            for job in jobs
            for index in range(job.planned.pod_count)
        ]

    def merge_reports(
        self,
        cluster: ClusterRef,
        run: ExistingRun,
        snapshot: RunSnapshot,
        outcomes: Sequence[PodOutcome],
    ) -> MergedReport:
        assert (cluster, snapshot.ref) == (CLUSTER, run.ref)
        return merge_outcomes(run, outcomes, traffic=traffic(42))

    def save_report(self, report: MergedReport, files: ReportFiles) -> bool:
        assert (report.requests_by_us, files) == (42, ReportFiles())
        return self.saved

    def mark_collected(
        self, cluster: ClusterRef, run: ExistingRun, outcomes: Sequence[PodOutcome]
    ) -> bool:
        assert (cluster, run.ref.tracker) == (CLUSTER, "mrunners")
        self.marked = outcomes
        return True


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def run(cluster: FakeCluster) -> ExistingRun:
    return deploy(cluster, planned(2, 2, 2))


@pytest.fixture
def steps(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> Steps:
    steps = Steps(cluster)
    for name in ("read_pods", "collect_reports", "merge_reports", "save_report", "mark_collected"):
        monkeypatch.setattr(collect_module, name, getattr(steps, name))
    return steps


def reasons(report: MergedReport) -> list[MissingReason]:
    return [pod.reason for pod in report.coverage.missing]


def test_the_budget_of_a_run_applies_to_all_batches_together_while_they_are_collected(
    steps: Steps, run: ExistingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect_module, "SampleBudget", partial(SampleBudget, max_samples=12))
    collected = collect(CLUSTER, run, files=None)
    assert reasons(collected.report) == [MissingReason.OVER_LIMIT] * 3
    assert collected.report.coverage.merged == 3
    assert [label for label, _ in steps.calls] == ["pods", "mrunners-0", "mrunners-1", "mrunners-2"]


@pytest.mark.parametrize(
    ("files", "saved", "collected"),
    [(None, False, False), (ReportFiles(), False, False), (ReportFiles(), True, True)],
)
def test_a_run_is_marked_as_collected_only_after_its_report_was_saved(
    files: ReportFiles | None, saved: bool, collected: bool, steps: Steps, run: ExistingRun
) -> None:
    steps.saved = saved
    result = collect(CLUSTER, run, files=files)
    assert (result.saved, result.collected) == (saved, collected)
    assert (steps.marked is not None) is collected


@pytest.mark.parametrize("error", [IncompleteError("never"), UnreachableError("not now")])
def test_a_result_that_is_not_final_is_collected_as_it_is_now(
    error: Exception, steps: Steps, run: ExistingRun
) -> None:
    steps.not_final = error
    assert collect(CLUSTER, run, files=None).report.coverage.merged == 6
    batches = ["pods", "mrunners-0", "mrunners-1", "mrunners-2"]
    assert steps.calls == [(label, final) for label in batches for final in (True, False)]


def test_any_other_error_ends_the_collection(steps: Steps, run: ExistingRun) -> None:
    steps.not_final = StillRunningError("wait", jobs=("mrunners-0",))
    with pytest.raises(StillRunningError):
        collect(CLUSTER, run, files=None)


def test_why_reports_are_missing_outlives_the_run_as_their_figures_do(
    cluster: FakeCluster, run: ExistingRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store, observer = ReportStore(tmp_path), RecordingObserver()
    connection = Connection(cluster, observer, store, sleep=cluster.clock.sleep)
    monkeypatch.setattr(reports, "connection_to", lambda _: connection)
    monkeypatch.setattr(reports, "traffic_of", lambda _: traffic(42))
    for name in ("read_pods", "collect_reports", "merge_reports"):
        monkeypatch.setattr(collect_module, name, getattr(reports, name).fn)
    finish(cluster, run.plan)
    cluster.end_pod("mrunners-1", 1, exit_code=3)
    cluster.finish_job("mrunners-1")
    collected = collect(CLUSTER, run, files=None)
    assert collected.report.requests_by_us == 42
    assert reasons(collected.report) == [MissingReason.FAILED]
    again = report_of_kept_run(run.plan.run_id, ReportStore(tmp_path))
    assert again.report.coverage == collected.report.coverage
    assert (again.failures, again.next_steps) == (collected.failures, ())
    assert again.failures != ()
