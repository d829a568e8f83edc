"""The main flow: kperf runners over many hosts, and one report.

It must not hold logic: each line is a step.
"""

from __future__ import annotations

from typing import Annotated, cast

from prefect import flow, runtime

from mrunners.errors import RunCancelledError
from mrunners.plan.options import RunOptions
from mrunners_flows.collect import bring_home
from mrunners_flows.finish import Done, cancelled_state, conclude, recalled, remove_when_cancelled
from mrunners_flows.parameters import name_of_run, titled
from mrunners_flows.policy import Conduct, check_conduct
from mrunners_flows.previous_run import collect_leftover, harvests
from mrunners_flows.states import RunOutcome, completed_state, known_failures
from mrunners_tasks._batching import portions
from mrunners_tasks._step import as_one
from mrunners_tasks.events import RunEvent, announce
from mrunners_tasks.jobs import create_jobs, create_tracker
from mrunners_tasks.profiles import load_profiles, parse_runners
from mrunners_tasks.report_files import demand_folder

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
    # An attempt before this one may have been ended while it removed the Jobs: nothing is loaded
    # again then.
    done = recalled(options, key) or _until_done(options, conduct, key)
    return conclude(options, conduct, key, done)


def _until_done(options: RunOptions, conduct: Conduct, key: str) -> Done:
    where = options.kubeconfig
    check_conduct(conduct)
    specs = parse_runners(options)
    runners = load_profiles(options, as_one(specs)) if specs else ()
    demand_folder(conduct.files)
    if harvests(options, conduct):
        collect_leftover(options, key, conduct.files)
    run = create_tracker(options, as_one(runners), key)
    announce(RunEvent.STARTED, run.found)
    for label, jobs in portions(run.missing, lambda job: job.name):
        create_jobs(where, as_one(run), as_one(jobs), label)
    if not options.wait:
        return Done(run.found)
    home = bring_home(where, run.found, timeout=options.timeout, saving=conduct.saving)
    return Done(run.found, home)
