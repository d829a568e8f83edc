"""A flow run that is killed when its Jobs are removed already, and retried."""

from __future__ import annotations

import os
import signal

from tests.cluster.commands import until
from tests.cluster.env import Env
from tests.faults.harness import SECONDS, Stage
from tests.prefect.server import Orchestra


def test_a_retry_gives_the_report_that_came_home_and_loads_nothing_again(
    stage: Stage, env: Env
) -> None:
    orchestra = stage.orchestra
    run_id = stage.run_until("ending", env, env.quick(2), policy={"cleanup": "delete"})
    pid = stage.held(env)
    assert env.kubectl.names("jobs") | env.kubectl.names("pods") == set()
    os.kill(pid, signal.SIGKILL)
    stage.release(env)
    until("the retry has begun", lambda: _retried(orchestra, run_id), SECONDS)
    ended = orchestra.ended(run_id, SECONDS)
    assert (ended["state_name"], ended["state"]["message"]) == (
        "Completed",
        "2 of 2 reports merged",
    )
    steps = [step["name"] for step in orchestra.task_runs(run_id)]
    assert steps.count("create mrunners-0") == 1
    assert env.kubectl.names("jobs") | env.kubectl.names("pods") == set()


def _retried(orchestra: Orchestra, run_id: str) -> bool:
    """Whether a retry has begun; the worker may say that it crashed once more, over a retry."""
    run = orchestra.flow_run(run_id)
    if run["state_type"] == "CRASHED":
        assert orchestra.prefect("flow-run", "retry", run_id).code == 0
    return bool(run["run_count"] == 2)
