"""A night that was killed at any step does not stop the next one."""

from __future__ import annotations

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.cluster.commands import Finished
from tests.cluster.env import KPERF, Env, NewEnv
from tests.prefect.own_process import STEPS
from tests.prefect.server import PrefectServer

POLICY = {"previous_run": "collect", "cleanup": "delete"}

# The steps after which the first night's reports are there to be collected by the second.
COLLECTED = ["after the first job", "while waiting", "before saving", "after saving"]


@dataclass(frozen=True)
class Nights:
    """Two nights under one tracker: the first is killed at a step, the second is not."""

    namespace: str
    tracker: str
    first: Finished
    left: set[str]
    second: Finished


@pytest.fixture(scope="module")
def nights(server: PrefectServer, new_env: NewEnv) -> dict[str, Nights]:
    """Both nights for each step; side by side, each with a tracker of its own."""
    with new_env("nights") as env, ThreadPoolExecutor(2) as pool:
        return dict(zip(STEPS, pool.map(lambda s: _two_nights(env, s), STEPS), strict=True))


def _two_nights(env: Env, step: str) -> Nights:
    tracker = step.replace(" ", "-")
    options = json.dumps(
        {
            "namespace": env.namespace,
            "runner_image": KPERF,
            "runners": [env.quick(1)],
            "service_account": "kperf-runner",
            "wait": True,
            "advanced": {"tracker": tracker},
        }
    )
    words = ["-m", "tests.prefect.own_process", options, json.dumps(POLICY)]
    first = env.mrunners.python(*words, step).finish()
    left = {name for name in env.jobs() if name.startswith(tracker)}
    second = env.mrunners.python(*words).finish()
    return Nights(env.namespace, tracker, first, left, second)


@pytest.mark.parametrize("step", STEPS)
def test_the_next_night_completes_and_cleans_up(nights: dict[str, Nights], step: str) -> None:
    two = nights[step]
    assert two.first.code == -signal.SIGKILL, two.first.stderr
    assert two.second.code == 0, two.second.stderr
    assert "1 of 1 reports merged" in two.second.stderr


@pytest.mark.parametrize("step", COLLECTED)
def test_its_reports_are_collected_and_saved_first(
    nights: dict[str, Nights], server: PrefectServer, step: str
) -> None:
    two = nights[step]
    assert two.left == {f"{two.tracker}-0"}
    runs = [r for r in server.runs_in(two.namespace) if f"/{two.tracker} " in r["name"]]
    first, second = runs
    reports = [
        artifact["data"]
        for artifact in server.artifacts(second["id"])
        if artifact["type"] == "markdown"
    ]
    assert len(reports) == 2
    assert all("1 of 1 reports merged" in report for report in reports)
    assert first["state_type"] == "RUNNING"  # nobody has noticed; see deploy/lost_runs.py
