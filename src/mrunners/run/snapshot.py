"""Reads a run at one moment: its Jobs by one LIST; pods and events only when they are needed."""

from __future__ import annotations

from dataclasses import dataclass

from mrunners.errors import IncompleteError, NextStep, RefusedError
from mrunners.kube.api import Cluster
from mrunners.kube.objects import Pod
from mrunners.plan.metadata import run_selector
from mrunners.refs import RunRef
from mrunners.run.lookup import ExistingRun
from mrunners.status.completion import failure_lines, has_unstarted_pods, jobs_that_may_finish
from mrunners.status.diagnostics import PodDiagnosis, diagnose_pods
from mrunners.status.run_state import JobState, RunState, creator_is_gone, run_state

__all__ = ["RunSnapshot", "read_jobs", "read_snapshot"]


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """A run at one moment.

    Attributes:
        ref: Which run.
        state: The plan compared with the Jobs.
        pods: All pods of the run; empty when they were not read.
        diagnoses: Why pods have not started; empty when they were not read.
        creator_gone: Jobs are missing and nothing is creating them.
    """

    ref: RunRef
    state: RunState
    pods: tuple[Pod, ...] = ()
    diagnoses: tuple[PodDiagnosis, ...] = ()
    creator_gone: bool = False

    @property
    def may_finish(self) -> tuple[JobState, ...]:
        """The unfinished Jobs that can still finish without intervention."""
        return jobs_that_may_finish(self.state, self.diagnoses, creator_gone=self.creator_gone)

    @property
    def failures(self) -> tuple[str, ...]:
        """What went wrong, one line per Job and cause.

        Of a run in which nothing can finish any more; empty exactly when every Job is Complete.
        """
        return tuple(
            failure_lines(
                self.state,
                self.diagnoses,
                self.ref,
                creator_gone=self.creator_gone,
                pods=self.pods,
            )
        )

    @property
    def next_steps(self) -> tuple[NextStep, ...]:
        """What to do about the failures, beyond what their lines say."""
        return (NextStep.RESUME,) if self.creator_gone and self.state.missing else ()

    def require_complete(self) -> None:
        """Raise an error unless every Job is Complete.

        Raises:
            IncompleteError: Pods failed or never started, or Jobs were never created.
        """
        if self.failures:
            error = IncompleteError("\n".join(self.failures))
            raise error.suggest(self.ref, *self.next_steps)


def read_jobs(cluster: Cluster, run: ExistingRun) -> RunState:
    """Read the Jobs, by one LIST whatever their number.

    Raises:
        RefusedError: The tracker was deleted or replaced, and its Jobs with it.
    """
    plan = run.plan
    state = run_state(plan, cluster.list_jobs(plan.namespace, run_selector(plan.run_id)))
    if state.missing:
        tracker = cluster.get_config_map(plan.namespace, plan.tracker)
        if tracker is None or tracker.uid != run.tracker.uid or tracker.deleting:
            raise RefusedError.of(
                run.ref, f"tracker {run.ref} was deleted or replaced, and its Jobs with it"
            )
    return state


def read_snapshot(cluster: Cluster, run: ExistingRun, state: RunState | None = None) -> RunSnapshot:
    """Read the pods too, and why some have not started.

    Args:
        cluster: The cluster.
        run: The run.
        state: What `read_jobs` has just returned; None reads the Jobs anew.

    Raises:
        RefusedError: The tracker was deleted or replaced, and its Jobs with it.
    """
    plan = run.plan
    state = read_jobs(cluster, run) if state is None else state
    pods = tuple(cluster.list_pods(plan.namespace, run_selector(plan.run_id)))
    warnings = cluster.list_warnings(plan.namespace) if has_unstarted_pods(state) else []
    now = cluster.now()
    return RunSnapshot(
        ref=run.ref,
        state=state,
        pods=pods,
        diagnoses=tuple(diagnose_pods(plan, state, pods, warnings, now)),
        creator_gone=creator_is_gone(state, run.tracker.created, now),
    )
