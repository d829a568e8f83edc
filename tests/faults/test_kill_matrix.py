"""Kill the worker, the flow's process or the server at each step of a run, and resume it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.cluster.commands import has_ended, until
from tests.cluster.env import Env, NewEnv
from tests.faults.harness import SECONDS, Harness
from tests.faults.tally import Tally

STEPS = ("parsing", "tracker", "creating", "waiting", "collecting", "saving")
PODS = 3  # of two Jobs
COMPLETE_COVERAGE = {"expected": PODS, "merged": PODS, "missing": [], "nothingSucceeded": []}

# The number of Jobs while a step is held.
JOBS_WHEN_HELD = {
    "parsing": 0,
    "tracker": 0,
    "creating": 1,
    "waiting": 2,
    "collecting": 2,
    "saving": 2,
}

# The state of the flow run afterwards. Without its server a flow waits and continues. A flow whose
# worker is killed ends as crashed. A worker that gets SIGTERM ends the flow without reporting it.
STATE_AFTER = {
    ("flow", signal.SIGKILL): "CRASHED",
    ("flow", signal.SIGTERM): "CRASHED",
    ("worker", signal.SIGKILL): "CRASHED",
    ("worker", signal.SIGTERM): "RUNNING",
    ("server", signal.SIGKILL): "COMPLETED",
    ("server", signal.SIGTERM): "COMPLETED",
}


def _state_type(harness: Harness, env: Env) -> str:
    (run,) = harness.server.runs_in(env.namespace)
    return str(run["state_type"])


def _runners(env: Env) -> list[str]:
    return [env.quick(2), env.quick(1)]


@pytest.fixture
def held_runs(
    harness: Harness, new_env: NewEnv, request: pytest.FixtureRequest
) -> Iterator[dict[str, tuple[Env, int]]]:
    """Six runs, each in its own namespace and held at another step: step -> (env, pid)."""
    processes: dict[str, tuple[Env, int]] = {}
    with ExitStack() as stack:
        envs = {step: stack.enter_context(new_env(f"kill-{step}")) for step in STEPS}
        try:
            # In pairs: six flows that start at once can be more than SQLite bears. A change of
            # state that the server makes but answers too late is refused when Prefect's client
            # repeats it, and nothing takes up that flow run any more.
            for steps in (STEPS[:2], STEPS[2:4], STEPS[4:]):
                for step in steps:
                    harness.hold_at(step, envs[step], *_runners(envs[step]))
                for step in steps:
                    processes[step] = envs[step], harness.wait_until_held(envs[step])
            yield processes
        finally:
            for _, pid in processes.values():
                if not has_ended(pid):
                    os.kill(pid, signal.SIGKILL)


# `make test` runs six of the 36 cases to save time, `make test-faults` all of them.
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
    harness: Harness,
    held_runs: dict[str, tuple[Env, int]],
    record_tally: Callable[[Tally], None],
) -> None:
    before = {step: env.jobs() for step, (env, _) in held_runs.items()}
    assert {step: len(jobs) for step, jobs in before.items()} == JOBS_WHEN_HELD
    trackers = {s for s, (env, _) in held_runs.items() if "mrunners" in env.kubectl.names("cm")}
    assert trackers == {*STEPS} - {"parsing"}
    if target == "flow":
        for _, pid in held_runs.values():
            os.kill(pid, number)
    else:
        harness.kill(target, number)
    # What survives continues: an orphaned flow, or one without a server.
    for env, _ in held_runs.values():
        harness.release(env)
    if target == "server":
        harness.start_server()
    for step, (_, pid) in held_runs.items():
        until(f"the process held at {step} ends", lambda pid=pid: has_ended(pid), SECONDS)  # type: ignore[misc]
    for step, (env, _) in held_runs.items():
        until(
            f"the flow run held at {step} is {STATE_AFTER[target, number]}",
            lambda env=env: _state_type(harness, env) == STATE_AFTER[target, number],  # type: ignore[misc]
            SECONDS,
        )

    resumed = {
        step: env.mrunners.with_environ(**harness.server_environ).start(
            *env.run_arguments(*_runners(env)), "--resume", "--wait"
        )
        for step, (env, _) in held_runs.items()
    }
    results = {step: started.finish(SECONDS) for step, started in resumed.items()}
    stderr = "\n".join(f"{step}: {result.stderr}" for step, result in results.items())
    assert {(result.code, result.stdout) for result in results.values()} == {(0, "mrunners\n")}, (
        stderr
    )
    for step, (env, _) in held_runs.items():
        after = env.jobs()
        assert set(after) == {"mrunners-0", "mrunners-1"}, step
        assert {name: after[name] for name in before[step]} == before[step], step
        assert len(env.kubectl.names("pods")) == PODS, step
        result = env.mrunners("result", env.namespace)
        assert result.code == 0, (step, result.stderr)
        report = result.report
        assert report["coverage"] == COMPLETE_COVERAGE, step
        assert report["total"] == PODS * 50, step
    # Whatever was lost, made twice or called complete without being so has failed the test by now.
    record_tally(Tally(kill_runs=len(STEPS), kills=len(STEPS) if target == "flow" else 1))
