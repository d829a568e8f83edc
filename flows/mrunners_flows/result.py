"""The flow `result`: the merged report of a run that has ended, as artifacts and as its result.

It must not wait: a run that can still finish is refused.
"""

from __future__ import annotations

from typing import Annotated

from prefect import flow

from mrunners_flows.collect import collect
from mrunners_flows.parameters import RunReference, check_reference, titled
from mrunners_flows.states import (
    RunIncompleteError,
    RunOutcome,
    completed_state,
    known_failures,
)
from mrunners_tasks.report_files import ReportFiles, demand_folder
from mrunners_tasks.runs import find_same_run

__all__ = ["result"]


@flow(name="mrunners-result", flow_run_name="result {run.namespace}", persist_result=True)
@known_failures
def result(
    run: Annotated[RunReference, titled("Run")],
    files: Annotated[ReportFiles, titled("Report as files")] = ReportFiles(),
) -> RunOutcome:
    """Collect and merge the reports of a run, and save them.

    Args:
        run: Which run; it must have ended.
        files: Besides the artifacts, which are an extract: the whole report as a page.
    Raises: MrunnersError: it is still running, or reports are missing.
    """
    check_reference(run)
    demand_folder(files)
    found = find_same_run(run.kubeconfig, run.namespace, run.tracker)
    home = collect(run.kubeconfig, found, saving=files)
    outcome = RunOutcome(
        namespace=run.namespace,
        tracker=found.tracker.name,
        run_id=found.plan.run_id,
        report=home.report,
    )
    if not home.complete:
        raise RunIncompleteError(home.summary, outcome)
    return completed_state(outcome)
