"""Creates one Job, or adopts our own: its load must not run twice, whatever answers are lost.

Where the cluster removes Jobs some time after they finished, a Job that does not exist may have run
as well. So that time is learned by a dry run and noted before the first Job is created, and a
creation is not repeated for longer.
"""

from __future__ import annotations

import time

from mrunners.errors import (
    ApiStatusError,
    ClusterError,
    ForbiddenError,
    NextStep,
    RefusedError,
    UnreachableError,
)
from mrunners.kube.api import Cluster
from mrunners.kube.objects import Job
from mrunners.kube.retry import NotSentError, request_deadline
from mrunners.plan.job import job_digest
from mrunners.plan.metadata import ANNOTATION_JOB_TTL, Manifest
from mrunners.plan.plan import PlannedJob, RunPlan
from mrunners.run.create_tracker import DELETION_SECONDS, POLL_SECONDS, foreign_object
from mrunners.run.lookup import ExistingRun, is_orphaned, is_owned
from mrunners.run.second_look import look_twice, same_tracker

__all__ = ["create_job", "is_adoptable", "learn_ttl"]

# With a TTL of 0 a Job is removed when it ends. No pod is scheduled, starts and ends in less time.
_SHORTEST_LIFE_SECONDS = 3.0


def learn_ttl(cluster: Cluster, run: ExistingRun, manifest: Manifest) -> int | None:
    """Return how long after its end the cluster removes a Job; None if it keeps it.

    Args:
        cluster: The cluster.
        run: The run; an earlier attempt may have noted it on its tracker.
        manifest: One of the run's Jobs; a policy changes all alike.
    """
    noted = run.tracker.annotations.get(ANNOTATION_JOB_TTL, "")
    if noted.isdecimal():
        return int(noted)
    try:
        job = cluster.dry_run_job(run.plan.namespace, manifest)
    except (ApiStatusError, ForbiddenError):
        return None  # the creation itself, if it is refused too, says why
    return None if job is None else job.ttl_seconds


def create_job(
    cluster: Cluster,
    plan: RunPlan,
    planned: PlannedJob,
    manifest: Manifest,
    tracker_uid: str,
    ttl_seconds: int | None,
) -> Job | None:
    """Create a Job, or adopt our own; wait for one of a former run that is being deleted.

    Args:
        cluster: The cluster.
        plan: The plan of the run.
        planned: The Job.
        manifest: The Job as it is sent.
        tracker_uid: The UID of the run's tracker.
        ttl_seconds: What `learn_ttl` has returned.

    Returns:
        None when our own is being deleted, or may have been removed: its load has run, or was
        stopped on purpose.

    Raises:
        RefusedError: A Job of that name belongs to another run, or the tracker was deleted.
        UnreachableError: The API server does not answer, and the same may be tried again.
        ClusterError: It does not answer, and where it removes Jobs only a resumed run can know
            whether this one was created.
    """
    try:
        return _create_or_adopt(cluster, plan, planned, manifest, tracker_uid, ttl_seconds)
    except UnreachableError as error:
        if ttl_seconds is None:
            raise
        raise ClusterError(
            f"it is not known whether job.batch/{planned.name} in namespace {plan.namespace} was "
            f"created: {error}"
        ).suggest(plan.ref, NextStep.RESUME) from error


def _create_or_adopt(
    cluster: Cluster,
    plan: RunPlan,
    planned: PlannedJob,
    manifest: Manifest,
    tracker_uid: str,
    ttl_seconds: int | None,
) -> Job | None:
    digest = job_digest(manifest)
    deadline = time.monotonic() + DELETION_SECONDS
    repeat_until = _repeat_until(ttl_seconds)

    def look() -> Job | None:
        return cluster.get_job(plan.namespace, planned.name)

    while True:
        try:
            created = _send(cluster, plan, manifest, repeat_until)
        except NotSentError:
            if time.monotonic() > deadline:
                raise
            # Other requests had the turn. As nothing was sent, the time to repeat it begins anew.
            repeat_until = _repeat_until(ttl_seconds)
            time.sleep(POLL_SECONDS)
            continue
        if created is not None:
            return created
        too_late = repeat_until is not None and time.monotonic() >= repeat_until
        existing = look_twice(look, time.sleep) if too_late else look()
        if existing is None:
            _require_tracker(cluster, plan, planned, tracker_uid)
            if too_late:
                return None
        elif is_adoptable(existing, plan, digest, tracker_uid):
            return existing
        elif existing.deleting and is_owned(existing.owners, tracker_uid):
            return None
        elif not existing.deleting and not is_orphaned(existing.owners, plan, tracker_uid):
            raise foreign_object(plan, f"job.batch/{planned.name}")
        else:  # as long as that one has the name, ours was not created
            repeat_until = _repeat_until(ttl_seconds)
        if time.monotonic() > deadline:
            raise foreign_object(plan, f"job.batch/{planned.name}")
        time.sleep(POLL_SECONDS)


def is_adoptable(job: Job, plan: RunPlan, digest: str, tracker_uid: str) -> bool:
    """Whether an existing Job is the planned one: same run, same spec, same owner."""
    return (
        job.run_id == plan.run_id
        and job.digest == digest
        and is_owned(job.owners, tracker_uid)
        and not job.deleting
    )


def _repeat_until(ttl_seconds: int | None) -> float | None:
    """Return until when a creation can be repeated: a Job that it created before exists then."""
    if ttl_seconds is None:
        return None
    return time.monotonic() + max(ttl_seconds, _SHORTEST_LIFE_SECONDS)


def _send(
    cluster: Cluster, plan: RunPlan, manifest: Manifest, repeat_until: float | None
) -> Job | None:
    """Create a Job; return None when one of that name exists, or when it is too late to repeat."""
    if repeat_until is None:
        return cluster.create_job(plan.namespace, manifest)
    try:
        with request_deadline(repeat_until, time.monotonic):
            return cluster.create_job(plan.namespace, manifest)
    except NotSentError:
        raise
    except UnreachableError:
        if time.monotonic() < repeat_until:
            raise
        return None


def _require_tracker(
    cluster: Cluster, plan: RunPlan, planned: PlannedJob, tracker_uid: str
) -> None:
    """Refuse to create again what was deleted with its tracker."""
    if same_tracker(cluster, plan.ref, tracker_uid, time.sleep) is None:
        raise RefusedError.of(
            plan.ref,
            f"job.batch/{planned.name} in namespace {plan.namespace} disappeared right after it "
            f"was created: tracker "
            f"{plan.ref} was deleted; run again",
        )
