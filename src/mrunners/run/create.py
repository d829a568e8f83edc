"""Creates a run's objects, or adopts those that an earlier attempt made: each exactly once.

It must not touch another's objects: what is not ours by run ID, digest and owner is refused.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mrunners.errors import RefusedError
from mrunners.kube.api import Cluster
from mrunners.kube.objects import ConfigMap, Job, OwnerReference
from mrunners.plan.job import dropped_fields, job_digest, job_manifest
from mrunners.plan.metadata import Manifest, run_selector, tracker_selector
from mrunners.plan.plan import PlannedJob, RunPlan
from mrunners.plan.tracker import overflow_manifests, place_profiles, tracker_manifest
from mrunners.run.delete import delete_run, wait_until_gone
from mrunners.run.lookup import ExistingRun, describe_run, get_run_or_none
from mrunners.run.observer import RunObserver
from mrunners.run.preflight import RunAction
from mrunners.status.run_state import run_state

__all__ = ["StartedRun", "adopted", "create_jobs", "create_tracker", "start_run"]

# A Job whose tracker is gone is collected 0.2 s after it was made (measured); this is plenty.
GOING_SECONDS = 30.0
GOING_POLL_SECONDS = 0.5


def create_tracker(
    cluster: Cluster, plan: RunPlan, profiles: Mapping[str, str], observer: RunObserver
) -> ConfigMap:
    """Create the tracker with the whole plan in it, or adopt our own.

    Args:
        cluster: where.
        plan: the run as decided.
        profiles: digest to rendered profile.
        observer: told the tracker's name.
    Raises: RefusedError: the tracker belongs to another run, or is none of ours.
    """
    manifest = tracker_manifest(plan, profiles)
    # What a deleted run left behind would load the cluster beside ours, under the same names; even
    # Jobs of our own run ID are going when their tracker is gone.
    if cluster.get_config_map(plan.namespace, plan.tracker) is None:
        wait_until_gone(cluster, plan.namespace, tracker_selector(plan.tracker), observer)
    tracker = cluster.create_config_map(plan.namespace, manifest)
    if tracker is None:
        tracker = _own_tracker(cluster, plan)
    for overflow in overflow_manifests(plan, profiles, tracker.uid):
        _create_profiles(cluster, plan, overflow, tracker.uid)
    observer.tracker(tracker.name)
    return tracker


def create_jobs(
    cluster: Cluster,
    plan: RunPlan,
    jobs: Iterable[PlannedJob],
    *,
    profiles: Mapping[str, str],
    tracker_uid: str,
    observer: RunObserver,
) -> list[Job]:
    """Create these Jobs of the plan, or adopt our own.

    Args:
        cluster: where.
        plan: the run as decided.
        jobs: some or all of its Jobs.
        profiles: digest to rendered profile, to know which ConfigMap holds which.
        tracker_uid: the tracker that owns them.
        observer: warned when the server drops fields that a run relies on.
    Returns: one per planned Job, in order.
    Raises: RefusedError: a Job of that name is another's, or the tracker is gone.
    """
    places = place_profiles(plan, profiles)
    seen = []
    dropped: dict[str, None] = {}
    for job in jobs:
        manifest = job_manifest(
            plan, job, profile_place=places[job.profile_digest], tracker_uid=tracker_uid
        )
        made = _create_job(cluster, plan, job, manifest, tracker_uid)
        dropped |= dict.fromkeys(dropped_fields(made.spec_fields))
        seen.append(made)
    for line in dropped:
        observer.warn(line)
    return seen


def adopted(job: Job, plan: RunPlan, digest: str, tracker_uid: str) -> bool:
    """Whether an existing Job is the planned one: same run, same spec, same owner."""
    return (
        job.run_id == plan.run_id
        and job.digest == digest
        and _owned(job.owners, tracker_uid)
        and not job.deleting
    )


def _own_tracker(cluster: Cluster, plan: RunPlan) -> ConfigMap:
    found = get_run_or_none(cluster, plan.namespace, plan.tracker)
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


def _create_profiles(cluster: Cluster, plan: RunPlan, manifest: Manifest, tracker_uid: str) -> None:
    """Create a ConfigMap for profiles, or adopt our own; one that is going is waited for."""
    metadata = manifest["metadata"]
    assert isinstance(metadata, dict)
    name = metadata["name"]
    deadline = time.monotonic() + GOING_SECONDS
    while cluster.create_config_map(plan.namespace, manifest) is None:
        there = cluster.get_config_map(plan.namespace, name)
        if there is not None and not there.deleting:
            ours = there.run_id == plan.run_id and there.data == manifest["data"]
            if ours and _owned(there.owners, tracker_uid):
                return
            if not _orphaned(there.owners, plan, tracker_uid):
                raise _foreign(plan, f"configmap {name}")
        if time.monotonic() > deadline:
            raise _foreign(plan, f"configmap {name}")
        time.sleep(GOING_POLL_SECONDS)


def _create_job(
    cluster: Cluster, plan: RunPlan, job: PlannedJob, manifest: Manifest, tracker_uid: str
) -> Job:
    """Create a Job, or adopt our own; one that is going is waited for."""
    digest = job_digest(manifest)
    deadline = time.monotonic() + GOING_SECONDS
    while (made := cluster.create_job(plan.namespace, manifest)) is None:
        there = cluster.get_job(plan.namespace, job.name)
        if there is None:
            _require_tracker(cluster, plan, job, tracker_uid)
        elif adopted(there, plan, digest, tracker_uid):
            return there
        elif not there.deleting and not _orphaned(there.owners, plan, tracker_uid):
            raise _foreign(plan, f"job {job.name}")
        if time.monotonic() > deadline:
            raise _foreign(plan, f"job {job.name}")
        time.sleep(GOING_POLL_SECONDS)
    return made


def _require_tracker(cluster: Cluster, plan: RunPlan, job: PlannedJob, tracker_uid: str) -> None:
    """What went with its tracker must not come back."""
    tracker = cluster.get_config_map(plan.namespace, plan.tracker)
    if tracker is None or tracker.uid != tracker_uid:
        raise RefusedError(
            f"job {job.name} vanished right after it was created: tracker {plan.tracker} in "
            f"namespace {plan.namespace} was deleted meanwhile; run again",
            namespace=plan.namespace,
            tracker=plan.tracker,
        )


def _owned(owners: Iterable[OwnerReference], tracker_uid: str) -> bool:
    return any(owner.uid == tracker_uid for owner in owners)


def _orphaned(owners: Iterable[OwnerReference], plan: RunPlan, tracker_uid: str) -> bool:
    """Whether it belongs to a former tracker of that name, so that it is about to be collected."""
    return any(
        owner.kind == "ConfigMap" and owner.name == plan.tracker and owner.uid != tracker_uid
        for owner in owners
    )


def _foreign(plan: RunPlan, what: str) -> RefusedError:
    where = f"{plan.namespace} --tracker {plan.tracker}"
    return RefusedError(
        f"{what} in namespace {plan.namespace} exists and is not of this run; delete it and go on "
        f"with: mrunners run --namespace {where} --resume; or give this run up with: mrunners "
        f"delete {where} --force; and choose another --tracker",
        namespace=plan.namespace,
        tracker=plan.tracker,
    )


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run whose tracker stands.

    Attributes:
        found: the run as it was right after its tracker stood.
        profiles: digest to rendered profile.
    """

    found: ExistingRun
    profiles: Mapping[str, str] = field(repr=False)

    @property
    def missing(self) -> tuple[PlannedJob, ...]:
        """The planned Jobs that were not there yet."""
        return self.found.state.missing


def start_run(cluster: Cluster, action: RunAction, observer: RunObserver) -> StartedRun:
    """Delete what is replaced, then create the tracker or adopt our own.

    Args:
        cluster: where.
        action: what `resolve_existing_run` returned just before.
        observer: told what happens.
    Raises:
        RefusedError: another run came first.
        WaitTimeoutError: what is replaced does not go away.
    """
    planned = action.planned
    for line in planned.warnings:
        observer.warn(line)
    if (old := action.replaces) is not None:
        observer.info(
            f"replacing the finished run of tracker {old.tracker.name} (run {old.plan.run_id})"
        )
        delete_run(cluster, old, observer, force=True)
    plan = planned.plan
    tracker = create_tracker(cluster, plan, planned.profiles, observer)
    jobs = cluster.list_jobs(plan.namespace, run_selector(plan.run_id))
    state = run_state(plan, jobs)
    if action.resumes is not None:
        there = len(state.jobs) - len(state.missing)
        observer.info(
            f"resuming run {plan.run_id}: {there} of {len(state.jobs)} Jobs are there, "
            f"{state.ended} of {state.pods} pods have ended"
        )
    return StartedRun(ExistingRun(tracker, plan, state), planned.profiles)
