"""Whether a run can still finish, when to look again, and what to say when it ends.

It must not ask the cluster.
"""

from __future__ import annotations

from collections.abc import Sequence

from mrunners.status.diagnostics import PodDiagnosis, diagnosis_lines
from mrunners.status.run_state import JobPhase, JobState, RunState

__all__ = ["failure_lines", "has_unstarted_pods", "jobs_that_may_finish", "next_interval"]

# Polls are cheap (one LIST), but the API server is the very thing that is being measured.
FIRST_INTERVAL_SECONDS = 1.0
LONGEST_INTERVAL_SECONDS = 15.0
GROWTH = 1.2

# Near its expected end a run is looked at this often.
NEAR_END_INTERVAL_SECONDS = 2.0


def jobs_that_may_finish(
    state: RunState, diagnoses: Sequence[PodDiagnosis], *, creator_gone: bool
) -> tuple[JobState, ...]:
    """The unfinished Jobs that can still come to an end by themselves.

    A Job can when one of its pods runs, or may yet start; a suspended one waits on purpose; a
    missing one is waited for as long as somebody seems to be creating Jobs.

    Args:
        state: the run.
        diagnoses: its pods that have not started.
        creator_gone: nobody creates the missing Jobs any more.
    """
    overdue: dict[str, int] = {}
    for diagnosis in diagnoses:
        overdue[diagnosis.job] = overdue.get(diagnosis.job, 0) + diagnosis.overdue
    return tuple(
        job
        for job in state.unfinished
        if (
            not creator_gone
            if job.phase is JobPhase.MISSING
            else job.phase is JobPhase.SUSPENDED
            or overdue.get(job.planned.name, 0) == 0
            or job.planned.pod_count > job.ended + overdue[job.planned.name]
        )
    )


def has_unstarted_pods(state: RunState) -> bool:
    """Whether some pod of an existing Job has not started, so that a diagnosis is worth a LIST."""
    return any(job.phase is JobPhase.STARTING for job in state.jobs)


def failure_lines(
    state: RunState,
    diagnoses: Sequence[PodDiagnosis],
    *,
    creator_gone: bool,
    namespace: str,
    tracker: str,
) -> list[str]:
    """What went wrong in a run that has come to its end, one line per Job and cause.

    Returns: empty exactly when every planned Job is Complete.
    """
    lines = []
    for job in state.jobs:
        if job.phase is JobPhase.FAILED:
            assert job.actual is not None
            failed = len(job.actual.failed) or job.planned.pod_count - len(job.actual.succeeded)
            lines.append(
                f"job {job.planned.name}: {failed} of {job.planned.pod_count} pods failed "
                f"({job.actual.finished_reason or 'no reason given'}); see: kubectl logs "
                f"--namespace {namespace} job/{job.planned.name}"
            )
    lines += diagnosis_lines(state, [diagnosis for diagnosis in diagnoses if diagnosis.overdue])
    if creator_gone and state.missing:
        names = ", ".join(job.name for job in state.missing[:5])
        more = ", …" if len(state.missing) > 5 else ""
        lines.append(
            f"{len(state.missing)} Jobs were never created or are gone ({names}{more}) and nobody "
            f"is creating them; use: mrunners run --namespace {namespace} --tracker {tracker} "
            "--resume"
        )
    return lines


def next_interval(
    previous: float | None, elapsed_seconds: float, expected_seconds: float | None
) -> float:
    """How long to wait until the next poll.

    Args:
        previous: the interval before; None at the first.
        elapsed_seconds: since the wait began.
        expected_seconds: how long the load takes, as far as the profiles tell.
    Returns: seconds; they grow a little each time, and shrink near the expected end.
    """
    if previous is None:
        return FIRST_INTERVAL_SECONDS
    grown = min(previous * GROWTH, LONGEST_INTERVAL_SECONDS)
    if expected_seconds is None:
        return grown
    left = expected_seconds - elapsed_seconds
    if left > 0:
        return min(grown, max(left / 2, NEAR_END_INTERVAL_SECONDS))
    # Starting and ending take their time too: stay near for a while, then let go.
    return min(grown, NEAR_END_INTERVAL_SECONDS) if -left < expected_seconds + 30 else grown
