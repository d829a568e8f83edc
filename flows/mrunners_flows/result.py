"""The flow `result`: the merged report of a finished run, as artifacts and as its result."""

from __future__ import annotations

from typing import Annotated

from prefect import flow

from mrunners_flows.collect import collect
from mrunners_flows.parameters import RunTarget, titled, validate_target
from mrunners_flows.states import (
    RunIncompleteError,
    RunOutcome,
    completed_state,
    errors_as_states,
)
from mrunners_tasks.report_files import ReportFiles, require_folder
from mrunners_tasks.runs import find_run_once

__all__ = ["result"]


@flow(name="mrunners-result", flow_run_name="result {run.namespace}", persist_result=True)
@errors_as_states
def result(
    run: Annotated[RunTarget, titled("Run")],
    files: Annotated[ReportFiles, titled("Report as files")] = ReportFiles(),
) -> RunOutcome:
    """Collect and merge the reports of a run, and save them.

    Args:
        run: Which run; it must have finished.
        files: Besides the artifacts, which are an extract: the whole report as a page.

    Raises:
        MrunnersError: It is still running, or reports are missing.
    """
    validate_target(run)
    require_folder(files)
    existing = find_run_once(run.cluster, run.namespace, run.tracker)
    collected = collect(run.cluster, existing, files=files)
    outcome = RunOutcome(
        namespace=existing.ref.namespace,
        tracker=existing.ref.tracker,
        run_id=existing.plan.run_id,
        merged_report=collected.report,
    )
    if not collected.complete:
        raise RunIncompleteError(collected.summary, outcome)
    return completed_state(outcome)
