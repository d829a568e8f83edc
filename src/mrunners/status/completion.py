"""Decides whether a run can still finish and when to poll it next, and words what went wrong."""

from __future__ import annotations

from collections.abc import Sequence

from mrunners.kube.objects import Pod
from mrunners.refs import RunRef
from mrunners.status.diagnostics import PodDiagnosis, diagnosis_lines
from mrunners.status.failed_pods import failed_job_line
from mrunners.status.run_state import JobPhase, JobState, RunState
from mrunners.text import listed

__all__ = [
    "FIRST_INTERVAL_SECONDS",
    "failure_lines",
    "has_unstarted_pods",
    "jobs_that_may_finish",
    "next_interval",
]

# A poll is one LIST. That is cheap, but the API server is what the run measures.
FIRST_INTERVAL_SECONDS = 1.0
LONGEST_INTERVAL_SECONDS = 15.0
INTERVAL_GROWTH = 1.2

# How often to poll near the expected end.
NEAR_END_INTERVAL_SECONDS = 2.0


def jobs_that_may_finish(
    state: RunState, diagnoses: Sequence[PodDiagnosis], *, creator_gone: bool
) -> tuple[JobState, ...]:
    """Return the unfinished Jobs that can still finish without intervention.

    A Job can finish while one of its pods runs or can still start. A suspended Job waits on
    purpose, and a missing Job can still be created unless its creator is gone.

    Args:
        state: The run.
        diagnoses: The pods that have not started.
        creator_gone: Whether nothing creates the missing Jobs any more.
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
    """Return whether a pod of an existing Job has not started, and so needs a diagnosis."""
    return any(job.phase is JobPhase.STARTING for job in state.jobs)


def failure_lines(
    state: RunState,
    diagnoses: Sequence[PodDiagnosis],
    run: RunRef,
    *,
    creator_gone: bool,
    pods: Sequence[Pod] = (),
) -> list[str]:
    """Return what went wrong in a run that has ended.

    Args:
        state: The run.
        diagnoses: The pods that have not started.
        run: The run that the lines are about.
        creator_gone: Whether nothing creates the missing Jobs any more.
        pods: All pods of the run, one of which is named where pods failed.

    Returns:
        One line per Job and cause; none exactly when every planned Job is complete.
    """
    lines = []
    if deleted := [job for job in state.jobs if job.gone and not job.complete]:
        names = listed(
            [
                f"{job.planned.name} ({job.succeeded_before} of {job.planned.pod_count} pods are "
                "known to have succeeded)"
                for job in deleted
            ],
            5,
        )
        lines.append(
            f"{len(deleted)} of {len(state.jobs)} Jobs of tracker {run} were created and do not "
            f"exist any more, because of a TTL or because someone deleted them: {names}; they are "
            "not created again, because their load may have run"
        )
    lines += [
        failed_job_line(job, run.namespace, pods)
        for job in state.jobs
        if job.phase is JobPhase.FAILED
    ]
    lines += diagnosis_lines(state, [diagnosis for diagnosis in diagnoses if diagnosis.overdue])
    if creator_gone and state.missing:
        names = listed([job.name for job in state.missing], 5)
        lines.append(
            f"{len(state.missing)} of {len(state.jobs)} Jobs of tracker {run} do not exist, and "
            f"nothing is creating them: {names}; resume the run to create them"
        )
    return lines


def next_interval(
    previous: float | None, elapsed_seconds: float, expected_seconds: float | None
) -> float:
    """Return the seconds to the next poll: longer each time, but short near the expected end.

    Args:
        previous: The interval before; None at first.
        elapsed_seconds: How long the wait has lasted.
        expected_seconds: How long the load takes; None when the profiles do not say.
    """
    if previous is None:
        return FIRST_INTERVAL_SECONDS
    grown = min(previous * INTERVAL_GROWTH, LONGEST_INTERVAL_SECONDS)
    if expected_seconds is None:
        return grown
    remaining = expected_seconds - elapsed_seconds
    if remaining > 0:
        return min(grown, max(remaining / 2, NEAR_END_INTERVAL_SECONDS))
    # Pods take time to start and to end, so the run may be late: keep polling often for a while.
    if -remaining < expected_seconds + 30:
        return min(grown, NEAR_END_INTERVAL_SECONDS)
    return grown
