"""What a cancelled flow run leaves: its Jobs, unless it was told to remove them.

It must not run on any other end: whatever else stops a flow leaves a run that can be resumed.
"""

from __future__ import annotations

from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.logging.loggers import flow_run_logger
from prefect.states import Cancelled
from pydantic import ValidationError

from mrunners.errors import MrunnersError, RunCancelledError
from mrunners.plan.options import RunOptions
from mrunners.plan.plan import run_id_of
from mrunners.run.delete import delete_run
from mrunners.run.lookup import existing_run
from mrunners.run.observer import Silence
from mrunners_flows.policy import Conduct, Keeping
from mrunners_tasks._context import cluster_of

__all__ = ["cancelled_state", "remove_when_cancelled"]


def cancelled_state(
    options: RunOptions, conduct: Conduct, run_key: str, error: RunCancelledError
) -> Any:
    """End a flow that noticed by itself that it was cancelled."""
    message = f"{error}; {_tidy(options, conduct, run_key)}"
    # With the error as its data, whoever called the flow gets that and not one of Prefect's.
    return Cancelled(message=message, data=RunCancelledError(message))


def remove_when_cancelled(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """The hook for a flow that a worker ended: it runs in another process."""
    del state
    try:
        options = RunOptions.model_validate(flow_run.parameters["options"])
        conduct = Conduct.model_validate(flow_run.parameters.get("conduct", {}))
    except (KeyError, ValidationError):
        return  # such a run was refused before it created anything
    done = _tidy(options, conduct, options.advanced.run_key or str(flow_run.id))
    flow_run_logger(flow_run, flow).info(done)


def _tidy(options: RunOptions, conduct: Conduct, run_key: str) -> str:
    """Remove this very run if that was asked for; say what became of it."""
    where = f"tracker {options.advanced.tracker} in namespace {options.namespace}"
    if conduct.on_cancel is Keeping.KEEP:
        return f"{where} stays and can be resumed"
    try:
        cluster = cluster_of(options.kubeconfig)
        found = existing_run(cluster, options.namespace, options.advanced.tracker)
        if found is None or found.plan.run_id != run_id_of(run_key):
            return f"there is no {where} of this run"
        delete_run(cluster, found, Silence(), force=True)
    except MrunnersError as error:
        return f"{where} could not be removed: {error}"
    return f"{where} was removed"
