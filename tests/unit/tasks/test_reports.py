import pytest

from mrunners.reports.budget import Admission
from mrunners.reports.outcomes import PodOutcome
from mrunners.run import result
from mrunners.run.result import closer_look
from mrunners_tasks import reports
from tests.fakes import FakeCluster
from tests.unit.env import deploy, planned


def test_the_jobs_of_a_portion_share_one_bound_and_portions_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Admission] = []

    def collect_job(*_: object, admission: Admission, **__: object) -> list[PodOutcome]:
        seen.append(admission)
        return []

    cluster = FakeCluster()
    monkeypatch.setattr(result, "collect_job", collect_job)
    monkeypatch.setattr(reports, "cluster_of", lambda _: cluster)
    found = deploy(cluster, planned(1, 1))
    view = closer_look(cluster, found)
    for label in ("first", "second"):
        reports.collect_results.fn("", found, view, view.state.jobs, label, final=False)
    assert [one is seen[0] for one in seen] == [True, True, False, False]
    assert seen[2] is seen[3]
