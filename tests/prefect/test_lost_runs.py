"""The automation of deploy/lost_runs.py: a run whose process is gone does not stay Running."""

from __future__ import annotations

import json
import signal

from tests.cluster.commands import until
from tests.cluster.env import KPERF, Env
from tests.prefect.server import PrefectServer

# The least that Prefect takes is a heartbeat every 30 s, and the automation two of them.
HEARTBEAT = "30"
SILENCE_SECONDS = 60

# As an earlier release may have made it.
_OUTDATED = (
    "from prefect.automations import Automation; from deploy.lost_runs import NAME; "
    "there = Automation.read(name=NAME); there.trigger.threshold = 2; there.update()"
)


def test_a_run_that_was_killed_becomes_crashed_and_its_jobs_stay(
    server: PrefectServer, env: Env
) -> None:
    options = {
        "namespace": env.namespace,
        "runner_image": KPERF,
        "runners": [env.slow()],
        "service_account": "kperf-runner",
    }
    words = ["deploy/lost_runs.py"]
    shorter = [*words, "--within", f"{SILENCE_SECONDS}s"]
    steps = [words, words, ["-c", _OUTDATED], words, shorter]
    done = [env.mrunners.python(*step).finish() for step in steps]
    try:
        assert [one.code for one in done] == [0] * 5, [one.stderr for one in done]
        assert '" created\n' in done[0].stdout
        assert '" unchanged\n' in done[1].stdout
        assert '" updated\n' in done[3].stdout
        assert '" updated\n' in done[4].stdout
        beating = env.mrunners.with_environ(PREFECT_FLOWS_HEARTBEAT_FREQUENCY=HEARTBEAT)
        started = beating.python("-m", "tests.prefect.own_process", json.dumps(options))
        (run,) = until("its heart beats", lambda: _beating(server, env), 60)
        started.send(signal.SIGKILL)
        assert started.finish().code == -signal.SIGKILL
        assert server.flow_run(run["id"])["state_type"] == "RUNNING"
        ended = server.ended(run["id"], 180)
    finally:
        for automation in server.post("automations/filter"):
            server.delete(f"automations/{automation['id']}")
    assert ended["state_type"] == "CRASHED"
    assert "no heartbeat for too long" in ended["state"]["message"]
    assert set(env.jobs()) == {"mrunners-0"}


def _beating(server: PrefectServer, env: Env) -> list[dict[str, str]]:
    """The run, once its Job exists and the server knows about it."""
    runs = server.runs_in(env.namespace)
    observer = runs and server.events("prefect.flow-run.heartbeat", about=runs[0]["name"])
    return runs if observer and env.jobs() else []
