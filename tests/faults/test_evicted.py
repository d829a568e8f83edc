"""A flow run whose pod was evicted: its Kubernetes Job starts another pod, which runs it again."""

from __future__ import annotations

import os
import signal

from tests.cluster.env import Env
from tests.faults.harness import SECONDS, Harness


def test_the_next_pod_adopts_the_jobs_and_completes_the_same_flow_run(
    harness_without_worker: Harness, env: Env
) -> None:
    harness = harness_without_worker
    run_id = harness.hold_at("waiting", env, env.quick(2), env.quick(1))
    first = harness.execute(run_id)
    os.kill(harness.wait_until_held(env), signal.SIGKILL)
    first.kill()
    first.wait(SECONDS)
    before = env.jobs()
    assert before.keys() == {"mrunners-0", "mrunners-1"}
    harness.release(env)
    second = harness.execute(run_id)
    assert second.wait(SECONDS) == 0, (harness.folder / "execute.log").read_text()
    ended = harness.server.flow_run(run_id)
    assert (ended["state_name"], ended["state"]["message"]) == (
        "Completed",
        "3 of 3 reports merged",
    )
    assert env.jobs() == before
