"""The state of a run: its plan held against the Jobs that the cluster has.

It must not ask the cluster, nor judge by the Jobs that happen to exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mrunners.kube.objects import Job
from mrunners.plan.plan import PlannedJob, RunPlan

__all__ = ["JobPhase", "JobState", "RunState", "creator_is_gone", "run_state"]

# Creating 1,000 Jobs takes seconds, each a few milliseconds after the one before; a creator that
# has added none for so long was ended.
CREATOR_SILENCE_SECONDS = 60.0


class JobPhase(StrEnum):
    """How far one Job is."""

    MISSING = "missing"
    SUSPENDED = "suspended"
    STARTING = "starting"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"

    @property
    def finished(self) -> bool:
        """Whether the Job's condition Complete or Failed is true."""
        return self in {JobPhase.COMPLETE, JobPhase.FAILED}


@dataclass(frozen=True, slots=True)
class JobState:
    """A planned Job, and the real one if there is one."""

    planned: PlannedJob
    actual: Job | None

    @property
    def phase(self) -> JobPhase:
        """How far it is."""
        if self.actual is None:
            return JobPhase.MISSING
        if self.actual.finished is not None:
            return JobPhase.COMPLETE if self.actual.finished == "Complete" else JobPhase.FAILED
        if self.actual.suspended:
            return JobPhase.SUSPENDED
        return JobPhase.STARTING if self.unstarted else JobPhase.RUNNING

    @property
    def ended(self) -> int:
        """How many of its pods have ended, one way or the other."""
        return 0 if self.actual is None else len(self.actual.succeeded) + len(self.actual.failed)

    @property
    def running(self) -> int:
        """How many of its pods run."""
        return 0 if self.actual is None else self.actual.ready

    @property
    def unstarted(self) -> int:
        """How many of its pods neither run nor have ended."""
        return max(self.planned.pod_count - self.ended - self.running, 0)


@dataclass(frozen=True, slots=True)
class RunState:
    """A run, Job by Job in plan order."""

    jobs: tuple[JobState, ...]

    @property
    def finished(self) -> bool:
        """Whether every planned Job has finished."""
        return all(job.phase.finished for job in self.jobs)

    @property
    def complete(self) -> bool:
        """Whether every planned Job is Complete."""
        return all(job.phase is JobPhase.COMPLETE for job in self.jobs)

    @property
    def missing(self) -> tuple[PlannedJob, ...]:
        """The planned Jobs that do not exist."""
        return tuple(job.planned for job in self.jobs if job.actual is None)

    @property
    def unfinished(self) -> tuple[JobState, ...]:
        """The Jobs that have not finished, missing ones among them."""
        return tuple(job for job in self.jobs if not job.phase.finished)

    @property
    def pods(self) -> int:
        """How many pods are planned."""
        return sum(job.planned.pod_count for job in self.jobs)

    @property
    def ended(self) -> int:
        """How many pods have ended."""
        return sum(job.ended for job in self.jobs)

    @property
    def running(self) -> int:
        """How many pods run."""
        return sum(job.running for job in self.jobs if not job.phase.finished)

    @property
    def unstarted(self) -> int:
        """How many pods neither run nor have ended."""
        return sum(job.unstarted for job in self.jobs if not job.phase.finished)

    @property
    def headline(self) -> str:
        """The state in one word, as status and the refusals say it."""
        if self.finished:
            return "finished" if self.complete else "finished with failed pods"
        return "running" if self.running else "starting"


def run_state(plan: RunPlan, jobs: Iterable[Job]) -> RunState:
    """The plan held against the Jobs of its run.

    Args:
        plan: the run as decided.
        jobs: what a LIST by the run's ID returned; Jobs that are going away do not count.
    """
    by_name = {job.name: job for job in jobs if job.run_id == plan.run_id and not job.deleting}
    return RunState(tuple(JobState(job, by_name.get(job.name)) for job in plan.jobs))


def creator_is_gone(state: RunState, tracker_created: datetime, now: datetime) -> bool:
    """Whether planned Jobs are missing and nobody seems to be creating them any more.

    Args:
        state: the run.
        tracker_created: when the tracker was made.
        now: by the same clock, the API server's.
    """
    if not state.missing:
        return False
    newest = max(
        [tracker_created, *(job.actual.created for job in state.jobs if job.actual is not None)]
    )
    return (now - newest).total_seconds() > CREATOR_SILENCE_SECONDS
