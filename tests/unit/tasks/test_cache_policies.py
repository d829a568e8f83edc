from collections.abc import Mapping
from typing import Any

import pytest
from prefect import Task
from prefect.cache_policies import NO_CACHE, CachePolicy
from prefect.context import TaskRunContext

from mrunners.refs import ClusterRef
from mrunners.run.snapshot import read_snapshot
from mrunners_tasks._step import BY_JOB_UIDS, ONCE_PER_FLOW_RUN
from mrunners_tasks.reports import collect_reports, read_pods
from mrunners_tasks.runs import delete_run, find_run, find_run_once
from tests.fakes import FakeCluster
from tests.unit.env import deploy, finish, planned

CLUSTERS = [ClusterRef("a"), ClusterRef("b"), ClusterRef("a", "context")]


def cache_key(task: Task[..., Any], arguments: Mapping[str, Any]) -> str | None:
    construct: Any = TaskRunContext.model_construct
    policy = task.cache_policy
    assert isinstance(policy, CachePolicy)
    return policy.compute_key(construct(task=task), dict(arguments), {})


def in_flow_run(flow_run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__ID", flow_run)


def test_a_run_that_is_acted_upon_is_looked_up_every_time() -> None:
    tasks: list[Task[..., Any]] = [find_run, delete_run, find_run_once, read_pods, collect_reports]
    policies = [task.cache_policy for task in tasks]
    assert policies == [NO_CACHE, NO_CACHE, ONCE_PER_FLOW_RUN, ONCE_PER_FLOW_RUN, BY_JOB_UIDS]


def test_a_run_is_found_again_by_cluster_and_name_within_one_flow_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def key(cluster: ClusterRef, tracker: str) -> str | None:
        arguments = {"cluster": cluster, "namespace": "load", "tracker": tracker}
        return cache_key(find_run_once, arguments)

    assert key(CLUSTERS[0], "x") is None  # outside of a flow run nothing is cached
    keys = set()
    for flow_run in ("1", "2"):
        in_flow_run(flow_run, monkeypatch)
        assert key(CLUSTERS[0], "x") == key(ClusterRef("a"), "x")
        keys |= {key(cluster, tracker) for cluster in CLUSTERS for tracker in ("x", "y")}
    assert len(keys) == 12


def test_pods_are_cached_by_their_tracker_and_only_when_they_are_final(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = FakeCluster()
    runs = [deploy(cluster, planned(1)), deploy(cluster, planned(1, tracker="other"))]
    in_flow_run("1", monkeypatch)
    keys = [cache_key(read_pods, {"run": run, "final": True}) for run in runs]
    assert (len(set(keys)), None in keys) == (2, False)
    assert cache_key(read_pods, {"run": runs[0], "final": False}) is None


def test_reports_are_cached_by_job_in_any_flow_run_once_the_jobs_have_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster, plan = FakeCluster(), planned(1, 1).plan
    run = deploy(cluster, planned(1, 1))

    def key(first: int, last: int, *, final: bool = True) -> str | None:
        jobs = read_snapshot(cluster, run).state.jobs[first:last]
        return cache_key(collect_reports, {"jobs": jobs, "final": final})

    assert key(0, 2) is None
    finish(cluster, plan)
    keys = {key(0, 1), key(1, 2), key(0, 2)}
    assert (len(keys), None in keys) == (3, False)
    in_flow_run("1", monkeypatch)
    assert key(0, 1) in keys
    assert key(0, 1, final=False) is None
