"""Until when a pod must have started, so that it loads the cluster together with the others."""

from __future__ import annotations

from datetime import datetime, timedelta

from mrunners.durations import format_duration
from mrunners.kube.objects import Job
from mrunners.plan.plan import RunPlan

__all__ = ["CONFIRM_SECONDS", "late_start", "start_deadline"]

# Containers' starts are by the clocks of their nodes, which differ a little from the API server's,
# and in whole seconds.
CLOCK_TOLERANCE = timedelta(seconds=5)

# After an outage, or when a node was away, the cluster does not know yet which pods have started: a
# kubelet reports again within 10 s. So a pod is late when it was late before, and for so long.
CONFIRM_SECONDS = 15.0


def start_deadline(plan: RunPlan, job: Job) -> datetime:
    """Return until when the pods of a Job must have started; counts from the Job's start.

    Not from a pod's own creation: a pod that a quota held back for an hour is an hour late.
    """
    return (job.started or job.created) + timedelta(seconds=plan.start_timeout_seconds)


def late_start(plan: RunPlan, job: Job, index: int | None, started: datetime | None) -> str:
    """Return by how much a pod started too late, in words; empty if it did not.

    Args:
        plan: The plan of the run.
        job: The Job of the pod.
        index: The completion index of the pod.
        started: When its runner container started.
    """
    if started is None:
        return ""
    limit = format_duration(plan.start_timeout_seconds)
    if job.started is None:
        # Suspending a Job takes its start away. A wait has noted before which pods are late.
        noted = any(index in group.indexes for group in job.given_up)
        return f"it started after the start timeout of {limit}" if noted else ""
    if started <= start_deadline(plan, job) + CLOCK_TOLERANCE:
        return ""
    after = format_duration((started - job.started).total_seconds())
    return f"it started {after} after its Job; the start timeout is {limit}"
