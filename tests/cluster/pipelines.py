"""Flows as users write them around `multirunners`; each prints what came of it as JSON.

It must not assert: `python -m tests.cluster.pipelines SCENARIO OPTIONS…` runs one of them in a
process of its own, as a user would, and the test reads what it printed.
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
from mrunners_flows.multirunners import multirunners
from mrunners_flows.states import RunOutcome

JOBS = ["get", "jobs", "--output=json"]


def alone(options: RunOptions) -> Any:
    """The flow by itself."""
    return _told(multirunners(options))


def ending(options: RunOptions) -> Any:
    """The state in which the flow ends."""
    state = multirunners(options, return_state=True)
    return {"name": state.name, "type": state.type.value, "message": state.message}


@flow
def careful_pipeline(options: RunOptions) -> dict[str, Any]:
    """A parent that catches what the run raises."""
    try:
        return _told(multirunners(options))
    except MrunnersError as error:
        return {"error": type(error).__name__, "exit_code": int(error.exit_code)}


@flow
def plain_pipeline(options: RunOptions) -> dict[str, Any]:
    """A parent that does not."""
    return _told(multirunners(options))


_attempts: list[dict[str, str]] = []


@flow(retries=1)
def retried_pipeline(options: RunOptions, kubectl: list[str]) -> Any:
    """A parent that has too little patience with the run at first."""
    timeout = "" if _attempts else "1s"
    try:
        outcome = multirunners(options.model_copy(update={"timeout": timeout}))
    finally:
        jobs = json.loads(subprocess.run([*kubectl, *JOBS], capture_output=True, check=True).stdout)
        _attempts.append({job["metadata"]["name"]: job["metadata"]["uid"] for job in jobs["items"]})
    return {**_told(outcome), "jobs_after_attempts": _attempts}


def _told(outcome: Any) -> dict[str, Any]:
    assert isinstance(outcome, RunOutcome)
    report = outcome.report
    return {
        "tracker": outcome.tracker,
        "run": outcome.run_id,
        "verdict": None if report is None else report.verdict,
    }


def _main(scenario: str, *texts: str) -> None:
    scenarios: dict[str, Callable[[RunOptions], Any]] = {
        "alone": alone,
        "ending": ending,
        "careful": careful_pipeline,
        "plain": _parents_error,
        "retried": lambda options: retried_pipeline(options, json.loads(texts[-1])),
    }
    given = texts[:1] if scenario == "retried" else texts
    print(json.dumps([scenarios[scenario](RunOptions.model_validate_json(t)) for t in given]))


def _parents_error(options: RunOptions) -> Any:
    try:
        return plain_pipeline(options)
    except MrunnersError as error:
        return {"error": type(error).__name__, "exit_code": int(error.exit_code)}


if __name__ == "__main__":
    _main(*sys.argv[1:])
