"""The end of a run that came home: memory for a retry, cleanup, event, and the flow's outcome.

It must not ask the cluster for reports.
"""

from __future__ import annotations

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
from mrunners.run.delete import delete_run
from mrunners.run.lookup import ExistingRun, get_run_or_none
from mrunners.run.observer import NullObserver
from mrunners_flows.collect import CollectedRun
from mrunners_flows.policy import CleanupPolicy, OnIncomplete, RunPolicy
from mrunners_flows.states import RunIncompleteError, RunOutcome
from mrunners_tasks._attempts import load_attempt, save_attempt
from mrunners_tasks._context import cluster_of
from mrunners_tasks._step import as_one
from mrunners_tasks.events import RunEvent, emit_run_event
from mrunners_tasks.runs import delete_existing_run

__all__ = [
    "FinishedRun",
    "cancelled_state",
    "finish_run",
    "previous_attempt",
    "remove_when_cancelled",
]


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run as far as it was asked for.

    Attributes:
        found: the run.
        home: what came home; None when nobody waits for it.
    """

    found: ExistingRun
    home: CollectedRun | None = None


def finish_run(options: RunOptions, policy: RunPolicy, key: str, done: FinishedRun) -> RunOutcome:
    """Do what is to be done after a run.

    Args:
        options: where it was.
        policy: what is to be done.
        key: of the run.
        done: what came of it.
    Raises: RunIncompleteError: something is missing, and that is to be a failure.
    """
    found, home = done.found, done.home
    outcome = RunOutcome(
        namespace=found.plan.namespace,
        tracker=found.tracker.name,
        run_id=found.plan.run_id,
        report=None if home is None else home.report,
    )
    if home is None:
        return outcome
    if policy.cleanup is CleanupPolicy.DELETE:
        _clean_up(options, key, done, home)
    emit_run_event(RunEvent.FINISHED if home.complete else RunEvent.INCOMPLETE, found, home.summary)
    if not home.complete and policy.on_incomplete is OnIncomplete.FAIL:
        raise RunIncompleteError(home.summary, outcome)
    return outcome


def previous_attempt(options: RunOptions, key: str) -> FinishedRun | None:
    """What an earlier attempt brought home before it removed the Jobs."""
    return load_attempt(_identity(options, key), FinishedRun)


def _clean_up(options: RunOptions, key: str, done: FinishedRun, home: CollectedRun) -> None:
    """Remove the Jobs; whatever keeps them, the report is there and the run is what it is."""
    if not home.collected:
        get_run_logger().warning("the Jobs stay: their run does not count as collected")
        return
    # Before: a retry of a flow that is killed in between has nothing else to go by.
    if not save_attempt(_identity(options, key), as_one(done)):
        get_run_logger().warning("the Jobs stay: the report could not be kept for a retry")
        return
    try:
        delete_existing_run(options.kubeconfig, as_one(done.found), force=True)
    except (ClusterError, WaitTimeoutError) as error:
        get_run_logger().warning("the Jobs were not removed: %s", error)


def _identity(options: RunOptions, key: str) -> str:
    """One pipeline may run several runs with one key, and none may have another's report."""
    return f"{key}\0{options.model_dump_json()}"


def cancelled_state(
    options: RunOptions, policy: RunPolicy, run_key: str, error: RunCancelledError
) -> Any:
    """End a flow that noticed by itself that it was cancelled."""
    message = f"{error}; {_tidy(options, policy, run_key)}"
    # With the error as its data, whoever called the flow gets that and not one of Prefect's.
    return Cancelled(message=message, data=RunCancelledError(message))


def remove_when_cancelled(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """The hook for a flow that a worker ended: it runs in another process."""
    del state
    try:
        options = RunOptions.model_validate(flow_run.parameters["options"])
        policy = RunPolicy.model_validate(flow_run.parameters.get("policy", {}))
    except (KeyError, ValidationError):
        return  # such a run was refused before it created anything
    done = _tidy(options, policy, options.advanced.run_key or str(flow_run.id))
    flow_run_logger(flow_run, flow).info(done)


def _tidy(options: RunOptions, policy: RunPolicy, run_key: str) -> str:
    """Remove this very run if that was asked for; say what became of it."""
    where = f"tracker {options.advanced.tracker} in namespace {options.namespace}"
    if policy.on_cancel is CleanupPolicy.KEEP:
        return f"{where} stays and can be resumed"
    try:
        cluster = cluster_of(options.kubeconfig)
        found = get_run_or_none(cluster, options.namespace, options.advanced.tracker)
        if found is None or found.plan.run_id != run_id_of(run_key):
            return f"there is no {where} of this run"
        delete_run(cluster, found, NullObserver(), force=True)
    except MrunnersError as error:
        return f"{where} could not be removed: {error}"
    return f"{where} was removed"
