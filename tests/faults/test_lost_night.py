"""A nightly run that was lost with its worker: Prefect's limit must not drop every later night."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.cluster.commands import until
from tests.cluster.env import Env
from tests.faults.harness import SECONDS, Harness
from tests.prefect.server import FINAL

# The lease of a concurrency slot, which the flow run renews (a constant of Prefect).
LEASE_SECONDS = 300.0

NIGHTS = {"previous_run": "collect", "cleanup": "delete"}


# Not part of `make test`, because it waits until the lease expires.
@pytest.mark.long
def test_the_next_night_runs_once_the_lease_of_the_lost_run_has_expired(
    harness: Harness, env: Env
) -> None:
    lost = harness.hold_at("waiting", env, env.quick(2), policy=NIGHTS, deployment="nights")
    pid = harness.wait_until_held(env)
    harness.kill("worker", signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    harness.release(env)
    harness.start_worker()

    def next_night() -> Any:
        run_id = harness.trigger(env, env.quick(2), policy=NIGHTS, deployment="nights")
        until("the night has ended", lambda: _state(harness, run_id) in FINAL, SECONDS)
        run = harness.server.flow_run(run_id)
        return run if run["state_type"] != "CANCELLED" else None

    assert next_night() is None  # the limit is 1, and the strategy CANCEL_NEW
    night = until("a night is not cancelled", next_night, LEASE_SECONDS + 120, pause=10)
    assert (night["state_name"], night["state"]["message"]) == (
        "Completed",
        "2 of 2 reports merged",
    )
    reports = [a for a in harness.server.artifacts(night["id"]) if a["type"] == "markdown"]
    assert len(reports) == 2  # the lost night's report was collected first
    assert harness.server.flow_run(lost)["state_type"] == "RUNNING"
    assert env.jobs() == {}


def _state(harness: Harness, run_id: str) -> str:
    return str(harness.server.flow_run(run_id)["state_type"])
