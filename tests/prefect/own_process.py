"""The flow in a process of its own, which may be told to be killed at one of its steps.

    python -m tests.prefect.own_process OPTIONS [CONDUCT [STEP]]

It must not catch or judge anything: the tests look at the server and the cluster.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from mrunners.plan.options import RunOptions
from mrunners_flows import collect, multirunners
from mrunners_flows.policy import RunPolicy

__all__ = ["STEPS"]


def _instead(*args: Any, **kwargs: Any) -> Any:
    """SIGKILL before the step does anything."""
    os.kill(os.getpid(), signal.SIGKILL)


def _after(step: Callable[..., Any]) -> Callable[..., Any]:
    """SIGKILL as soon as the step has done its work."""

    def doing(*args: Any, **kwargs: Any) -> None:
        step(*args, **kwargs)
        _instead()

    return doing


# Where a night may die: module, step, and whether the step was still done.
STEPS: dict[str, tuple[Any, str, bool]] = {
    "before the tracker": (multirunners, "create_tracker", False),
    "after the tracker": (multirunners, "create_tracker", True),
    "after the first job": (multirunners, "create_jobs", True),
    "while waiting": (collect, "wait_for_jobs", False),
    "before saving": (collect, "save_report", False),
    "after saving": (collect, "save_report", True),
    "after noting": (collect, "mark_collected_once", True),
}


def main(options: str, policy: str = "{}", step: str = "") -> None:
    """Run the flow."""
    if step:
        module, name, done = STEPS[step]
        setattr(module, name, _after(getattr(module, name)) if done else _instead)
    multirunners.multirunners(
        RunOptions.model_validate_json(options), RunPolicy.model_validate_json(policy)
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
