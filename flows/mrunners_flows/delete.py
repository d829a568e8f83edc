"""The flow `delete`: deletes an existing run and waits until nothing of it is left."""

from __future__ import annotations

from typing import Annotated

from prefect import flow

from mrunners_flows.parameters import RunTarget, titled, validate_target
from mrunners_flows.states import errors_as_states
from mrunners_tasks.runs import delete_run, find_run

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

    Raises:
        MrunnersError: It needs `force`, or there is no run.
    """
    validate_target(run)
    existing = find_run(run.cluster, run.namespace, run.tracker)
    delete_run(run.cluster, existing, force=force)
