"""The end of a run: what a retry needs, cleanup, event, outcome; and what a cancelled run leaves.

Only a cancelled flow run may delete its Jobs before they were collected, and only if the policy
says so. Whatever else stops a flow leaves a run that can be resumed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from prefect import Flow, get_run_logger
from prefect.client.schemas.objects import FlowRun, State
from prefect.logging.loggers import flow_run_logger
from prefect.states import Cancelled
from pydantic import ValidationError

from mrunners.errors import ClusterError, MrunnersError, RunCancelledError, WaitTimeoutError
from mrunners.plan.options import RunOptions
from mrunners.plan.plan import run_id_of
from mrunners.reports.conclusion import Conclusion
from mrunners.run.lookup import ExistingRun, get_run_or_none
from mrunners.run.result import CollectedRun
from mrunners.run.second_look import look_twice
from mrunners_flows.policy import RunPolicy
from mrunners_flows.states import RunOutcome, require_success
from mrunners_tasks._attempts import load_attempt, save_attempt
from mrunners_tasks._context import connection_to
from mrunners_tasks.events import RunEvent, emit_run_event, event_figures
from mrunners_tasks.reports import artifact_key
from mrunners_tasks.runs import delete_run

__all__ = [
    "FinishedRun",
    "cancelled_state",
    "delete_when_cancelled",
    "finish_run",
    "previous_attempt",
]


_EVENTS = {
    Conclusion.COMPLETE: RunEvent.FINISHED,
    Conclusion.SLO_VIOLATED: RunEvent.SLO_VIOLATED,
    Conclusion.IN_DOUBT: RunEvent.IN_DOUBT,
    Conclusion.INCOMPLETE: RunEvent.INCOMPLETE,
    Conclusion.UNFINISHED: RunEvent.INCOMPLETE,
}


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run when its flow has done what it was asked for.

    Attributes:
        run: The run.
        collected: What was collected; None when the flow does not wait for it.
    """

    run: ExistingRun
    collected: CollectedRun | None = None


def finish_run(
    options: RunOptions, policy: RunPolicy, key: str, finished: FinishedRun
) -> RunOutcome:
    """Do what the policy says after a run, and return the outcome.

    Args:
        options: The options of the run.
        policy: What to do.
        key: The key of the run.
        finished: What became of it.

    Raises:
        RunIncompleteError: Something is missing, and the policy makes that a failure.
        RunSloViolatedError: An objective is not met.
        RunInDoubtError: Findings put the figures in doubt, and the options make that a failure.
    """
    collected = finished.collected
    outcome = RunOutcome.of(finished.run, collected)
    if collected is None:
        return outcome
    if policy.cleanup == "delete":
        _clean_up(options, key, finished, collected)
    conclusion = collected.conclusion(options.fail_on)
    artifact = artifact_key(finished.run.ref, "report") if policy.save else None
    figures = event_figures(collected.report, conclusion, artifact)
    emit_run_event(_EVENTS[conclusion], finished.run.plan, collected.summary, figures)
    accepted = policy.on_incomplete == "report"
    require_success(outcome, collected, options.fail_on, accept_incomplete=accepted)
    return outcome


def previous_attempt(options: RunOptions, key: str) -> FinishedRun | None:
    """Return what an earlier attempt collected before it deleted the Jobs."""
    return load_attempt(_identity(options, key), FinishedRun)


def cancelled_state(
    options: RunOptions, policy: RunPolicy, key: str, error: RunCancelledError
) -> Any:
    """Return the state of a flow that noticed by itself that it was cancelled."""
    message = f"{error}; {_delete_if_wanted(options, policy, key)}"
    # With the error as its data, the caller of the flow gets ours and not one of Prefect's.
    return Cancelled(message=message, data=RunCancelledError(message))


def delete_when_cancelled(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Do what the policy says about a cancelled run; the hook for a flow that a worker ended."""
    del state
    try:
        options = RunOptions.model_validate(flow_run.parameters["options"])
        policy = RunPolicy.model_validate(flow_run.parameters.get("policy", {}))
    except (KeyError, ValidationError):
        return  # such a run was refused before it created anything
    result = _delete_if_wanted(options, policy, options.advanced.run_key or str(flow_run.id))
    flow_run_logger(flow_run, flow).info(result)


def _clean_up(
    options: RunOptions, key: str, finished: FinishedRun, collected: CollectedRun
) -> None:
    """Delete the Jobs; if that fails, the report exists and the outcome stays the same."""
    if not collected.collected:
        get_run_logger().warning("the Jobs stay, because their run does not count as collected")
        return
    # Before: a retry of a flow that is killed in between has nothing else to rely on.
    if not save_attempt(_identity(options, key), finished):
        get_run_logger().warning("the Jobs stay, because the report could not be kept for a retry")
        return
    try:
        delete_run(options.cluster, finished.run, force=True)
    except (ClusterError, WaitTimeoutError) as error:
        get_run_logger().warning("the Jobs were not deleted: %s", error)


def _delete_if_wanted(options: RunOptions, policy: RunPolicy, key: str) -> str:
    """Delete this run, and no successor, if the policy says so, and return what became of it."""
    ref = options.ref
    if policy.on_cancel == "keep":
        return f"tracker {ref} stays, and its run can be resumed"
    try:
        connection = connection_to(options.cluster)
        run = look_twice(lambda: get_run_or_none(connection.cluster, ref), time.sleep)
        if run is None or run.plan.run_id != run_id_of(key):
            return f"tracker {ref} of this run does not exist"
        connection.bind(run).delete(force=True)
    except MrunnersError as error:
        return f"tracker {ref} could not be deleted: {error}"
    return f"tracker {ref} was deleted"


def _identity(options: RunOptions, key: str) -> str:
    """One pipeline may have several runs with one key, and none may get another's report."""
    return f"{key}\0{options.model_dump_json()}"
