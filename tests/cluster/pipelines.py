"""Flows as users write them around `multirunners`; each prints its result as JSON.

`python -m tests.cluster.pipelines SCENARIO OPTIONS…` runs one of them in a process of its own, as
a user would. Nothing is asserted here; the test reads the output.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from prefect import flow

from mrunners.errors import MrunnersError
from mrunners.plan.options import RunOptions
from mrunners_flows.new_run import multirunners
from mrunners_flows.states import RunOutcome

JOBS = ["get", "jobs", "--output=json"]


def alone(options: RunOptions) -> Any:
    """Run the flow on its own."""
    return _summary(multirunners(options))


def ending(options: RunOptions) -> Any:
    """Return the state in which the flow ends."""
    state = multirunners(options, return_state=True)
    return {"name": state.name, "type": state.type.value, "message": state.message}


@flow
def careful_pipeline(options: RunOptions) -> dict[str, Any]:
    """A parent that catches the errors of the run."""
    try:
        return _summary(multirunners(options))
    except MrunnersError as error:
        return {"error": type(error).__name__, "exit_code": int(error.exit_code)}


@flow
def plain_pipeline(options: RunOptions) -> dict[str, Any]:
    """A parent that does not catch errors."""
    return _summary(multirunners(options))


_attempts: list[dict[str, str]] = []


@flow(retries=1)
def retried_pipeline(options: RunOptions, kubectl: list[str]) -> Any:
    """A parent whose first attempt has a timeout that is too short."""
    timeout = "" if _attempts else "1s"
    try:
        outcome = multirunners(options.model_copy(update={"timeout": timeout}))
    finally:
        jobs = json.loads(subprocess.run([*kubectl, *JOBS], capture_output=True, check=True).stdout)
        _attempts.append({job["metadata"]["name"]: job["metadata"]["uid"] for job in jobs["items"]})
    return {**_summary(outcome), "jobs_after_attempts": _attempts}


def _summary(outcome: Any) -> dict[str, Any]:
    assert isinstance(outcome, RunOutcome)
    report = outcome.report
    return {
        "tracker": outcome.tracker,
        "run": outcome.run_id,
        "verdict": None if report is None else report.verdict,
    }


def _main(scenario: str, *arguments: str) -> None:
    scenarios: dict[str, Callable[[RunOptions], Any]] = {
        "alone": alone,
        "ending": ending,
        "careful": careful_pipeline,
        "plain": _error_of_plain_pipeline,
        "retried": lambda options: retried_pipeline(options, json.loads(arguments[-1])),
    }
    runs = arguments[:1] if scenario == "retried" else arguments
    print(json.dumps([scenarios[scenario](RunOptions.model_validate_json(t)) for t in runs]))


def _error_of_plain_pipeline(options: RunOptions) -> Any:
    try:
        return plain_pipeline(options)
    except MrunnersError as error:
        return {"error": type(error).__name__, "exit_code": int(error.exit_code)}


if __name__ == "__main__":
    _main(*sys.argv[1:])
