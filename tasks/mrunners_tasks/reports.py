"""Step 6: collect the outcome of every pod.

It must not merge, nor decide which missing report is final: the core does.
"""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from mrunners.reports.outcomes import PodOutcome
from mrunners.run.lookup import FoundRun
from mrunners.run.result import (
    closer_look,
    collect_run,
    demand_ended,
    demand_final,
    demand_finished,
    demand_kept,
)
from mrunners.run.snapshot import Look
from mrunners.status.run_state import JobState
from mrunners_tasks._context import cluster_of, report_store
from mrunners_tasks._step import STEP, Step
from mrunners_tasks.caching import BY_JOB_UIDS, ONCE_PER_FLOW_RUN

__all__ = ["collect_results", "look_at_pods"]

_LOOK: Step = {**STEP, "cache_policy": ONCE_PER_FLOW_RUN}
_COLLECT: Step = {**STEP, "cache_policy": BY_JOB_UIDS}


@task(name="look-at-pods", **_LOOK)
def look_at_pods(kubeconfig: str, found: FoundRun, *, final: bool) -> Look:
    """The run's pods as they ended.

    Args:
        kubeconfig: where.
        found: the run.
        final: every Job must have ended; a retry of the flow run then sees the same pods, even
            if they are gone.
    Raises:
        StillRunningError: something can still finish.
        IncompleteError: it must be final, and is not.
    """
    view = closer_look(cluster_of(kubeconfig), found)
    demand_finished(found, view)
    if final:
        demand_ended(view)
    return view


@task(name="collect-results", task_run_name="collect {label}", **_COLLECT)
def collect_results(
    kubeconfig: str,
    found: FoundRun,
    view: Look,
    jobs: Sequence[JobState],
    label: str,
    *,
    final: bool,
) -> list[PodOutcome]:
    """The outcomes of these Jobs' pods: reports, or why there is none.

    Args:
        kubeconfig: where.
        found: the run.
        view: its pods as they ended.
        jobs: some of its Jobs.
        label: names the task run.
        final: every outcome must be final; Prefect then keeps them under the Jobs' UIDs, so that
            no log is read twice, by this worker or another that shares the result storage.
    Raises:
        UnreachableError: they must be final, and a log could not be read; another attempt may.
        IncompleteError: they must be final, and no attempt will make them so soon; or another
            machine may have what this one has not.
    """
    del label
    # These Jobs by themselves: what is kept under their UIDs must depend on nothing else. The flow
    # holds the whole run to its bounds.
    outcomes = collect_run(cluster_of(kubeconfig), found, view, report_store(), jobs)
    if final:
        demand_final(outcomes)
        demand_kept(outcomes)
    return outcomes
