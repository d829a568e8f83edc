"""Creates a run's objects, or adopts those that an earlier attempt created: each exactly once.

Names are deterministic, so a second attempt finds the objects of the first one. After an ambiguous
answer (a reset, a timeout) a create request is sent again, so "already exists" may also mean that
our own first request was carried out. Therefore an existing object is always compared: it is
adopted when run ID, digest of the spec and owner UID are ours, waited for when it belongs to a
former tracker of the same name (the garbage collector is about to delete it), and refused
otherwise. Objects of others are never touched.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mrunners.kube.api import Cluster
from mrunners.kube.objects import Job
from mrunners.plan.job import job_manifest
from mrunners.plan.metadata import Manifest
from mrunners.plan.plan import PlannedJob, RunPlan
from mrunners.plan.spec_changes import changed_fields, dropped_fields, spec_fields
from mrunners.plan.tracker import assign_profiles
from mrunners.run.annotate import annotate_job_ttl, annotate_jobs_created, warn_of_gone_jobs
from mrunners.run.create_job import create_job, is_adoptable, learn_ttl
from mrunners.run.create_tracker import create_tracker
from mrunners.run.delete import delete_run
from mrunners.run.dry_run import dry_run_jobs
from mrunners.run.lookup import ExistingRun, list_jobs, state_of
from mrunners.run.observer import RunObserver
from mrunners.run.preflight import RunAction
from mrunners.run.report_store import ReportStore
from mrunners.run.second_look import look_twice

__all__ = ["StartedRun", "create_jobs", "create_tracker", "is_adoptable", "start_run"]


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run whose tracker exists.

    Attributes:
        existing: The run as it was right after its tracker was created or adopted.
        profiles: Rendered profiles by digest.
    """

    existing: ExistingRun
    profiles: Mapping[str, str] = field(repr=False)

    @property
    def missing(self) -> tuple[PlannedJob, ...]:
        """The planned Jobs that were never created; those that are gone are not among them."""
        return self.existing.state.missing


def start_run(
    cluster: Cluster, action: RunAction, observer: RunObserver, store: ReportStore | None = None
) -> StartedRun:
    """Delete the run that is replaced, then create the tracker or adopt our own; no Jobs yet.

    Args:
        cluster: The cluster.
        action: What `preflight` has just returned.
        observer: Receives what happens.
        store: Knows what this machine has created and fetched.

    Raises:
        RefusedError: Another run was created first, or the run that is resumed was deleted.
        WaitTimeoutError: The run that is replaced is not deleted in time.
        InvalidInputError: The API server does not accept the pod template or an option.
        ClusterError: It does not accept the Jobs or their pods.
    """
    planned = action.planned
    for line in planned.warnings:
        observer.warn(line)
    dry_run_jobs(cluster, action, observer)
    if (old := action.replaces) is not None:
        observer.info(f"replacing the finished run of tracker {old.ref} (run ID {old.plan.run_id})")
        delete_run(cluster, old, observer, force=True)
    plan = planned.plan
    tracker = create_tracker(cluster, plan, planned.profiles, observer, resumed=action.resumes)
    jobs = list_jobs(cluster, plan, tracker.uid)
    state = state_of(plan, jobs, tracker, cluster.now(), store, creating=True)
    if action.resumes is not None:
        existing = len(state.jobs) - len(state.missing) - len(state.gone)
        observer.info(
            f"resuming run {plan.run_id}: {existing} of {len(state.jobs)} Jobs exist, "
            f"{state.ended} of {state.pod_count} pods have ended"
        )
    warn_of_gone_jobs([job.name for job in state.gone], observer)
    run = ExistingRun(tracker, plan, state)
    if not state.missing:
        annotate_jobs_created(cluster, run, observer)
    return StartedRun(run, planned.profiles)


def create_jobs(
    cluster: Cluster,
    run: StartedRun,
    jobs: Iterable[PlannedJob],
    observer: RunObserver,
    store: ReportStore | None = None,
) -> list[Job]:
    """Create these Jobs of the plan, or adopt our own; once all are created, note it.

    The tracker then has an annotation, so that every machine can tell a Job that was never created
    from one that was removed since.

    Args:
        cluster: The cluster.
        run: The run.
        jobs: Some or all of its missing Jobs, in plan order: that a Job exists means that all
            before it were created.
        observer: Is warned when the cluster drops, adds or changes fields of the Jobs.
        store: Knows what this machine has created and fetched.

    Returns:
        The Jobs, in order, without those that were created before and are gone.

    Raises:
        RefusedError: A Job of that name belongs to another run, or the tracker was deleted.
    """
    plan, tracker_uid = run.existing.plan, run.existing.tracker.uid
    config_maps = assign_profiles(plan, run.profiles)
    created: list[Job] = []
    gone: list[str] = []
    warnings: dict[str, None] = {}
    existing = run.existing
    noted = frozenset[str]() if store is None else store.created_jobs(existing.stored)
    last, known = None, None
    first = (*run.missing, *plan.jobs)[0]
    ttl_seconds, ttl_known = None, False

    def manifest_of(job: PlannedJob) -> Manifest:
        name = config_maps[job.profile_digest]
        return job_manifest(plan, job, profile_config_map=name, tracker_uid=tracker_uid)

    for planned in jobs:
        manifest, last = manifest_of(planned), planned
        # Created by an attempt before this one, which ended before all were.
        if planned.name in noted and _is_gone(cluster, plan, planned):
            gone.append(planned.name)
            continue
        if not ttl_known:
            ttl_seconds, ttl_known = learn_ttl(cluster, existing, manifest), True
            if ttl_seconds is not None and planned == first:
                # Before it exists: who is stopped right after that leaves no other trace of it.
                annotate_job_ttl(cluster, existing, ttl_seconds, observer)
        job = create_job(cluster, plan, planned, manifest, tracker_uid, ttl_seconds)
        if store is not None:
            store.note_created(existing.stored, planned.name)
        if job is None:
            gone.append(planned.name)
            continue
        lines = _changes(manifest, job)
        if lines and known is None:
            # A policy changes all Jobs alike: what the first call has reported is not repeated.
            before = None if planned == first else cluster.get_job(plan.namespace, first.name)
            known = set() if before is None else {*_changes(manifest_of(first), before)}
            if job.ttl_seconds is not None and ttl_seconds is None:
                ttl_seconds = job.ttl_seconds
                annotate_job_ttl(cluster, existing, ttl_seconds, observer)
        warnings |= dict.fromkeys(line for line in lines if line not in (known or ()))
        created.append(job)
    for line in warnings:
        observer.warn(line)
    warn_of_gone_jobs(gone, observer)
    if last == plan.jobs[-1]:
        annotate_jobs_created(cluster, existing, observer)
    return created


def _changes(manifest: Manifest, job: Job) -> list[str]:
    sent = manifest["spec"]
    assert isinstance(sent, dict)
    return [*dropped_fields(job.spec_fields), *changed_fields(spec_fields(sent), job.spec_fields)]


def _is_gone(cluster: Cluster, plan: RunPlan, planned: PlannedJob) -> bool:
    """Whether a Job that was created before exists no more."""
    found = look_twice(lambda: cluster.get_job(plan.namespace, planned.name), time.sleep)
    return found is None
