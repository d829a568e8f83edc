"""The flow `wait`: waits until the Jobs of an existing run have finished."""

from __future__ import annotations

from typing import Annotated

from prefect import flow

from mrunners.plan.option_table import OPTIONS
from mrunners_flows.parameters import RunTarget, titled, validate_target
from mrunners_flows.states import errors_as_states
from mrunners_tasks.jobs import wait_for_jobs
from mrunners_tasks.runs import find_run

__all__ = ["wait"]


@flow(name="mrunners-wait", flow_run_name="wait {run.namespace}")
@errors_as_states
def wait(
    run: Annotated[RunTarget, titled("Run")],
    timeout: Annotated[str, titled("Timeout", **OPTIONS["timeout"].schema)] = "",
) -> None:
    """Wait until every Job of a run has finished, and fetch its reports meanwhile.

    Args:
        run: Which run.
        timeout: A duration such as 2h; empty means no limit.

    Raises:
        MrunnersError: Pods failed or could not start, the timeout has passed, or there is no run.
    """
    validate_target(run, timeout=timeout)
    existing = find_run(run.cluster, run.namespace, run.tracker)
    wait_for_jobs(run.cluster, existing, timeout).require_complete()
