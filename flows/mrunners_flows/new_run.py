"""The main flow: kperf runners on many nodes, and one report. Each line is a step."""

from __future__ import annotations

from typing import Annotated, cast

from prefect import flow, runtime

from mrunners.errors import RunCancelledError
from mrunners.plan.options import RunOptions
from mrunners_flows.collect import wait_and_collect
from mrunners_flows.finish import (
    FinishedRun,
    cancelled_state,
    delete_when_cancelled,
    finish_run,
    previous_attempt,
)
from mrunners_flows.parameters import flow_run_name, titled
from mrunners_flows.policy import RunPolicy, validate_policy
from mrunners_flows.previous_run import collect_previous_run, collects_previous_run
from mrunners_flows.states import RunOutcome, completed_state, errors_as_states
from mrunners_tasks._batching import batches
from mrunners_tasks.events import RunEvent, emit_run_event
from mrunners_tasks.jobs import create_jobs, create_tracker
from mrunners_tasks.profiles import load_profiles, parse_runners
from mrunners_tasks.report_files import require_folder

__all__ = ["multirunners"]


@flow(
    name="multirunners",
    flow_run_name=flow_run_name(),
    persist_result=True,
    on_cancellation=[delete_when_cancelled],
)
@errors_as_states
def multirunners(
    options: Annotated[RunOptions, titled("Run")],
    policy: Annotated[RunPolicy, titled("Before and after")] = RunPolicy(),
) -> RunOutcome:
    """Run kperf load runners as Kubernetes Jobs and merge their reports into one.

    Args:
        options: What to run, and where.
        policy: What to do about an earlier run, and with this one afterwards.

    Returns:
        The run; with its report when `options.wait` is set.

    Raises:
        MrunnersError: With the exit code that the command line would have.
    """
    key = options.advanced.run_key or str(runtime.flow_run.id)
    try:
        return completed_state(_run(options, policy, key))
    except RunCancelledError as error:
        return cast("RunOutcome", cancelled_state(options, policy, key, error))


def _run(options: RunOptions, policy: RunPolicy, key: str) -> RunOutcome:
    # An attempt before this one may have been killed while it deleted the Jobs: then nothing is
    # loaded again.
    finished = previous_attempt(options, key) or _until_done(options, policy, key)
    return finish_run(options, policy, key, finished)


def _until_done(options: RunOptions, policy: RunPolicy, key: str) -> FinishedRun:
    cluster = options.cluster
    validate_policy(policy)
    specs = parse_runners(options)
    runners = load_profiles(options, specs) if specs else ()
    require_folder(policy.files)
    if collects_previous_run(options, policy):
        collect_previous_run(options, key, policy.files)
    started = create_tracker(options, runners, key)
    emit_run_event(RunEvent.STARTED, started.existing.plan)
    for label, jobs in batches(started.missing, lambda job: job.name):
        create_jobs(cluster, started, jobs, label)
    if not options.wait:
        return FinishedRun(started.existing)
    collected = wait_and_collect(
        cluster, started.existing, timeout=options.timeout, files=policy.saved_files
    )
    return FinishedRun(started.existing, collected)
