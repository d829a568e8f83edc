"""The flow `multirunners` in a process whose steps can be held, so that a test can kill it there.

A worker runs this module as an entrypoint. The steps themselves are unchanged: a held step waits
in the middle of its work until the test deletes a file, and then continues.
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
import mrunners.run.wait
import mrunners_flows.finish
import mrunners_tasks.profiles
import mrunners_tasks.reports
from mrunners.kube.client import KubernetesCluster
from mrunners_flows.new_run import multirunners

__all__ = ["FOLDER_VARIABLE", "multirunners"]

FOLDER_VARIABLE = "TESTS_HELD_FLOW_FOLDER"

# A test that died must not leave processes behind.
HOLD_LIMIT_SECONDS = 600.0

# Step, and the call before which the process is held: owner, name, and the number of the call.
_HOLD_POINTS: tuple[tuple[str, ModuleType | type, str, int], ...] = (
    ("parsing", mrunners_tasks.profiles, "validate_options", 1),
    # Called before and after the tracker is created; the step has not ended at the second call.
    ("tracker", KubernetesCluster, "list_jobs", 2),
    ("creating", KubernetesCluster, "create_job", 2),
    ("waiting", mrunners.run.wait, "wait_for_run", 1),
    ("collecting", mrunners.run.result, "collect_job", 2),
    # One of two artifacts is saved.
    ("saving", mrunners_tasks.reports, "create_markdown_artifact", 1),
    # With `cleanup: delete` the Jobs have been deleted by now.
    ("ending", mrunners_flows.finish, "emit_run_event", 1),
)


def _hold_if_requested(step: str) -> None:
    """Wait while the test's file names this step."""
    namespace = runtime.flow_run.parameters["options"].namespace
    folder = Path(os.environ[FOLDER_VARIABLE]) / namespace
    step_file = folder / "step"
    if not step_file.exists() or step_file.read_text() != step:
        return
    (folder / "new").write_text(str(os.getpid()))
    (folder / "new").rename(folder / "held")
    deadline = time.monotonic() + HOLD_LIMIT_SECONDS
    while step_file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def _wrap(step: str, original: Callable[..., Any], call_number: int) -> Callable[..., Any]:
    calls = 0

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call_number:
            _hold_if_requested(step)
        return original(*args, **kwargs)

    return wrapper


# Not in the process of the tests, which imports this module for the variable's name.
if FOLDER_VARIABLE in os.environ:
    for _step, _owner, _name, _call_number in _HOLD_POINTS:
        setattr(_owner, _name, _wrap(_step, getattr(_owner, _name), _call_number))
