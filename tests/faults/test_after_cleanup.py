"""A flow run that is killed after its Jobs were deleted, and then retried."""

from __future__ import annotations

import os
import signal

from tests.cluster.commands import until
from tests.cluster.env import Env
from tests.faults.harness import SECONDS, Harness
from tests.prefect.server import PrefectServer


def test_a_retry_returns_the_saved_report_and_creates_no_jobs(harness: Harness, env: Env) -> None:
    server = harness.server
    run_id = harness.hold_at("ending", env, env.quick(2), policy={"cleanup": "delete"})
    pid = harness.wait_until_held(env)
    assert env.kubectl.names("jobs") | env.kubectl.names("pods") == set()
    os.kill(pid, signal.SIGKILL)
    harness.release(env)
    until("the retry has begun", lambda: _retried(server, run_id), SECONDS)
    ended = server.ended(run_id, SECONDS)
    assert (ended["state_name"], ended["state"]["message"]) == (
        "Completed",
        "2 of 2 reports merged",
    )
    steps = [step["name"] for step in server.task_runs(run_id)]
    assert steps.count("create mrunners-0") == 1
    assert env.kubectl.names("jobs") | env.kubectl.names("pods") == set()


def _retried(server: PrefectServer, run_id: str) -> bool:
    """Whether a retry has started.

    The worker may report the crash again after a retry was requested, so it is requested again.
    Prefect refuses that alone while an earlier request still holds.
    """
    run = server.flow_run(run_id)
    if run["state_type"] == "CRASHED":
        requested = server.prefect("flow-run", "retry", run_id)
        words = " ".join(requested.stdout.split())
        assert requested.code == 0 or "Only flow runs in terminal states" in words, requested
    return bool(run["run_count"] == 2)
