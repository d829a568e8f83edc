"""One look at a run: its Jobs by one LIST, and pods and events only when they are worth it.

It must not wait, and must not bring anything home.
"""

from __future__ import annotations

from dataclasses import dataclass

from mrunners.errors import RefusedError
from mrunners.kube.api import Cluster
from mrunners.kube.objects import Pod
from mrunners.plan.metadata import run_selector
from mrunners.run.lookup import ExistingRun
from mrunners.status.completion import failure_lines, has_unstarted_pods, jobs_that_may_finish
from mrunners.status.diagnostics import PodDiagnosis, diagnose_pods
from mrunners.status.run_state import JobState, RunState, creator_is_gone, run_state

__all__ = ["RunSnapshot", "failures", "read_jobs", "read_snapshot"]


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """A run at one moment.

    Attributes:
        state: the plan held against the Jobs.
        pods: all pods of the run; empty when they were not looked at.
        diagnoses: its pods that have not started; likewise.
        creator_gone: Jobs are missing and nobody is creating them.
    """

    state: RunState
    pods: tuple[Pod, ...] = ()
    diagnoses: tuple[PodDiagnosis, ...] = ()
    creator_gone: bool = False

    @property
    def may_finish(self) -> tuple[JobState, ...]:
        """The unfinished Jobs that can still come to an end by themselves."""
        return jobs_that_may_finish(self.state, self.diagnoses, creator_gone=self.creator_gone)


def read_jobs(cluster: Cluster, found: ExistingRun) -> RunState:
    """The Jobs, by one LIST whatever their number.

    Raises: RefusedError: the Jobs are gone because the tracker is.
    """
    plan = found.plan
    state = run_state(plan, cluster.list_jobs(plan.namespace, run_selector(plan.run_id)))
    if state.missing:
        tracker = cluster.get_config_map(plan.namespace, plan.tracker)
        if tracker is None or tracker.uid != found.tracker.uid or tracker.deleting:
            raise RefusedError(
                f"tracker {plan.tracker} in namespace {plan.namespace} was deleted or replaced "
                "meanwhile, and its Jobs with it",
                namespace=plan.namespace,
                tracker=plan.tracker,
            )
    return state


def read_snapshot(cluster: Cluster, found: ExistingRun, state: RunState) -> RunSnapshot:
    """The pods too, and why some have not started.

    Args:
        cluster: where.
        found: the run.
        state: what `read_jobs` returned just before.
    """
    plan = found.plan
    pods = tuple(cluster.list_pods(plan.namespace, run_selector(plan.run_id)))
    warnings = cluster.list_warnings(plan.namespace) if has_unstarted_pods(state) else []
    now = cluster.now()
    return RunSnapshot(
        state=state,
        pods=pods,
        diagnoses=tuple(diagnose_pods(plan, state, pods, warnings, now)),
        creator_gone=creator_is_gone(state, found.tracker.created, now),
    )


def failures(found: ExistingRun, snapshot: RunSnapshot) -> tuple[str, ...]:
    """What went wrong in a run that has come to its end, one line per Job and cause.

    Args:
        found: the run.
        snapshot: what `read_snapshot` returned.
    Returns: empty exactly when every planned Job is Complete.
    """
    lines = failure_lines(
        snapshot.state,
        snapshot.diagnoses,
        creator_gone=snapshot.creator_gone,
        namespace=found.plan.namespace,
        tracker=found.plan.tracker,
    )
    return tuple(lines)
