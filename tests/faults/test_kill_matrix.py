"""Worker, flow process and Prefect server, each killed at each step of a run, which is resumed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.cluster.commands import until
from tests.cluster.env import Env, NewEnv
from tests.faults.harness import SECONDS, Stage

STEPS = ("parsing", "tracker", "creating", "waiting", "collecting", "saving")
PODS = 3  # of two Jobs
WHOLE = {"expected": PODS, "merged": PODS, "missing": [], "nothingSucceeded": []}

# How many Jobs stand when a step is held.
JOBS_THEN = {"parsing": 0, "tracker": 0, "creating": 1, "waiting": 2, "collecting": 2, "saving": 2}

# What becomes of the flow run itself. Without its server it waits and goes on. It ends by itself
# when its worker is killed; a worker that is asked to end takes it along, and nobody says so.
LEFT_AS = {
    ("flow", signal.SIGKILL): "CRASHED",
    ("flow", signal.SIGTERM): "CRASHED",
    ("worker", signal.SIGKILL): "CRASHED",
    ("worker", signal.SIGTERM): "RUNNING",
    ("server", signal.SIGKILL): "COMPLETED",
    ("server", signal.SIGTERM): "COMPLETED",
}


def _state(stage: Stage, env: Env) -> str:
    (run,) = stage.orchestra.runs_in(env.namespace)
    return str(run["state_type"])


def _runners(env: Env) -> list[str]:
    return [env.quick(2), env.quick(1)]


@pytest.fixture
def held(
    stage: Stage, new_env: NewEnv, request: pytest.FixtureRequest
) -> Iterator[dict[str, tuple[Env, int]]]:
    """Six runs, each in a namespace of its own, held at one step each: ground and process."""
    with ExitStack() as stack:
        grounds = {step: stack.enter_context(new_env(f"kill-{step}")) for step in STEPS}
        for step, env in grounds.items():
            stage.run_until(step, env, *_runners(env))
        processes = {step: (env, stage.held(env)) for step, env in grounds.items()}
        try:
            yield processes
        finally:
            for _, pid in processes.values():
                if not stage.ended(pid):
                    os.kill(pid, signal.SIGKILL)


# Six of the 36 cases for `make test`, which is long enough; all for `make test-faults`.
@pytest.mark.parametrize(
    ("target", "number"),
    [
        pytest.param("flow", signal.SIGKILL, id="flow-kill"),
        pytest.param("flow", signal.SIGTERM, id="flow-term", marks=pytest.mark.long),
        pytest.param("worker", signal.SIGKILL, id="worker-kill", marks=pytest.mark.long),
        pytest.param("worker", signal.SIGTERM, id="worker-term", marks=pytest.mark.long),
        pytest.param("server", signal.SIGKILL, id="server-kill", marks=pytest.mark.long),
        pytest.param("server", signal.SIGTERM, id="server-term", marks=pytest.mark.long),
    ],
)
def test_a_run_killed_at_any_step_is_resumed_with_each_job_and_each_report_once(
    target: str,
    number: signal.Signals,
    stage: Stage,
    held: dict[str, tuple[Env, int]],
) -> None:
    before = {step: env.jobs() for step, (env, _) in held.items()}
    assert {step: len(jobs) for step, jobs in before.items()} == JOBS_THEN
    trackers = {s for s, (env, _) in held.items() if "mrunners" in env.kubectl.names("cm")}
    assert trackers == {*STEPS} - {"parsing"}
    if target == "flow":
        for _, pid in held.values():
            os.kill(pid, number)
    else:
        stage.kill(target, number)
    # What survives goes on: an orphaned flow, or one whose server is away.
    for env, _ in held.values():
        stage.release(env)
    if target == "server":
        stage.start_server()
    for step, (_, pid) in held.items():
        until(f"the process of {step} ends", lambda pid=pid: stage.ended(pid), SECONDS)  # type: ignore[misc]
    for step, (env, _) in held.items():
        until(
            f"the flow run of {step} is {LEFT_AS[target, number]}",
            lambda env=env: _state(stage, env) == LEFT_AS[target, number],  # type: ignore[misc]
            SECONDS,
        )

    resumed = {
        step: env.mrunners.having(**stage.here).start(
            *env.run_words(*_runners(env)), "--resume", "--wait"
        )
        for step, (env, _) in held.items()
    }
    ends = {step: started.finish(SECONDS) for step, started in resumed.items()}
    said = "\n".join(f"{step}: {end.stderr}" for step, end in ends.items())
    assert {(end.code, end.stdout) for end in ends.values()} == {(0, "mrunners\n")}, said
    for step, (env, _) in held.items():
        after = env.jobs()
        assert set(after) == {"mrunners-0", "mrunners-1"}, step
        assert {name: after[name] for name in before[step]} == before[step], step
        assert len(env.kubectl.names("pods")) == PODS, step
        result = env.mrunners("result", env.namespace)
        assert result.code == 0, (step, result.stderr)
        report = result.report
        assert report["coverage"] == WHOLE, step
        assert report["total"] == PODS * 50, step
