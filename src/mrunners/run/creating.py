"""Creates a run's objects, or adopts those that an earlier attempt made: each exactly once.

It must not touch another's objects: what is not ours by run ID, digest and owner is refused.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from mrunners.cluster.api import Cluster
from mrunners.cluster.seen import ConfigMapSeen, JobSeen
from mrunners.errors import RefusedError
from mrunners.plan.job import dropped_fields, job_digest, job_manifest
from mrunners.plan.labels import tracker_selector
from mrunners.plan.plan import Plan, PlannedJob
from mrunners.plan.tracker import overflow_manifests, place_profiles, tracker_manifest
from mrunners.run.finding import describe_run, existing_run
from mrunners.run.going import wait_until_gone
from mrunners.run.listening import Listener

__all__ = ["adopted", "create_jobs", "create_tracker"]

# A Job whose tracker is gone is collected 0.2 s after it was made (measured); this is plenty.
GOING_SECONDS = 30.0


def create_tracker(
    cluster: Cluster, plan: Plan, profiles: Mapping[str, str], listener: Listener
) -> ConfigMapSeen:
    """Create the tracker with the whole plan in it, or adopt our own.

    Args:
        cluster: where.
        plan: the run as decided.
        profiles: digest to rendered profile.
        listener: told the tracker's name.
    Raises: RefusedError: the tracker belongs to another run, or is none of ours.
    """
    manifest = tracker_manifest(plan, profiles)
    # What a deleted run left behind would load the cluster beside ours, under the same names.
    if cluster.get_config_map(plan.namespace, plan.tracker) is None:
        leftovers = tracker_selector(plan.tracker, not_run_id=plan.run_id)
        wait_until_gone(cluster, plan.namespace, leftovers, listener)
    tracker = cluster.create_config_map(plan.namespace, manifest)
    if tracker is None:
        tracker = _own_tracker(cluster, plan)
    for overflow in overflow_manifests(plan, profiles, tracker.uid):
        cluster.create_config_map(plan.namespace, overflow)
    listener.tracker(tracker.name)
    return tracker


def create_jobs(
    cluster: Cluster,
    plan: Plan,
    jobs: Iterable[PlannedJob],
    *,
    profiles: Mapping[str, str],
    tracker_uid: str,
    listener: Listener,
) -> list[JobSeen]:
    """Create these Jobs of the plan, or adopt our own.

    Args:
        cluster: where.
        plan: the run as decided.
        jobs: some or all of its Jobs.
        profiles: digest to rendered profile, to know which ConfigMap holds which.
        tracker_uid: the tracker that owns them.
        listener: warned when the server drops fields that a run relies on.
    Returns: one per planned Job, in order.
    Raises: RefusedError: a Job of that name is another's, or the tracker is gone.
    """
    places = place_profiles(plan, profiles)
    seen = []
    for job in jobs:
        manifest = job_manifest(
            plan, job, profile_place=places[job.profile_digest], tracker_uid=tracker_uid
        )
        made = cluster.create_job(plan.namespace, manifest)
        if made is None:
            made = _own_job(cluster, plan, job, job_digest(manifest), tracker_uid)
        for line in dropped_fields(made.spec_fields):
            listener.warn(line)
        seen.append(made)
    return seen


def adopted(job: JobSeen, plan: Plan, digest: str, tracker_uid: str) -> bool:
    """Whether an existing Job is the planned one: same run, same spec, same owner."""
    return (
        job.run_id == plan.run_id
        and job.digest == digest
        and any(owner.uid == tracker_uid for owner in job.owners)
        and not job.deleting
    )


def _own_tracker(cluster: Cluster, plan: Plan) -> ConfigMapSeen:
    found = existing_run(cluster, plan.namespace, plan.tracker)
    if found is None:
        raise RefusedError(
            f"tracker {plan.tracker} in namespace {plan.namespace} was deleted while the run was "
            "being created; run again",
            namespace=plan.namespace,
            tracker=plan.tracker,
        )
    if found.plan.run_id != plan.run_id:
        raise RefusedError(
            f"another run came first: {describe_run(cluster, found)}",
            namespace=plan.namespace,
            tracker=plan.tracker,
        )
    return found.tracker


def _own_job(
    cluster: Cluster, plan: Plan, job: PlannedJob, digest: str, tracker_uid: str
) -> JobSeen:
    """The Job that was there already, if it is ours; one that is going is waited for."""
    deadline = time.monotonic() + GOING_SECONDS
    while time.monotonic() < deadline:
        there = cluster.get_job(plan.namespace, job.name)
        if there is None:
            raise RefusedError(
                f"job {job.name} vanished right after it was created: tracker {plan.tracker} in "
                f"namespace {plan.namespace} was deleted meanwhile; run again",
                namespace=plan.namespace,
                tracker=plan.tracker,
            )
        if adopted(there, plan, digest, tracker_uid):
            return there
        if not there.deleting:
            break
        time.sleep(0.5)
    raise RefusedError(
        f"job {job.name} in namespace {plan.namespace} exists and is not of this run; delete it, "
        "or choose another --tracker",
        namespace=plan.namespace,
        tracker=plan.tracker,
    )
