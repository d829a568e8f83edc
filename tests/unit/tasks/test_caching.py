from typing import Any

import pytest
from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.context import TaskRunContext

from mrunners_tasks._step import ONCE_PER_FLOW_RUN
from mrunners_tasks.runs import delete_existing_run, find_run, find_run_once


def key(task: Task[..., Any], kubeconfig: str, tracker: str = "mrunners") -> str | None:
    construct: Any = TaskRunContext.model_construct
    context = construct(task=task)
    arguments = {"kubeconfig": kubeconfig, "namespace": "load", "tracker": tracker}
    return ONCE_PER_FLOW_RUN.compute_key(context, arguments, {})


def test_what_is_acted_upon_is_looked_up_every_time() -> None:
    tasks: list[Task[..., Any]] = [find_run, delete_existing_run, find_run_once]
    policies = [task.cache_policy for task in tasks]
    assert policies == [NO_CACHE, NO_CACHE, ONCE_PER_FLOW_RUN]


def test_a_run_is_found_again_by_cluster_and_name_within_one_flow_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert key(find_run_once, "a") is None  # outside of a flow run nothing is kept
    keys = set()
    for flow_run in ("1", "2"):
        monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__ID", flow_run)
        assert key(find_run_once, "a") == key(find_run_once, "a")
        keys |= {key(find_run_once, where, of) for where in ("a", "b") for of in ("x", "y")}
    assert len(keys) == 8
