import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.connection import Connection
from mrunners.refs import ClusterRef, RunRef
from mrunners.reports.budget import SampleBudget
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.run import result
from mrunners.run.observer import LoggingObserver
from mrunners.run.report_store import ReportStore
from mrunners.run.snapshot import read_snapshot
from mrunners.status.run_state import JobState
from mrunners_tasks import reports
from mrunners_tasks.reports import artifact_key, collect_reports
from tests.factories import flat, merged_pod
from tests.fakes import FakeCluster
from tests.unit.env import deploy, planned

NAMES = st.from_regex(r"[a-z0-9](?:[-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
URL = "GET https://10.0.0.1:6443/version"


def test_the_jobs_of_a_batch_share_one_budget_and_batches_do_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def collect_job(_run: object, job: JobState, *_: object) -> Iterator[object]:
        yield merged_pod(job.planned.index, 0, flat({URL: [0.1] * 4}))

    cluster = FakeCluster()
    connection = Connection(cluster, LoggingObserver(), ReportStore(tmp_path))
    monkeypatch.setattr(result, "collect_job", collect_job)
    monkeypatch.setattr(reports, "connection_to", lambda _: connection)
    monkeypatch.setattr(reports, "SampleBudget", partial(SampleBudget, max_samples=4))
    run = deploy(cluster, planned(1, 1))
    snapshot = read_snapshot(cluster, run)

    def missing(*jobs: JobState) -> list[MissingReason | None]:
        outcomes: list[PodOutcome] = collect_reports.fn(
            ClusterRef(), run, snapshot, jobs, "label", final=False
        )
        return [outcome.missing for outcome in outcomes]

    first, second = snapshot.state.jobs
    assert missing(first, second) == [None, MissingReason.OVER_LIMIT]
    assert missing(first) + missing(second) == [None, None]


def test_names_that_read_alike_have_different_artifacts() -> None:
    assert artifact_key(RunRef("a-b", "c"), "jobs") != artifact_key(RunRef("a", "b-c"), "jobs")


@given(NAMES, NAMES, st.sampled_from(["jobs", "report"]))
def test_a_key_is_accepted_by_prefect_and_names_the_run(
    namespace: str, tracker: str, what: str
) -> None:
    key = artifact_key(RunRef(namespace, tracker), what)
    assert re.fullmatch(r"[a-z0-9-]+", key)
    assert key.startswith(f"mrunners-{namespace}-{tracker}-{what}-")
