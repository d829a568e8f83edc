"""Creates a run's objects, or adopts those that an earlier attempt created: each exactly once.

Jobs are created in plan order, a few at a time; each says how many, from the first of the plan, had
been created before it, which tells those that are gone from those that never existed.

Names are deterministic, so a second attempt finds the objects of the first one. After an ambiguous
answer (a reset, a timeout) a create request is sent again, so "already exists" may also mean that
our own first request was carried out. Therefore an existing object is always compared: it is
adopted when run ID, digest of the spec and owner UID are ours, waited for when it belongs to a
former tracker of the same name (the garbage collector is about to delete it), and refused
otherwise. Objects of others are never touched.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mrunners.errors import MrunnersError
from mrunners.formatting import counted
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
from mrunners.run.parallel import in_parallel
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
    if (moment := run.start_at) is not None:
        passed = " (it has passed)" if moment <= cluster.now() else ""
        observer.info(f"all pods begin their load at {moment:%H:%M:%S} UTC{passed}")
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
        jobs: Some or all of its missing Jobs, in plan order: those before the first of them were
            created by earlier calls.
        observer: Is warned when the cluster drops, adds or changes fields of the Jobs.
        store: Knows what this machine has created and fetched.

    Returns:
        The Jobs, in order, without those that were created before and are gone.

    Raises:
        RefusedError: A Job of that name belongs to another run, or the tracker was deleted.
    """
    creation = _Creation(cluster, run, observer, store)
    requested = list(jobs)
    try:
        creation.create(requested)
    except MrunnersError:
        if creation.created:
            existing = f"{len(creation.created)} of {counted(len(requested), 'Job')}"
            observer.info(f"{existing} were created before this error")
        raise
    finally:
        creation.report()
    # A creator that was killed may have left gaps before the last Job of the plan.
    if requested and requested[-1] == (*run.existing.plan.jobs, *run.missing)[-1]:
        annotate_jobs_created(cluster, run.existing, observer)
    return creation.created


class _Creation:
    """One call of `create_jobs`, and what it finds out.

    Attributes:
        created: The Jobs that were created or adopted.
    """

    def __init__(
        self, cluster: Cluster, run: StartedRun, observer: RunObserver, store: ReportStore | None
    ) -> None:
        self._cluster, self._existing, self._observer = cluster, run.existing, observer
        self._store = store
        plan = run.existing.plan
        self._plan, self._tracker_uid = plan, run.existing.tracker.uid
        self._config_maps = assign_profiles(plan, run.profiles)
        self._first = (*run.missing, *plan.jobs)[0]
        # Created by an attempt before this one, which ended before all were.
        self._noted = frozenset[str]() if store is None else store.created_jobs(run.existing.stored)
        self._ttl_seconds: int | None = None
        self._ttl_known = False
        self.created: list[Job] = []
        self._gone: list[str] = []
        self._warnings: dict[str, None] = {}
        self._known: set[str] | None = None

    def create(self, jobs: Sequence[PlannedJob]) -> None:
        """Create these Jobs: the first alone, because what refuses or changes it does so to all."""
        begun = 0
        while begun < len(jobs) and not self._ttl_known:
            planned, begun = jobs[begun], begun + 1
            self._take(planned, *self._create(planned, planned.index))
        rest = jobs[begun:]

        def create(planned: PlannedJob, finished: int) -> tuple[Manifest, Job | None]:
            return self._create(planned, rest[finished].index)

        for planned, (manifest, job) in in_parallel(create, rest, self._cluster.connections):
            self._take(planned, manifest, job)

    def report(self) -> None:
        """Warn of what the cluster changes in Jobs, and of Jobs that are gone."""
        for line in self._warnings:
            self._observer.warn(line)
        warn_of_gone_jobs(self._gone, self._observer)

    def _manifest(self, planned: PlannedJob, created_before: int) -> Manifest:
        return job_manifest(
            self._plan,
            planned,
            profile_config_map=self._config_maps[planned.profile_digest],
            tracker_uid=self._tracker_uid,
            start_at=self._existing.start_at,
            created_before=created_before,
        )

    def _create(self, planned: PlannedJob, created_before: int) -> tuple[Manifest, Job | None]:
        """Create or adopt a Job; return it as sent and as it is, or None if it is gone.

        Called by several threads.
        """
        cluster, plan, store = self._cluster, self._plan, self._store
        manifest = self._manifest(planned, created_before)
        if planned.name in self._noted and _is_gone(cluster, plan, planned):
            return manifest, None
        if not self._ttl_known:
            self._learn_ttl(planned, manifest)
        job = create_job(cluster, plan, planned, manifest, self._tracker_uid, self._ttl_seconds)
        if store is not None:
            store.note_created(self._existing.stored, planned.name)
        return manifest, job

    def _learn_ttl(self, planned: PlannedJob, manifest: Manifest) -> None:
        self._ttl_seconds = learn_ttl(self._cluster, self._existing, manifest)
        self._ttl_known = True
        if self._ttl_seconds is not None and planned == self._first:
            # Before it exists: who is stopped right after that leaves no other trace of it.
            annotate_job_ttl(self._cluster, self._existing, self._ttl_seconds, self._observer)

    def _take(self, planned: PlannedJob, manifest: Manifest, job: Job | None) -> None:
        """Note a Job that was created, and what the cluster has changed in it."""
        if job is None:
            self._gone.append(planned.name)
            return
        self.created.append(job)
        lines = _changes(manifest, job)
        if lines and self._known is None:
            self._known = self._reported_before(planned)
            if job.ttl_seconds is not None and self._ttl_seconds is None:
                self._ttl_seconds = job.ttl_seconds
                annotate_job_ttl(self._cluster, self._existing, job.ttl_seconds, self._observer)
        self._warnings |= dict.fromkeys(line for line in lines if line not in (self._known or ()))

    def _reported_before(self, planned: PlannedJob) -> set[str]:
        """Return what an earlier call has reported: a policy changes all Jobs alike."""
        first = self._first
        if planned == first:
            return set()
        before = self._cluster.get_job(self._plan.namespace, first.name)
        return set() if before is None else {*_changes(self._manifest(first, first.index), before)}


def _changes(manifest: Manifest, job: Job) -> list[str]:
    sent = manifest["spec"]
    assert isinstance(sent, dict)
    return [*dropped_fields(job.spec_fields), *changed_fields(spec_fields(sent), job.spec_fields)]


def _is_gone(cluster: Cluster, plan: RunPlan, planned: PlannedJob) -> bool:
    """Whether a Job that was created before exists no more."""
    found = look_twice(lambda: cluster.get_job(plan.namespace, planned.name), time.sleep)
    return found is None
