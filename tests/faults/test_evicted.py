"""A flow whose pod was evicted: a Kubernetes Job starts another, which runs it from the top."""

from __future__ import annotations

import os
import signal

from tests.cluster.env import Env
from tests.faults.harness import SECONDS, Stage


def test_the_next_pod_adopts_the_jobs_and_completes_the_same_flow_run(
    server: Stage, env: Env
) -> None:
    run_id = server.run_until("waiting", env, env.quick(2), env.quick(1))
    first = server.execute(run_id)
    os.kill(server.held(env), signal.SIGKILL)
    first.kill()
    first.wait(SECONDS)
    before = env.jobs()
    assert before.keys() == {"mrunners-0", "mrunners-1"}
    server.release(env)
    second = server.execute(run_id)
    assert second.wait(SECONDS) == 0, (server.folder / "execute.log").read_text()
    ended = server.orchestra.flow_run(run_id)
    assert (ended["state_name"], ended["state"]["message"]) == (
        "Completed",
        "3 of 3 reports merged",
    )
    assert env.jobs() == before
