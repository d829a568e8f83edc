"""The flows for runs that exist already: `wait`, `result` and `delete`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from prefect import flow

from mrunners.plan.option_table import OPTIONS
from mrunners.reports.conclusion import FailOn
from mrunners.reports.slo import validate_objectives
from mrunners_flows.collect import collect
from mrunners_flows.parameters import RunTarget, flow_run_name, titled, validate_target
from mrunners_flows.states import (
    RunOutcome,
    completed_state,
    errors_as_states,
    require_success,
)
from mrunners_tasks.jobs import wait_for_jobs
from mrunners_tasks.report_files import ReportFiles, require_folder
from mrunners_tasks.runs import delete_run, find_run, find_run_once

__all__ = ["delete", "result", "wait"]


@flow(name="mrunners-wait", flow_run_name=flow_run_name("wait"))
@errors_as_states
def wait(
    run: Annotated[RunTarget, titled("Run")],
    timeout: Annotated[str, titled("Timeout", **OPTIONS["timeout"].schema)] = "",
) -> None:
    """Wait until every Job of a run has finished, and fetch its reports meanwhile.

    Args:
        run: Which run.
        timeout: A duration such as 2h, which includes finding the run; empty means no limit.

    Raises:
        MrunnersError: Pods failed or could not start, the timeout has passed, or there is no run.
    """
    validate_target(run, timeout=timeout)
    began = datetime.now(UTC)
    existing = find_run(run.cluster, run.namespace, run.tracker, timeout)
    wait_for_jobs(run.cluster, existing, timeout, began).require_complete()


@flow(name="mrunners-result", flow_run_name=flow_run_name("result"), persist_result=True)
@errors_as_states
def result(
    run: Annotated[RunTarget, titled("Run")],
    files: Annotated[ReportFiles, titled("Report as files")] = ReportFiles(),
    fail_on: Annotated[FailOn, titled(OPTIONS["fail_on"].title)] = FailOn.ERROR,
    slo: Annotated[list[str], titled(OPTIONS["slo"].title)] = [],  # noqa: B006  a form's default
) -> RunOutcome:
    """Collect and merge the reports of a run, and save them.

    Args:
        run: Which run; it must have finished.
        files: Besides the artifacts, which are an extract: the whole report as a page.
        fail_on: Which findings make a run fail whose reports are all merged: error, warning (and
            error), or never.
        slo: Objectives to judge besides those that the run was started with, such as `p99 < 1s`.

    Raises:
        MrunnersError: It is still running, reports are missing, an objective is not met, or the
            figures are in doubt.
    """
    validate_target(run)
    require_folder(files)
    validate_objectives(slo)
    existing = find_run_once(run.cluster, run.namespace, run.tracker)
    collected = collect(run.cluster, existing, files=files, slo=slo)
    outcome = RunOutcome.of(existing, collected)
    require_success(outcome, collected, fail_on)
    return completed_state(outcome)


@flow(name="mrunners-delete", flow_run_name=flow_run_name("delete"))
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
