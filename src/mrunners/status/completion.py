"""Decides whether a run can still finish and when to poll it next, and words what went wrong."""

from __future__ import annotations

from collections.abc import Sequence

from mrunners.kube.objects import Pod
from mrunners.refs import RunRef
from mrunners.status.diagnostics import PodDiagnosis, diagnosis_lines
from mrunners.status.failed_pods import failed_job_line
from mrunners.status.held_pods import HeldPod, held_pod_lines
from mrunners.status.run_state import JobPhase, JobState, RunState
from mrunners.text import listed

__all__ = [
    "FEW_JOBS",
    "failure_lines",
    "has_unstarted_pods",
    "jobs_that_may_finish",
    "longest_interval",
    "needs_pods",
    "next_interval",
    "pods_interval",
]

# A poll is one LIST. That is cheap, but the API server is what the run measures.
FIRST_INTERVAL_SECONDS = 1.0
LONGEST_INTERVAL_SECONDS = 15.0
INTERVAL_GROWTH = 1.2

# So many Jobs can be requested often: one takes some 11 kB in a LIST.
FEW_JOBS = 100
SOON_SECONDS = 8.0

# How often to list pods while the Jobs' counters do not move: they do not while the Job controller
# is away, and a lost node shows in its pods only.
PODS_SECONDS = 60.0
# But no more pods than these: 10,000 are some 50 MB.
PODS_PER_SECOND = 50.0

# How often pods are listed while some have not started, or are held although they have ended.
DIAGNOSIS_SECONDS = 10.0

# How often to poll near the expected end.
NEAR_END_INTERVAL_SECONDS = 2.0


def jobs_that_may_finish(
    state: RunState,
    diagnoses: Sequence[PodDiagnosis],
    held: Sequence[HeldPod] = (),
    *,
    creator_gone: bool,
) -> tuple[JobState, ...]:
    """Return the unfinished Jobs that can still finish without intervention.

    A Job can finish while one of its pods runs or can still start. A suspended Job waits on
    purpose, unless a wait has stopped it; a missing Job can still be created unless its creator is
    gone.

    Args:
        state: The run.
        diagnoses: The pods that have not started.
        held: The pods that have started, and that keep their Jobs from finishing.
        creator_gone: Whether nothing creates the missing Jobs any more.
    """
    given_up: dict[str, set[int]] = {}
    for diagnosis in diagnoses:
        if diagnosis.overdue:
            given_up.setdefault(diagnosis.job, set()).add(diagnosis.index)
    for pod in held:
        if pod.settled:
            given_up.setdefault(pod.job, set()).add(pod.index)

    def may_finish(job: JobState) -> bool:
        if job.phase is JobPhase.MISSING:
            return not creator_gone
        settled = given_up.get(job.planned.name, set())
        if job.phase is JobPhase.SUSPENDED or not settled:
            return True
        return job.planned.pod_count > len(settled | job.counted)

    return tuple(job for job in state.unfinished if may_finish(job))


def has_unstarted_pods(state: RunState) -> bool:
    """Return whether a pod of an existing Job has not started, and so needs a diagnosis."""
    return any(job.phase is JobPhase.STARTING for job in state.jobs)


def failure_lines(
    state: RunState,
    diagnoses: Sequence[PodDiagnosis],
    run: RunRef,
    held: Sequence[HeldPod] = (),
    *,
    creator_gone: bool,
    pods: Sequence[Pod] = (),
) -> list[str]:
    """Return what went wrong in a run that has ended.

    Args:
        state: The run.
        diagnoses: The pods that have not started.
        run: The run that the lines are about.
        held: The pods that have started, and that keep their Jobs from finishing.
        creator_gone: Whether nothing creates the missing Jobs any more.
        pods: All pods of the run, one of which is named where pods failed.

    Returns:
        One line per Job and cause; none exactly when the runner of every planned pod succeeded.
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
        line
        for job in state.jobs
        if job.actual is not None
        and job.phase is not JobPhase.COMPLETE
        and (line := failed_job_line(job, run.namespace, pods))
    ]
    lines += held_pod_lines(state, [pod for pod in held if pod.failed]).values()
    lines += diagnosis_lines(state, [d for d in diagnoses if d.overdue]).values()
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


def pods_interval(pod_count: int) -> float:
    """Return how many seconds after the last list of pods to list them again, if nothing moves."""
    return max(PODS_SECONDS, pod_count / PODS_PER_SECOND)


def needs_pods(before: RunState | None, state: RunState, seconds: float, *, holding: bool) -> bool:
    """Return whether to list pods at a poll: one more LIST, which may be a large one.

    Args:
        before: The state at the poll before; None at the first one.
        state: The state at this poll.
        seconds: How long ago the pods were listed last.
        holding: Whether pods were held then, although they had ended.
    """
    if before is None or state.finished or _counters_moved(before, state):
        return True
    if has_unstarted_pods(before) and not has_unstarted_pods(state):
        return True  # when they started says how long the load still takes
    if has_unstarted_pods(state) or state.missing or holding:
        return seconds >= DIAGNOSIS_SECONDS
    return seconds >= pods_interval(state.pod_count)


def _counters_moved(before: RunState, state: RunState) -> bool:
    """Whether pods have ended, or stopped being ready, since the last poll."""
    return any(
        new.counted != old.counted
        or (
            new.actual is not None
            and old.actual is not None
            and new.actual.ready < old.actual.ready
        )
        for old, new in zip(before.jobs, state.jobs, strict=True)
    )


def longest_interval(state: RunState) -> float:
    """Return the seconds within which a poll must come.

    What happens to a pod is reported within 10 seconds, unless a LIST of the Jobs is too large to
    be requested so often. Where the cluster removes Jobs, two polls fit between the end of a Job
    and its removal.
    """
    ttls = [
        job.actual.ttl_seconds
        for job in state.jobs
        if job.actual is not None and job.actual.ttl_seconds is not None
    ]
    longest = SOON_SECONDS if len(state.jobs) <= FEW_JOBS else float("inf")
    return min(longest, max(min(ttls) / 2, FIRST_INTERVAL_SECONDS)) if ttls else longest
