"""The main flow: kperf runners over many hosts, and one report.

It must not hold logic: each line is a step.
"""

from __future__ import annotations

from prefect import flow, runtime
from prefect.client.schemas.objects import State

from mrunners.errors import MrunnersError
from mrunners.plan.options import RunOptions
from mrunners_flows.outcome import RunIncompleteError, RunOutcome, failed_state
from mrunners_tasks.collecting import collect_result, look_at_pods
from mrunners_tasks.creating import chunks, create_jobs
from mrunners_tasks.loading import load_profiles
from mrunners_tasks.merging import merge_reports
from mrunners_tasks.parsing import parse_runners
from mrunners_tasks.tracking import create_tracker
from mrunners_tasks.waiting import wait_for_jobs

__all__ = ["multirunners"]


@flow(name="multirunners", flow_run_name="{options.namespace}/{options.advanced.tracker}")
def multirunners(options: RunOptions) -> RunOutcome | State[MrunnersError]:
    """Run kperf load runners as Kubernetes Jobs and bring home one merged report.

    Args:
        options: what to run, and where.
    Returns: the run; with its report when `options.wait` is set.
    Raises: MrunnersError: with the exit code that the command line would end with.
    """
    try:
        return _run(options)
    except MrunnersError as error:
        return failed_state(error)


def _run(options: RunOptions) -> RunOutcome:
    where = options.kubeconfig
    specs = parse_runners(options)
    runners = load_profiles(options, specs) if specs else ()
    run = create_tracker(options, runners, options.advanced.run_key or str(runtime.flow_run.id))
    for label, jobs in chunks(run.missing):
        create_jobs(where, run, jobs, label)
    found = run.found
    outcome = RunOutcome(
        namespace=found.plan.namespace, tracker=found.tracker.name, run_id=found.plan.run_id
    )
    if not options.wait:
        return outcome
    problems = wait_for_jobs(where, found, options.timeout)
    view = look_at_pods(where, found)
    outcomes = [pod for job in view.state.jobs for pod in collect_result(where, found, view, job)]
    report = merge_reports(where, found, outcomes)
    outcome = outcome.model_copy(update={"report": report})
    if problems or not report.complete:
        raise RunIncompleteError("\n".join((report.verdict, *problems)), outcome)
    return outcome
