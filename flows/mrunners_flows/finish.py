"""The end of a run that came home: memory for a retry, cleanup, event, and the flow's outcome.

It must not ask the cluster for reports.
"""

from __future__ import annotations

from dataclasses import dataclass

from prefect import get_run_logger

from mrunners.errors import ClusterError, WaitTimeoutError
from mrunners.plan.options import RunOptions
from mrunners.run.lookup import FoundRun
from mrunners_flows.collect import Home
from mrunners_flows.policy import Conduct, Keeping, OnIncomplete
from mrunners_flows.states import RunIncompleteError, RunOutcome
from mrunners_tasks._attempts import recall, remember
from mrunners_tasks.arguments import as_one
from mrunners_tasks.events import RunEvent, announce
from mrunners_tasks.runs import delete_found_run

__all__ = ["Done", "conclude", "recalled"]


@dataclass(frozen=True, slots=True)
class Done:
    """A run as far as it was asked for.

    Attributes:
        found: the run.
        home: what came home; None when nobody waits for it.
    """

    found: FoundRun
    home: Home | None = None


def conclude(options: RunOptions, conduct: Conduct, key: str, done: Done) -> RunOutcome:
    """Do what is to be done after a run.

    Args:
        options: where it was.
        conduct: what is to be done.
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
    if conduct.cleanup is Keeping.DELETE:
        _clean_up(options, key, done, home)
    announce(RunEvent.FINISHED if home.complete else RunEvent.INCOMPLETE, found, home.summary)
    if not home.complete and conduct.on_incomplete is OnIncomplete.FAIL:
        raise RunIncompleteError(home.summary, outcome)
    return outcome


def recalled(options: RunOptions, key: str) -> Done | None:
    """What an earlier attempt brought home before it removed the Jobs."""
    return recall(_identity(options, key), Done)


def _clean_up(options: RunOptions, key: str, done: Done, home: Home) -> None:
    """Remove the Jobs; whatever keeps them, the report is there and the run is what it is."""
    if not home.collected:
        get_run_logger().warning("the Jobs stay: their run does not count as collected")
        return
    # Before: a retry of a flow that is killed in between has nothing else to go by.
    if not remember(_identity(options, key), as_one(done)):
        get_run_logger().warning("the Jobs stay: the report could not be kept for a retry")
        return
    try:
        delete_found_run(options.kubeconfig, as_one(done.found), force=True)
    except (ClusterError, WaitTimeoutError) as error:
        get_run_logger().warning("the Jobs were not removed: %s", error)


def _identity(options: RunOptions, key: str) -> str:
    """One pipeline may run several runs with one key, and none may have another's report."""
    return f"{key}\0{options.model_dump_json()}"
