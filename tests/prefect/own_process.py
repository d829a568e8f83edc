"""The flow in a process of its own, which can kill itself at one of its steps.

    python -m tests.prefect.own_process OPTIONS [POLICY [STEP]]

The tests look at the server and the cluster; this module neither catches nor checks anything.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from mrunners.plan.options import RunOptions
from mrunners_flows import collect, new_run
from mrunners_flows.policy import RunPolicy

__all__ = ["STEPS"]


def _kill_before(*args: Any, **kwargs: Any) -> Any:
    """Kill this process before the step does anything."""
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_after(step: Callable[..., Any]) -> Callable[..., Any]:
    """Kill this process as soon as the step has finished."""

    def wrapper(*args: Any, **kwargs: Any) -> None:
        step(*args, **kwargs)
        _kill_before()

    return wrapper


# Step -> module, function, and whether to kill the process after the function instead of before.
STEPS: dict[str, tuple[Any, str, bool]] = {
    "before the tracker": (new_run, "create_tracker", False),
    "after the tracker": (new_run, "create_tracker", True),
    "after the first job": (new_run, "create_jobs", True),
    "while waiting": (collect, "wait_for_jobs", False),
    "before saving": (collect, "save_report", False),
    "after saving": (collect, "save_report", True),
    "after marking": (collect, "mark_collected", True),
}


def run(options: str, policy: str = "{}", step: str = "") -> None:
    """Run the flow, and kill this process at the given step."""
    if step:
        module, name, after = STEPS[step]
        setattr(module, name, _kill_after(getattr(module, name)) if after else _kill_before)
    new_run.multirunners(
        RunOptions.model_validate_json(options), RunPolicy.model_validate_json(policy)
    )


if __name__ == "__main__":
    run(*sys.argv[1:])
