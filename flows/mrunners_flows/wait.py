"""The flow `wait`: until the Jobs of a run that is there have ended.

It must not judge reports, nor mark the run as collected.
"""

from __future__ import annotations

from typing import Annotated

from prefect import flow

from mrunners.errors import IncompleteError
from mrunners.plan import bounds
from mrunners_flows.parameters import RunTarget, titled, validate_target
from mrunners_flows.states import errors_as_states
from mrunners_tasks._step import as_one
from mrunners_tasks.jobs import wait_for_jobs
from mrunners_tasks.runs import find_run

__all__ = ["wait"]


@flow(name="mrunners-wait", flow_run_name="wait {run.namespace}")
@errors_as_states
def wait(
    run: Annotated[RunTarget, titled("Run")],
    timeout: Annotated[str, titled("Timeout", **bounds.OPTIONAL_DURATION)] = "",
) -> None:
    """Wait until every Job of a run has ended; reports come home meanwhile.

    Args:
        run: Which run.
        timeout: A duration such as 2h; empty means as long as it takes.
    Raises: MrunnersError: pods failed or could not start, time is up, or there is no run.
    """
    validate_target(run, timeout=timeout)
    found = find_run(run.kubeconfig, run.namespace, run.tracker)
    problems = wait_for_jobs(run.kubeconfig, as_one(found), timeout)
    if problems:
        raise IncompleteError("\n".join(problems))
