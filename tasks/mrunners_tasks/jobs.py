"""Step 3: plan the run and create its tracker, or adopt it.

It must not create Jobs: a tracker without Jobs can be resumed, Jobs without one cannot.
"""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from mrunners.plan.options import RunOptions
from mrunners.plan.planning import plan_run
from mrunners.profiles.loading import LoadedRunner
from mrunners.run.opening import OpenRun, open_run
from mrunners.run.preflight import decide
from mrunners_tasks._context import cluster_of, listener
from mrunners_tasks._step import STEP

__all__ = ["create_tracker"]


@task(name="create-tracker", **STEP)
def create_tracker(options: RunOptions, runners: Sequence[LoadedRunner], run_key: str) -> OpenRun:
    """The run, open: its tracker stands, with the whole plan in it.

    Raises: RefusedError: another run is in the way.
    """
    cluster = cluster_of(options.kubeconfig)
    wanted = plan_run(options, runners, run_key=run_key) if runners else None
    return open_run(cluster, decide(cluster, options, wanted), listener())
