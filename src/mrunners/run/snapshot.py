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
from mrunners.status.held_pods import HeldPod, held_pod_lines, held_pods
from mrunners.status.run_state import (
    JobState,
    RunState,
    creator_is_gone,
    observe_pods,
    remember_pods,
    run_state,
)

__all__ = ["RunSnapshot", "has_ended", "read_jobs", "read_snapshot"]


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """A run at one moment.

    Attributes:
        ref: Which run.
        state: The plan compared with the Jobs.
        pods: All pods of the run; empty when they were not read.
        diagnoses: Why pods have not started; empty when they were not read.
        held: The pods that have started, and that their Jobs have not counted.
        creator_gone: Jobs are missing and nothing is creating them.
    """

    ref: RunRef
    state: RunState
    pods: tuple[Pod, ...] = ()
    diagnoses: tuple[PodDiagnosis, ...] = ()
    held: tuple[HeldPod, ...] = ()
    creator_gone: bool = False

    @property
    def may_finish(self) -> tuple[JobState, ...]:
        """The unfinished Jobs that can still finish without intervention."""
        return jobs_that_may_finish(
            self.state, self.diagnoses, self.held, creator_gone=self.creator_gone
        )

    @property
    def failures(self) -> tuple[str, ...]:
        """What went wrong, one line per Job and cause.

        Of a run in which nothing can finish any more; empty exactly when the runner of every
        planned pod succeeded.
        """
        return tuple(
            failure_lines(
                self.state, self.diagnoses, self.ref, self.held, creator_gone=self.creator_gone
            )
        )

    @property
    def holds(self) -> tuple[str, ...]:
        """What holds pods whose Jobs wait for them, one line per Job and cause; not in `failures`.

        When nothing can finish any more, these pods have succeeded and their reports are there,
        although their Jobs are not Complete.
        """
        return tuple(
            held_pod_lines(self.state, [pod for pod in self.held if not pod.failed]).values()
        )

    @property
    def next_steps(self) -> tuple[NextStep, ...]:
        """What to do about the failures, beyond what their lines say."""
        return (NextStep.RESUME,) if self.creator_gone and self.state.missing else ()

    def require_complete(self) -> None:
        """Raise an error unless the runner of every pod has succeeded.

        Raises:
            IncompleteError: Pods failed, were lost or never started, or Jobs were never created.
        """
        if self.failures:
            error = IncompleteError("\n".join(self.failures))
            raise error.suggest(self.ref, *self.next_steps)


def has_ended(cluster: Cluster, run: ExistingRun) -> bool:
    """Return whether nothing of a run can finish any more, so that a wait for it would end.

    Its pods are read unless its Jobs have finished.
    """
    return run.state.finished or not read_snapshot(cluster, run, run.state).may_finish


def read_jobs(cluster: Cluster, run: ExistingRun, earlier: RunState | None = None) -> RunState:
    """Read the Jobs, by one LIST whatever their number.

    Args:
        cluster: The cluster.
        run: The run.
        earlier: The last state in which pods were observed; a pod that has started stays started.

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
    return remember_pods(state, earlier)


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
    state = observe_pods(state, pods)
    warnings = cluster.list_warnings(plan.namespace) if has_unstarted_pods(state) else []
    now = cluster.now()
    return RunSnapshot(
        ref=run.ref,
        state=state,
        pods=pods,
        diagnoses=tuple(diagnose_pods(plan, state, pods, warnings, now)),
        held=tuple(held_pods(plan, state, pods, now)),
        creator_gone=creator_is_gone(state, run.tracker.created, now),
    )
