import pytest

from mrunners.reports.budget import SampleBudget
from mrunners.reports.outcomes import PodOutcome
from mrunners.run import result
from mrunners.run.result import read_full_snapshot
from mrunners_tasks import reports
from tests.fakes import FakeCluster
from tests.unit.env import deploy, planned


def test_the_jobs_of_a_portion_share_one_bound_and_portions_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[SampleBudget] = []

    def collect_job(*_: object, budget: SampleBudget, **__: object) -> list[PodOutcome]:
        seen.append(budget)
        return []

    cluster = FakeCluster()
    monkeypatch.setattr(result, "collect_job", collect_job)
    monkeypatch.setattr(reports, "cluster_of", lambda _: cluster)
    found = deploy(cluster, planned(1, 1))
    snapshot = read_full_snapshot(cluster, found)
    for label in ("first", "second"):
        reports.collect_reports.fn("", found, snapshot, snapshot.state.jobs, label, final=False)
    assert [one is seen[0] for one in seen] == [True, True, False, False]
    assert seen[2] is seen[3]
