"""The main flow: kperf runners over many hosts, and one report.

It must not hold logic: each line is a step.
"""

from __future__ import annotations

from typing import Annotated, cast

from prefect import flow, runtime

from mrunners.errors import RunCancelledError
from mrunners.plan.options import RunOptions
from mrunners.run.finding import FoundRun
from mrunners_flows.bringing_home import Home, bring_home
from mrunners_flows.cancelling import cancelled_state, remove_when_cancelled
from mrunners_flows.conduct import Conduct, Keeping, OnIncomplete
from mrunners_flows.form import titled
from mrunners_flows.leftovers import collect_leftover, harvests
from mrunners_flows.naming import name_of_run
from mrunners_flows.outcome import (
    RunIncompleteError,
    RunOutcome,
    completed_state,
    known_failures,
)
from mrunners_tasks.creating import create_jobs
from mrunners_tasks.events import RunEvent, announce
from mrunners_tasks.loading import load_profiles
from mrunners_tasks.parsing import parse_runners
from mrunners_tasks.portions import portions
from mrunners_tasks.tending import delete_found_run
from mrunners_tasks.tracking import create_tracker

__all__ = ["multirunners"]


@flow(
    name="multirunners",
    flow_run_name=name_of_run,
    persist_result=True,
    on_cancellation=[remove_when_cancelled],
)
@known_failures
def multirunners(
    options: Annotated[RunOptions, titled("Run")],
    conduct: Annotated[Conduct, titled("Before and after")] = Conduct(),
) -> RunOutcome:
    """Run kperf load runners as Kubernetes Jobs and bring home one merged report.

    Args:
        options: What to run, and where.
        conduct: What becomes of an earlier run, and of this one.
    Returns: the run; with its report when `options.wait` is set.
    Raises: MrunnersError: with the exit code that the command line would end with.
    """
    key = options.advanced.run_key or str(runtime.flow_run.id)
    try:
        return completed_state(_run(options, conduct, key))
    except RunCancelledError as error:
        return cast("RunOutcome", cancelled_state(options, conduct, key, error))


def _run(options: RunOptions, conduct: Conduct, key: str) -> RunOutcome:
    where = options.kubeconfig
    specs = parse_runners(options)
    runners = load_profiles(options, specs) if specs else ()
    if harvests(options, conduct):
        collect_leftover(options, key)
    run = create_tracker(options, runners, key)
    found = run.found
    announce(RunEvent.STARTED, found)
    for label, jobs in portions(run.missing, lambda job: job.name):
        create_jobs(where, run, jobs, label)
    if not options.wait:
        return _outcome(found)
    home = bring_home(where, found, timeout=options.timeout, save=conduct.save)
    if conduct.cleanup is Keeping.DELETE and home.collected:
        delete_found_run(where, found, force=True)
    if home.complete:
        announce(RunEvent.FINISHED, found, home.summary)
        return _outcome(found, home)
    announce(RunEvent.INCOMPLETE, found, home.summary)
    if conduct.on_incomplete is OnIncomplete.FAIL:
        raise RunIncompleteError(home.summary, _outcome(found, home))
    return _outcome(found, home)


def _outcome(found: FoundRun, home: Home | None = None) -> RunOutcome:
    return RunOutcome(
        namespace=found.plan.namespace,
        tracker=found.tracker.name,
        run_id=found.plan.run_id,
        report=None if home is None else home.report,
    )
