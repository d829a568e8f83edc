"""The flow in Python, as a pipeline calls it, on a Prefect server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cluster.commands import Finished
from tests.cluster.env import KPERF, Env, profile_text


def _options(env: Env, *runners: str, **changes: object) -> str:
    usual = {
        "namespace": env.namespace,
        "runner_image": KPERF,
        "runners": runners,
        "service_account": "kperf-runner",
    }
    return json.dumps(usual | changes)


def _pipeline(env: Env, scenario: str, *words: str) -> tuple[Any, Finished]:
    done = env.mrunners.python("-m", "tests.cluster.pipelines", scenario, *words).finish()
    assert done.code == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done


def test_the_flow_returns_an_outcome_with_the_merged_report(env: Env) -> None:
    (outcome,), done = _pipeline(env, "alone", _options(env, env.quick(2)))
    assert outcome == {
        "tracker": "mrunners",
        "run": outcome["run"],
        "verdict": "2 of 2 reports merged",
    }
    (job,) = env.kubectl.objects("jobs")
    assert job["metadata"]["labels"]["mrunners.dev/run-id"] == outcome["run"]
    assert "Traceback" not in done.stderr


def test_known_failures_are_states_with_names_and_leave_no_traceback(env: Env) -> None:
    held = _options(env, env.slow(), timeout="1s")
    states, done = _pipeline(
        env,
        "ending",
        held,
        _options(env, env.quick()),
        _options(env, "file:///absent?numbers=0"),
        _options(env, env.quick(), service_account="default", advanced={"tracker": "powerless"}),
    )
    assert [(state["name"], state["type"]) for state in states] == [
        ("TimedOut", "FAILED"),
        ("Refused", "FAILED"),
        ("Invalid", "FAILED"),
        ("Incomplete", "FAILED"),
    ]
    assert "nothing succeeded in 1 pod" in states[3]["message"]
    assert "Traceback" not in done.stdout + done.stderr


def test_a_parent_flow_gets_the_exception_and_may_handle_it(env: Env) -> None:
    caught, _ = _pipeline(
        env,
        "careful",
        _options(env, "file:///absent?numbers=0"),
        _options(env, env.slow(), timeout="1s"),
        _options(env, env.quick()),
        _options(env, env.quick(), service_account="default", advanced={"tracker": "powerless"}),
        _options(env, env.quick(2), advanced={"tracker": "other"}),
    )
    assert [one.get("error") for one in caught] == [
        "InvalidInputError",
        "WaitTimeoutError",
        "RefusedError",
        "RunIncompleteError",
        None,
    ]
    assert [one.get("exit_code") for one in caught] == [2, 6, 3, 5, None]
    assert caught[4]["verdict"] == "2 of 2 reports merged"


def test_a_parent_flow_that_does_not_handle_it_fails_with_the_same_exception(
    env: Env,
) -> None:
    (caught,), _ = _pipeline(env, "plain", _options(env, "file:///absent?numbers=0"))
    assert caught == {"error": "InvalidInputError", "exit_code": 2}


def test_a_retried_pipeline_with_its_own_run_key_adopts_the_run_it_began(env: Env) -> None:
    some_seconds = env.file("some-seconds", profile_text(rate=10, total=40), 2)
    advanced = {"run_key": "pipeline of the night"}
    options = _options(env, some_seconds, env.quick(1), advanced=advanced)
    (printed,), _ = _pipeline(env, "retried", options, json.dumps(env.kubectl.command()))
    assert printed["verdict"] == "3 of 3 reports merged"
    first, second = printed["jobs_after_attempts"]
    assert first.keys() == {"mrunners-0", "mrunners-1"}
    assert second == first == env.jobs()


def test_run_works_on_a_fresh_home_without_any_prefect_server(env: Env) -> None:
    home = env.folder / "fresh"
    alone = env.mrunners.with_environ(PREFECT_API_URL="", PREFECT_HOME=str(home))
    done = alone(*env.run_arguments(env.quick(2)), "--wait")
    assert (done.code, done.stdout) == (0, "mrunners\n")
    assert "starting the flow on a temporary Prefect server (10 to 40 seconds" in done.stderr
    assert "2 of 2 reports merged" in done.stderr
    assert _processes_with(f"PREFECT_HOME={home}") == []


def _processes_with(variable: str) -> list[str]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                variables = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue  # it has ended meanwhile, or is another user's
            if variable.encode() in variables:
                found.append(folder.name)
    return found
