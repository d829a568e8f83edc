"""A night whose worker was lost with it: Prefect's own limit must not drop every later night."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.cluster.commands import until
from tests.cluster.env import Env
from tests.faults.harness import SECONDS, Stage
from tests.prefect.server import FINAL

# A flow run renews its hold on the limit for so long (Prefect's own constant), and then loses it.
LEASE_SECONDS = 300.0

NIGHTS = {"previous_run": "collect", "cleanup": "delete"}


# Not among those of `make test`: it waits for the lease to run out.
@pytest.mark.long
def test_the_limit_is_free_again_once_the_lost_runs_lease_has_run_out(
    stage: Stage, env: Env
) -> None:
    lost = stage.run_until("waiting", env, env.quick(2), policy=NIGHTS, deployment="nights")
    pid = stage.held(env)
    stage.kill("worker", signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    stage.release(env)
    stage.start_worker()

    def next_night() -> Any:
        run_id = stage.trigger(env, env.quick(2), policy=NIGHTS, deployment="nights")
        until("the night has ended", lambda: _state(stage, run_id) in FINAL, SECONDS)
        run = stage.orchestra.flow_run(run_id)
        return run if run["state_type"] != "CANCELLED" else None

    assert next_night() is None  # the limit is 1, and the strategy CANCEL_NEW
    night = until("a night is not dropped", next_night, LEASE_SECONDS + 120, pause=10)
    assert (night["state_name"], night["state"]["message"]) == (
        "Completed",
        "2 of 2 reports merged",
    )
    reports = [a for a in stage.orchestra.artifacts(night["id"]) if a["type"] == "markdown"]
    assert len(reports) == 2  # the lost night's was harvested first
    assert stage.orchestra.flow_run(lost)["state_type"] == "RUNNING"
    assert env.jobs() == {}


def _state(stage: Stage, run_id: str) -> str:
    return str(stage.orchestra.flow_run(run_id)["state_type"])
