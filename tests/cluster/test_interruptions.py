"""A `run` that is ended in the middle, and `run --resume` after it: each Job exactly once."""

from __future__ import annotations

import signal

import pytest

from tests.cluster.commands import Finished
from tests.cluster.env import Env
from tests.cluster.gate import gate_before_job

RUNNERS = 40
SOME = 8


def _resume(env: Env) -> Finished:
    return env.mrunners("run", "--namespace", env.namespace, "--resume")


def _job_names(count: int) -> set[str]:
    return {f"mrunners-{index}" for index in range(count)}


def _went_well(env: Env, reports: int) -> None:
    assert env.mrunners("wait", env.namespace).code == 0
    result = env.mrunners("result", env.namespace)
    assert result.code == 0
    # Findings may follow: on a busy machine, pods start far apart.
    assert result.stderr.splitlines()[0] == f"{reports} of {reports} reports merged"
    assert len(env.kubectl.names("pods")) == reports


def test_after_a_sigkill_among_forty_jobs_resume_creates_what_is_missing_and_nothing_twice(
    env: Env,
) -> None:
    # All others would be there before a test could see the first one.
    with gate_before_job(env, "mrunners-3") as job_is_asked_for:
        started = env.start_run(*[env.quick()] * RUNNERS)
        job_is_asked_for()
        started.send(signal.SIGKILL)
        assert started.finish().code == -signal.SIGKILL
    before = env.jobs()
    assert {"mrunners-0"} <= set(before) <= _job_names(RUNNERS) - {"mrunners-3"}
    resumed = _resume(env)
    assert (resumed.code, resumed.stdout) == (0, "mrunners\n")
    after = env.jobs()
    assert set(after) == _job_names(RUNNERS)
    assert {name: after[name] for name in before} == before
    _went_well(env, RUNNERS)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_a_job_is_being_created_ends_the_run_soon_and_it_can_be_resumed(
    env: Env, number: signal.Signals, code: int
) -> None:
    with gate_before_job(env, "mrunners-4") as job_is_asked_for:
        started = env.start_run(*[env.quick()] * SOME)
        job_is_asked_for()
        started.send(number)
        # The API server would hold the request for 30 s.
        ended = started.finish(20)
    assert (ended.code, ended.stdout) == (code, "mrunners\n")
    assert "; the run continues; resume it with: mrunners run --namespace" in ended.stderr
    assert "Traceback" not in ended.stderr
    before = env.jobs()
    assert set(before) == _job_names(4)
    assert _resume(env).code == 0
    after = env.jobs()
    assert set(after) == _job_names(SOME)
    assert {name: after[name] for name in before} == before
    _went_well(env, SOME)


@pytest.mark.parametrize("words", [[], ["--wait"]])
def test_ctrl_c_ends_a_run_soon_that_has_a_prefect_server_of_its_own(
    env: Env, words: list[str]
) -> None:
    alone = env.mrunners.with_environ(PREFECT_API_URL="", PREFECT_HOME=str(env.folder / "fresh"))
    with gate_before_job(env, "mrunners-1") as job_is_asked_for:
        started = alone.start(*env.run_arguments(env.quick(), env.quick()), *words)
        job_is_asked_for()
        started.press_ctrl_c()
        # Prefect would ask for its server for 65 s.
        ended = started.finish(30)
    assert (ended.code, ended.stdout) == (130, "mrunners\n")
    assert "; the run continues; resume it with: mrunners run --namespace" in ended.stderr
    assert "Aborted" not in ended.stderr
    assert _resume(env).code == 0
    _went_well(env, 2)


def test_after_a_sigkill_between_tracker_and_first_job_resume_creates_them_all(
    env: Env,
) -> None:
    with gate_before_job(env, "mrunners-0") as job_is_asked_for:
        started = env.start_run(env.quick(), env.quick(2))
        job_is_asked_for()
        started.send(signal.SIGKILL)
        started.finish()
    assert env.jobs() == {}
    assert "mrunners" in env.kubectl.names("configmaps")
    assert env.mrunners("status", env.namespace, "--exit-code").code == 4
    assert _resume(env).code == 0
    assert set(env.jobs()) == _job_names(2)
    _went_well(env, 3)
