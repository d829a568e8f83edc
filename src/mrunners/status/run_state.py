"""The state of a run: its plan compared with the Jobs that exist.

The plan decides what the run consists of, never the Jobs that happen to exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mrunners.kube.objects import Job
from mrunners.plan.plan import PlannedJob, RunPlan

__all__ = ["JobPhase", "JobState", "RunState", "creator_is_gone", "run_state"]

# Jobs are created a few milliseconds apart, 1,000 of them in seconds. A process that has created
# none for this long no longer runs.
CREATOR_SILENCE_SECONDS = 60.0


class JobPhase(StrEnum):
    """How far one Job is."""

    MISSING = "missing"
    SUSPENDED = "suspended"

    STARTING = "starting"
    """Some of its pods have not started."""

    RUNNING = "running"
    """All of its pods have started."""

    COMPLETE = "complete"
    FAILED = "failed"

    @property
    def finished(self) -> bool:
        """Whether the Job's condition Complete or Failed is true."""
        return self in {JobPhase.COMPLETE, JobPhase.FAILED}


@dataclass(frozen=True, slots=True)
class JobState:
    """A planned Job and the one that exists.

    Attributes:
        planned: The Job as planned.
        actual: The Job that exists; None while there is none.
    """

    planned: PlannedJob
    actual: Job | None

    @property
    def phase(self) -> JobPhase:
        """How far the Job is."""
        if self.actual is None:
            return JobPhase.MISSING
        if self.actual.finished is not None:
            return JobPhase.COMPLETE if self.actual.finished == "Complete" else JobPhase.FAILED
        if self.actual.suspended:
            return JobPhase.SUSPENDED
        return JobPhase.STARTING if self.unstarted else JobPhase.RUNNING

    @property
    def ended(self) -> int:
        """How many of its pods have succeeded or failed."""
        return 0 if self.actual is None else len(self.actual.succeeded) + len(self.actual.failed)

    @property
    def running(self) -> int:
        """How many of its pods are running."""
        return 0 if self.actual is None else self.actual.ready

    @property
    def unstarted(self) -> int:
        """How many of its pods have not started."""
        return max(self.planned.pod_count - self.ended - self.running, 0)


@dataclass(frozen=True, slots=True)
class RunState:
    """The Jobs of a run, in plan order."""

    jobs: tuple[JobState, ...]

    @property
    def finished(self) -> bool:
        """Whether every planned Job has finished."""
        return all(job.phase.finished for job in self.jobs)

    @property
    def complete(self) -> bool:
        """Whether every planned Job is complete."""
        return all(job.phase is JobPhase.COMPLETE for job in self.jobs)

    @property
    def missing(self) -> tuple[PlannedJob, ...]:
        """The planned Jobs that do not exist."""
        return tuple(job.planned for job in self.jobs if job.actual is None)

    @property
    def unfinished(self) -> tuple[JobState, ...]:
        """The Jobs that have not finished, including missing ones."""
        return tuple(job for job in self.jobs if not job.phase.finished)

    @property
    def pod_count(self) -> int:
        """How many pods are planned."""
        return sum(job.planned.pod_count for job in self.jobs)

    @property
    def ended(self) -> int:
        """How many pods have succeeded or failed."""
        return sum(job.ended for job in self.jobs)

    @property
    def running(self) -> int:
        """How many pods of unfinished Jobs are running."""
        return sum(job.running for job in self.jobs if not job.phase.finished)

    @property
    def unstarted(self) -> int:
        """How many pods of unfinished Jobs have not started."""
        return sum(job.unstarted for job in self.jobs if not job.phase.finished)

    @property
    def headline(self) -> str:
        """The state in a word or a few, such as `running`."""
        if self.finished:
            return "finished" if self.complete else "finished with failed pods"
        return "running" if self.running else "starting"


def run_state(plan: RunPlan, jobs: Iterable[Job]) -> RunState:
    """Compare a plan with the Jobs that exist.

    Args:
        plan: The run's plan.
        jobs: The Jobs that have the run's ID as a label; those being deleted do not count.
    """
    by_name = {job.name: job for job in jobs if job.run_id == plan.run_id and not job.deleting}
    return RunState(tuple(JobState(job, by_name.get(job.name)) for job in plan.jobs))


def creator_is_gone(state: RunState, tracker_created: datetime, now: datetime) -> bool:
    """Return whether planned Jobs are missing and nothing is creating them any more.

    Args:
        state: The run.
        tracker_created: When the tracker was created.
        now: The time by the same clock, which is the API server's.
    """
    if not state.missing:
        return False
    newest = max(
        [tracker_created, *(job.actual.created for job in state.jobs if job.actual is not None)]
    )
    return (now - newest).total_seconds() > CREATOR_SILENCE_SECONDS
