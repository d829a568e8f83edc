"""Opens a run: carries out what was decided, so that its tracker stands and its Jobs can follow.

It must not create Jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mrunners.kube.api import Cluster
from mrunners.plan.metadata import run_selector
from mrunners.plan.plan import PlannedJob
from mrunners.run.create import create_tracker
from mrunners.run.delete import delete_run
from mrunners.run.lookup import FoundRun
from mrunners.run.observer import Listener
from mrunners.run.preflight import Decision
from mrunners.status.run_state import run_state

__all__ = ["OpenRun", "open_run"]


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run whose tracker stands.

    Attributes:
        found: the run as it was right after its tracker stood.
        profiles: digest to rendered profile.
    """

    found: FoundRun
    profiles: Mapping[str, str] = field(repr=False)

    @property
    def missing(self) -> tuple[PlannedJob, ...]:
        """The planned Jobs that were not there yet."""
        return self.found.state.missing


def open_run(cluster: Cluster, decision: Decision, listener: Listener) -> OpenRun:
    """Delete what is replaced, then create the tracker or adopt our own.

    Args:
        cluster: where.
        decision: what `decide` returned just before.
        listener: told what happens.
    Raises:
        RefusedError: another run came first.
        WaitTimeoutError: what is replaced does not go away.
    """
    planned = decision.planned
    for line in planned.warnings:
        listener.warn(line)
    if (old := decision.replaces) is not None:
        listener.note(
            f"replacing the finished run of tracker {old.tracker.name} (run {old.plan.run_id})"
        )
        delete_run(cluster, old, listener, force=True)
    plan = planned.plan
    tracker = create_tracker(cluster, plan, planned.profiles, listener)
    jobs = cluster.list_jobs(plan.namespace, run_selector(plan.run_id))
    state = run_state(plan, jobs)
    if decision.resumes is not None:
        there = len(state.jobs) - len(state.missing)
        listener.note(
            f"resuming run {plan.run_id}: {there} of {len(state.jobs)} Jobs are there, "
            f"{state.ended} of {state.pods} pods have ended"
        )
    return OpenRun(FoundRun(tracker, plan, state), planned.profiles)
