"""The main flow: kperf runners over many hosts, and one report.

It must not hold logic: each line is a step.
"""

from __future__ import annotations

from typing import Annotated, cast

from prefect import flow, runtime

from mrunners.errors import RunCancelledError
from mrunners.plan.options import RunOptions
from mrunners_flows.collect import wait_and_collect
from mrunners_flows.finish import (
    FinishedRun,
    cancelled_state,
    finish_run,
    previous_attempt,
    remove_when_cancelled,
)
from mrunners_flows.parameters import name_of_run, titled
from mrunners_flows.policy import RunPolicy, validate_policy
from mrunners_flows.previous_run import collect_previous_run, collects_previous_run
from mrunners_flows.states import RunOutcome, completed_state, errors_as_states
from mrunners_tasks._batching import batches
from mrunners_tasks._step import as_one
from mrunners_tasks.events import RunEvent, emit_run_event
from mrunners_tasks.jobs import create_jobs, create_tracker
from mrunners_tasks.profiles import load_profiles, parse_runners
from mrunners_tasks.report_files import require_folder

__all__ = ["multirunners"]


@flow(
    name="multirunners",
    flow_run_name=name_of_run,
    persist_result=True,
    on_cancellation=[remove_when_cancelled],
)
@errors_as_states
def multirunners(
    options: Annotated[RunOptions, titled("Run")],
    policy: Annotated[RunPolicy, titled("Before and after")] = RunPolicy(),
) -> RunOutcome:
    """Run kperf load runners as Kubernetes Jobs and bring home one merged report.

    Args:
        options: What to run, and where.
        policy: What becomes of an earlier run, and of this one.
    Returns: the run; with its report when `options.wait` is set.
    Raises: MrunnersError: with the exit code that the command line would end with.
    """
    key = options.advanced.run_key or str(runtime.flow_run.id)
    try:
        return completed_state(_run(options, policy, key))
    except RunCancelledError as error:
        return cast("RunOutcome", cancelled_state(options, policy, key, error))


def _run(options: RunOptions, policy: RunPolicy, key: str) -> RunOutcome:
    # An attempt before this one may have been ended while it removed the Jobs: nothing is loaded
    # again then.
    done = previous_attempt(options, key) or _until_done(options, policy, key)
    return finish_run(options, policy, key, done)


def _until_done(options: RunOptions, policy: RunPolicy, key: str) -> FinishedRun:
    where = options.kubeconfig
    validate_policy(policy)
    specs = parse_runners(options)
    runners = load_profiles(options, as_one(specs)) if specs else ()
    require_folder(policy.files)
    if collects_previous_run(options, policy):
        collect_previous_run(options, key, policy.files)
    run = create_tracker(options, as_one(runners), key)
    emit_run_event(RunEvent.STARTED, run.found)
    for label, jobs in batches(run.missing, lambda job: job.name):
        create_jobs(where, as_one(run), as_one(jobs), label)
    if not options.wait:
        return FinishedRun(run.found)
    home = wait_and_collect(where, run.found, timeout=options.timeout, saving=policy.saving)
    return FinishedRun(run.found, home)
