"""The flow `delete`: removes a run and waits until nothing of it is left.

It must not remove a run whose reports nobody has, unless it is forced.
"""

from __future__ import annotations

from typing import Annotated

from prefect import flow

from mrunners_flows.parameters import RunTarget, titled, validate_target
from mrunners_flows.states import errors_as_states
from mrunners_tasks._step import as_one
from mrunners_tasks.runs import delete_existing_run, find_run

__all__ = ["delete"]


@flow(name="mrunners-delete", flow_run_name="delete {run.namespace}")
@errors_as_states
def delete(
    run: Annotated[RunTarget, titled("Run")],
    force: Annotated[bool, titled("Force")] = False,
) -> None:
    """Delete a run's tracker, Jobs and pods.

    Args:
        run: Which run.
        force: Also when it has not finished, or its report was never collected.
    Raises: MrunnersError: it needs force, or there is no run.
    """
    validate_target(run)
    found = find_run(run.kubeconfig, run.namespace, run.tracker)
    delete_existing_run(run.kubeconfig, as_one(found), force=force)
