"""The flow `multirunners` as it is, in a process whose steps can be held: a kill needs to hit one.

A worker runs it as an entrypoint. It must not change what a step does: a held step waits in the
middle of its work for as long as a file of the test's is there, and goes on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from prefect import runtime

import mrunners.run.result
import mrunners_flows.finish
import mrunners_tasks.jobs
import mrunners_tasks.profiles
import mrunners_tasks.reports
from mrunners.kube.client import KubernetesCluster
from mrunners_flows.multirunners import multirunners

__all__ = ["FOLDER_VARIABLE", "multirunners"]

FOLDER_VARIABLE = "TESTS_HOLDING_FOLDER"

# A test that died must not leave processes for ever.
LIMIT_SECONDS = 300.0

# A step, and the call in it before which the process is held: the how-manieth of that name.
_HELD_AT: tuple[tuple[str, ModuleType | type, str, int], ...] = (
    ("parsing", mrunners_tasks.profiles, "validate_options", 1),
    # Once before the tracker is made, and once when it stands: its step has not ended then.
    ("tracker", KubernetesCluster, "list_jobs", 2),
    ("creating", KubernetesCluster, "create_job", 2),
    ("waiting", mrunners_tasks.jobs, "wait_for_run", 1),
    ("collecting", mrunners.run.result, "collect_job", 2),
    # One of two artifacts is saved.
    ("saving", mrunners_tasks.reports, "create_markdown_artifact", 1),
    # With `cleanup: delete` its Jobs are gone by now.
    ("ending", mrunners_flows.finish, "emit_run_event", 1),
)


def _hold(step: str) -> None:
    namespace = runtime.flow_run.parameters["options"].namespace
    folder = Path(os.environ[FOLDER_VARIABLE]) / namespace
    wanted = folder / "step"
    if not wanted.exists() or wanted.read_text() != step:
        return
    (folder / "new").write_text(str(os.getpid()))
    (folder / "new").rename(folder / "held")
    deadline = time.monotonic() + LIMIT_SECONDS
    while wanted.exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def _held(step: str, original: Callable[..., Any], number: int) -> Callable[..., Any]:
    calls = 0

    def held(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            _hold(step)
        return original(*args, **kwargs)

    return held


# Not in the tests' own process, which imports this for the variable's name.
if FOLDER_VARIABLE in os.environ:
    for _step, _where, _name, _number in _HELD_AT:
        setattr(_where, _name, _held(_step, getattr(_where, _name), _number))
