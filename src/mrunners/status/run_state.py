"""The state of a run: its plan compared with the Jobs that exist.

The plan decides what the run consists of, never the Jobs that happen to exist.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mrunners.kube.objects import Job
from mrunners.plan.plan import PlannedJob, RunPlan

__all__ = [
    "JobPhase",
    "JobState",
    "ObservedPods",
    "RunState",
    "creator_is_gone",
    "run_state",
]

# Jobs are created a few milliseconds apart, 1,000 of them in seconds. A process that has created
# none for this long no longer runs.
CREATOR_SILENCE_SECONDS = 60.0


class JobPhase(StrEnum):
    """How far one Job is."""

    MISSING = "missing"
    """It was not created, as far as is known."""

    GONE = "gone"
    """It was created, and has been removed since: by a TTL or by someone."""

    SUSPENDED = "suspended"

    STOPPED = "stopped"
    """Suspended by a wait that gave up the pods that were left; nothing of it runs again."""

    STARTING = "starting"
    """Some of its pods have not started."""

    RUNNING = "running"
    """All of its pods have started."""

    COMPLETE = "complete"
    FAILED = "failed"

    @property
    def finished(self) -> bool:
        """Whether nothing of it changes any more.

        The Job's condition Complete or Failed is true, a wait has stopped it, or it exists no more.
        """
        return self in {JobPhase.COMPLETE, JobPhase.FAILED, JobPhase.STOPPED, JobPhase.GONE}


@dataclass(frozen=True, slots=True)
class ObservedPods:
    """What a Job's pods showed when they were last read, by completion index.

    Attributes:
        started: Those whose runner container has started; it may have ended.
        ended: Those whose runner container has ended, also if the Job has not counted it.
        last_start: When the last of them started that has not ended.
    """

    started: frozenset[int] = frozenset()
    ended: frozenset[int] = frozenset()
    last_start: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobState:
    """A planned Job and the one that exists.

    Attributes:
        planned: The Job as planned.
        actual: The Job that exists; None while there is none.
        gone: Whether it was created and exists no more. It is not created again.
        succeeded_before: Of a Job that is gone: how many of its pods are known to have succeeded,
            because this machine has their reports.
        pods: Its pods, where they were read: they know more than the Job's counters.
    """

    planned: PlannedJob
    actual: Job | None
    gone: bool = False
    succeeded_before: int = 0
    pods: ObservedPods = ObservedPods()

    @property
    def phase(self) -> JobPhase:
        """How far the Job is."""
        if self.actual is None:
            return JobPhase.GONE if self.gone else JobPhase.MISSING
        if self.actual.finished is not None:
            return JobPhase.COMPLETE if self.actual.finished == "Complete" else JobPhase.FAILED
        if self.actual.suspended:
            return JobPhase.STOPPED if self.noted else JobPhase.SUSPENDED
        return JobPhase.STARTING if self.unstarted else JobPhase.RUNNING

    @property
    def complete(self) -> bool:
        """Whether all of its pods have succeeded, and the Job says so."""
        if self.gone:
            return self.succeeded_before == self.planned.pod_count
        return self.phase is JobPhase.COMPLETE

    @property
    def counted(self) -> frozenset[int]:
        """The completion indexes that the Job has counted as succeeded or failed."""
        if self.actual is None:
            return frozenset()
        return frozenset((*self.actual.succeeded, *self.actual.failed))

    @property
    def given_up(self) -> frozenset[int]:
        """The completion indexes whose pods did not start in time, and were given up for that."""
        return self.noted - self.pods.started

    @property
    def noted(self) -> frozenset[int]:
        """The completion indexes that the Job's annotation says are given up."""
        groups = () if self.actual is None else self.actual.given_up
        count = self.planned.pod_count
        return frozenset(index for group in groups for index in group.indexes if index < count)

    @property
    def ended(self) -> int:
        """How many of its pods have run and ended; all, when the Job is gone."""
        if self.gone:
            return self.planned.pod_count
        return len((self.counted | self.pods.ended) - self.given_up)

    @property
    def running(self) -> int:
        """How many of its pods have started and not ended."""
        if self.actual is None:
            return 0
        # A pod on a node that does not answer is not ready, and yet may run.
        observed = len(self.pods.started - self.pods.ended - self.counted)
        return min(max(self.actual.ready, observed), self.planned.pod_count - self.ended)

    @property
    def unstarted(self) -> int:
        """How many of its pods have not started, and are not given up."""
        return max(self.planned.pod_count - self.ended - self.running - len(self.given_up), 0)


@dataclass(frozen=True, slots=True)
class RunState:
    """The Jobs of a run, in plan order.

    Attributes:
        jobs: The planned Jobs.
        unplanned: The names of other Jobs that have the run's ID as a label.
    """

    jobs: tuple[JobState, ...]
    unplanned: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether every planned Job has finished or is gone, so that nothing can change."""
        return all(job.phase.finished for job in self.jobs)

    @property
    def complete(self) -> bool:
        """Whether every planned Job is complete."""
        return all(job.complete for job in self.jobs)

    @property
    def missing(self) -> tuple[PlannedJob, ...]:
        """The planned Jobs that were not created, as far as is known."""
        return tuple(job.planned for job in self.jobs if job.phase is JobPhase.MISSING)

    @property
    def gone(self) -> tuple[PlannedJob, ...]:
        """The planned Jobs that were created and exist no more."""
        return tuple(job.planned for job in self.jobs if job.gone)

    @property
    def created(self) -> frozenset[int]:
        """The indexes of the Jobs that are known to have been created."""
        return frozenset(
            job.planned.index for job in self.jobs if job.phase is not JobPhase.MISSING
        )

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
        """How many pods have run and ended."""
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
            if self.complete:
                return "finished"
            return "finished, Jobs were deleted" if self.gone else "finished with failed pods"
        return "running" if self.running else "starting"


def run_state(
    plan: RunPlan,
    jobs: Iterable[Job],
    *,
    created: Collection[int] = (),
    succeeded: Mapping[str, int] | None = None,
) -> RunState:
    """Compare a plan with the Jobs that exist.

    Jobs are created in plan order, a few at a time. Each says how many, from the first of the plan,
    were created before it; without such a note, all before it were. So those that do not exist now
    are gone, and the others were never created.

    Args:
        plan: The run's plan.
        jobs: The Jobs that have the run's ID as a label; those being deleted count as gone.
        created: The indexes of the Jobs that are known to have been created.
        succeeded: By Job: how many of its pods are known to have succeeded.
    """
    ours = {job.name: job for job in jobs if job.run_id == plan.run_id}
    before = max(
        (_created_before(job, ours[job.name]) for job in plan.jobs if job.name in ours), default=0
    )
    known = {*range(before), *created}
    states = []
    for planned in plan.jobs:
        actual = ours.pop(planned.name, None)
        if actual is None or actual.deleting:
            gone = actual is not None or planned.index in known
            ended = (succeeded or {}).get(planned.name, 0) if gone else 0
            states.append(JobState(planned, None, gone, ended))
        else:
            states.append(JobState(planned, actual))
    unplanned = tuple(sorted(name for name, job in ours.items() if not job.deleting))
    return RunState(tuple(states), unplanned)


def _created_before(planned: PlannedJob, actual: Job) -> int:
    """Return how many Jobs, from the first of the plan, were created before one that exists."""
    if actual.created_before is None:
        return planned.index
    return min(actual.created_before, planned.index)


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
