"""Cancelling a flow run: the waiting ends soon, and the Jobs stay or go as was asked for."""

from __future__ import annotations

import json
import time

import pytest

from tests.cluster.commands import until
from tests.cluster.env import KPERF, Env
from tests.prefect.server import PrefectServer

# Cancelling must end the polling within this time, whatever the machine does besides.
DEADLINE_SECONDS = 10.0


def _options(env: Env, tracker: str) -> dict[str, object]:
    return {
        "namespace": env.namespace,
        "runner_image": KPERF,
        "runners": [env.slow()],
        "service_account": "kperf-runner",
        "wait": True,
        "advanced": {"tracker": tracker},
    }


def _waiting(server: PrefectServer, env: Env, tracker: str) -> str:
    """The flow run under that tracker, once it waits for its Jobs; its ID."""

    def read_jobs() -> str | None:
        for run in server.runs_in(env.namespace):
            if f"/{tracker} " in run["name"]:
                steps = server.task_runs(run["id"])
                if any(s["name"].startswith("wait-for-jobs") for s in steps):
                    return str(run["id"])
        return None

    return until(f"the run {tracker} waits for its Jobs", read_jobs, 120) or ""


@pytest.mark.parametrize("on_cancel", ["keep", "delete"])
def test_a_run_in_its_own_process_ends_within_10_s(
    server: PrefectServer, env: Env, on_cancel: str
) -> None:
    words = [json.dumps(_options(env, "own")), json.dumps({"on_cancel": on_cancel})]
    process = env.mrunners.python("-m", "tests.prefect.own_process", *words)
    run_id = _waiting(server, env, "own")
    cancelling = time.monotonic()
    server.post(f"flow_runs/{run_id}/set_state", state={"type": "CANCELLING"})
    until("the waiting ends", lambda: _waited(server, run_id), DEADLINE_SECONDS)
    assert time.monotonic() - cancelling < DEADLINE_SECONDS
    assert server.ended(run_id)["state_type"] == "CANCELLED"
    process.finish()
    assert _jobs_of(env, "own", on_cancel) == ({"own-0"} if on_cancel == "keep" else set())


def test_a_run_of_the_command_line_that_is_cancelled_ends_as_interrupted(
    server: PrefectServer, env: Env
) -> None:
    started = env.start_run(env.slow(), options=["--wait", "--tracker", "typed"])
    run_id = _waiting(server, env, "typed")
    server.post(f"flow_runs/{run_id}/set_state", state={"type": "CANCELLING"})
    ended = started.finish(60)
    assert (ended.code, ended.stdout) == (130, "typed\n"), ended.stderr
    tracker = f"{env.namespace}/typed"
    assert f"error: the flow run was cancelled while it waited; tracker {tracker}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_workers_run_is_cancelled_and_its_jobs_stay_or_go(
    worker: PrefectServer, env: Env
) -> None:
    name = "multirunners/multirunners"
    for on_cancel in ("keep", "delete"):
        options = _options(env, on_cancel)
        worker.trigger(name, options=options, policy={"on_cancel": on_cancel})
    runs = {on_cancel: _waiting(worker, env, on_cancel) for on_cancel in ("keep", "delete")}
    for run_id in runs.values():
        done = worker.prefect("flow-run", "cancel", run_id)
        assert done.code == 0, done.stdout
    for run_id in runs.values():
        assert worker.ended(run_id)["state_type"] == "CANCELLED"
    until("the Jobs of one are gone", lambda: env.kubectl.names("jobs") == {"keep-0"})
    assert env.kubectl.names("configmaps") & {"keep", "delete"} == {"keep"}


def _waited(server: PrefectServer, run_id: str) -> bool:
    return any(
        step["name"].startswith("wait-for-jobs") and step["state_type"] in {"FAILED", "CANCELLED"}
        for step in server.task_runs(run_id)
    )


def _jobs_of(env: Env, tracker: str, on_cancel: str) -> set[str]:
    if on_cancel == "delete":
        until("its Jobs are gone", lambda: not env.kubectl.names("jobs"))
    return {name for name in env.kubectl.names("jobs") if name.startswith(tracker)}
