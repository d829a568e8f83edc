"""Looks up the run under a tracker's name, compares it with its Jobs, and describes it.

A tracker is believed as far as its Jobs agree: who may write ConfigMaps can delete a tracker and
write another one with a plan of fewer pods.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mrunners.durations import format_duration
from mrunners.errors import NextStep, RefusedError
from mrunners.formatting import counted
from mrunners.kube.api import Cluster
from mrunners.kube.objects import ConfigMap, Job, OwnerReference
from mrunners.plan.metadata import (
    ANNOTATION_COLLECTED_AT,
    ANNOTATION_JOB_TTL,
    ANNOTATION_JOBS_CREATED_AT,
    LABEL_COMPONENT,
    Component,
    job_name,
    runner_selector,
    trackers_selector,
)
from mrunners.plan.option_table import DEFAULT_TRACKER
from mrunners.plan.plan import RunPlan
from mrunners.plan.tracker import profile_key, read_plan
from mrunners.refs import RunRef
from mrunners.run.report_store import ReportStore, StoredRun
from mrunners.status.run_state import RunState, creator_is_gone, run_state
from mrunners.text import listed

__all__ = [
    "ExistingRun",
    "describe_run",
    "get_run",
    "get_run_or_none",
    "get_tracker",
    "is_orphaned",
    "is_owned",
    "list_jobs",
    "read_run",
    "resolve_tracker",
    "state_of",
]


@dataclass(frozen=True, slots=True)
class ExistingRun:
    """A run that exists in a cluster.

    Attributes:
        tracker: Its ConfigMap as it was when it was read.
        plan: The plan that the tracker holds.
        state: The plan compared with the Jobs, at that moment.
    """

    tracker: ConfigMap
    plan: RunPlan
    state: RunState

    @property
    def ref(self) -> RunRef:
        """The run's name."""
        return self.plan.ref

    @property
    def stored(self) -> StoredRun:
        """The run as the report store knows it."""
        return StoredRun(self.plan.run_id, self.tracker.uid)

    @property
    def start_at(self) -> datetime | None:
        """When all its pods begin their load together; None when each does at once."""
        return self.plan.start_at(self.tracker.created)

    @property
    def collected(self) -> bool:
        """Whether its report was once written in full."""
        return ANNOTATION_COLLECTED_AT in self.tracker.annotations


def resolve_tracker(cluster: Cluster, namespace: str, tracker: str | None) -> RunRef:
    """Return the named run, or the only one of the namespace when no tracker is named.

    Raises:
        RefusedError: No tracker is named, and the namespace has none or several.
    """
    if tracker:
        return RunRef(namespace, tracker)
    config_maps = cluster.list_config_maps(namespace, trackers_selector())
    refs = sorted(RunRef(namespace, each.name) for each in config_maps if not each.deleting)
    if len(refs) == 1:
        return refs[0]
    names = ", ".join(ref.tracker for ref in refs)
    text = f"no tracker in namespace {namespace}: nothing was run there, or it was deleted"
    text = f"namespace {namespace} has {len(refs)} trackers: {names}" if refs else text
    step = NextStep.NAME_TRACKER if refs else NextStep.START
    ref = RunRef(namespace, DEFAULT_TRACKER)
    raise RefusedError(text, namespace=namespace).suggest(ref, step)


def get_run(cluster: Cluster, ref: RunRef, store: ReportStore | None = None) -> ExistingRun:
    """Return a run.

    Args:
        cluster: The cluster.
        ref: Which run.
        store: Knows what this machine has created and fetched.

    Raises:
        RefusedError: It does not exist, the ConfigMap is not a tracker of mrunners, or its Jobs
            are not those of its plan.
    """
    return read_run(cluster, ref, get_tracker(cluster, ref), store)


def get_run_or_none(cluster: Cluster, ref: RunRef) -> ExistingRun | None:
    """Return a run; None when there is no such ConfigMap.

    Raises:
        RefusedError: The ConfigMap is not a tracker of mrunners, or its Jobs are not those of its
            plan.
    """
    tracker = _get_tracker_or_none(cluster, ref)
    return None if tracker is None else read_run(cluster, ref, tracker)


def get_tracker(cluster: Cluster, ref: RunRef) -> ConfigMap:
    """Return the tracker of a run, even one whose plan cannot be read.

    Raises:
        RefusedError: It does not exist, or the ConfigMap is not a tracker of mrunners.
    """
    tracker = _get_tracker_or_none(cluster, ref)
    if tracker is None:
        raise RefusedError.of(ref, f"tracker {ref} does not exist", NextStep.LIST_TRACKERS)
    return tracker


def describe_run(cluster: Cluster, run: ExistingRun, *, ended: bool = False) -> str:
    """Return a run's name, state and age, such as `tracker load/nightly (running for 3m, …)`.

    Args:
        cluster: Whose clock counts.
        run: The run.
        ended: Whether nothing of it can finish any more, although its Jobs have not finished.
    """
    age = (cluster.now() - run.tracker.created).total_seconds()
    headline = run.state.headline
    if ended and not run.state.finished:
        headline = "ended with unfinished Jobs"
    if run.state.finished or ended:
        detail = "its report was collected" if run.collected else "its report was not collected"
    else:
        detail = f"{run.state.ended} of {run.state.pod_count} pods ended"
    return f"tracker {run.ref} ({headline}, created {format_duration(max(age, 0))} ago, {detail})"


def _get_tracker_or_none(cluster: Cluster, ref: RunRef) -> ConfigMap | None:
    config_map = cluster.get_config_map(ref.namespace, ref.tracker)
    if config_map is None or config_map.deleting:
        return None
    if config_map.labels.get(LABEL_COMPONENT) != Component.TRACKER or config_map.run_id is None:
        raise RefusedError.of(
            ref,
            f"configmap/{ref.tracker} in namespace {ref.namespace} is not a tracker of mrunners",
            NextStep.OTHER_TRACKER,
        )
    return config_map


def read_run(
    cluster: Cluster, ref: RunRef, tracker: ConfigMap, store: ReportStore | None = None
) -> ExistingRun:
    """Return the run of a tracker that has just been read."""
    assert tracker.run_id is not None
    plan = read_plan(ref, tracker.data, tracker.run_id)
    jobs = list_jobs(cluster, plan, tracker.uid)
    return ExistingRun(tracker, plan, state_of(plan, jobs, tracker, cluster.now(), store))


def list_jobs(cluster: Cluster, plan: RunPlan, tracker_uid: str) -> list[Job]:
    """Return the Jobs of a run, by one LIST, and others that have its ID as a label.

    What the tracker owns belongs to the run, whatever became of the label with the run's ID. Jobs
    of a former tracker of that name are left out: they are about to be deleted.

    Raises:
        RefusedError: A planned Job is not as the plan says.
    """
    jobs = []
    for job in cluster.list_jobs(plan.namespace, runner_selector(plan.tracker)):
        if is_owned(job.owners, tracker_uid):
            jobs.append(replace(job, run_id=plan.run_id))
        elif job.run_id == plan.run_id and not is_orphaned(job.owners, plan, tracker_uid):
            jobs.append(job)
    if contradictions := _contradictions(plan, jobs, tracker_uid):
        raise RefusedError.of(
            plan.ref,
            f"the Jobs of tracker {plan.ref} are not those of its plan, so its report would be "
            f"wrong: {listed(contradictions, 5)}",
            NextStep.FORCE_DELETE,
        )
    return jobs


def state_of(
    plan: RunPlan,
    jobs: Sequence[Job],
    tracker: ConfigMap,
    now: datetime,
    store: ReportStore | None = None,
    *,
    created: Collection[int] = (),
    creating: bool = False,
) -> RunState:
    """Compare a plan with its Jobs, and with all that is known about those that do not exist.

    Args:
        plan: The run's plan.
        jobs: What `list_jobs` has just returned.
        tracker: The tracker as it is now; its annotations say what was created.
        now: The time by the API server's clock.
        store: Knows what this machine has created and fetched.
        created: The indexes of the Jobs that the caller knows to have been created.
        creating: Whether the caller is about to create what is missing. Where a TTL may have
            removed Jobs already, it then must not rely on having waited for their creator.
    """
    run = StoredRun(plan.run_id, tracker.uid)
    noted = frozenset[str]() if store is None else store.created_jobs(run)
    created = {*created, *(job.index for job in plan.jobs if job.name in noted)}
    if ANNOTATION_JOBS_CREATED_AT in tracker.annotations:
        created = range(len(plan.jobs))
    state = run_state(plan, jobs, created=created)
    if _ttl_has_passed(tracker, now) and (creating or creator_is_gone(state, tracker.created, now)):
        created = range(len(plan.jobs))
        state = run_state(plan, jobs, created=created)
    if store is None or not state.gone:
        return state
    succeeded = {job.name: store.succeeded_pods(run, job.name) for job in state.gone}
    return run_state(plan, jobs, created=created, succeeded=succeeded)


def is_owned(owners: Iterable[OwnerReference], tracker_uid: str) -> bool:
    """Whether an object belongs to this tracker."""
    return any(owner.uid == tracker_uid for owner in owners)


def is_orphaned(owners: Iterable[OwnerReference], plan: RunPlan, tracker_uid: str) -> bool:
    """Whether it belongs to a former tracker of that name, so that it is about to be deleted."""
    return any(
        owner.kind == "ConfigMap" and owner.name == plan.tracker and owner.uid != tracker_uid
        for owner in owners
    )


def _contradictions(plan: RunPlan, jobs: Iterable[Job], tracker_uid: str) -> list[str]:
    planned = {job.name: job for job in plan.jobs}
    lines = []
    for job in jobs:
        expected = planned.get(job.name)
        if job.deleting:
            continue
        if expected is None:
            if is_owned(job.owners, tracker_uid) and _is_named_by_us(job.name, plan):
                lines.append(f"job.batch/{job.name} is not in the plan")
        elif not is_owned(job.owners, tracker_uid):
            lines.append(f"job.batch/{job.name} is not owned by this tracker")
        elif job.completions != expected.pod_count:
            lines.append(
                f"job.batch/{job.name} has {counted(job.completions, 'pod')}, and the plan "
                f"{expected.pod_count}"
            )
        elif job.uri not in {None, expected.uri}:
            lines.append(
                f"job.batch/{job.name} was made from {job.uri}, and the plan has {expected.uri}"
            )
        elif job.profile_key not in {None, profile_key(expected.profile_digest)}:
            lines.append(f"job.batch/{job.name} has another load profile than the plan")
    return lines


def _is_named_by_us(name: str, plan: RunPlan) -> bool:
    """Whether it is the name of a further runner's Job: the plan once had more of them."""
    number = name.rpartition("-")[2]
    return number.isdecimal() and name == job_name(plan.tracker, int(number))


def _ttl_has_passed(tracker: ConfigMap, now: datetime) -> bool:
    """Whether the cluster removes finished Jobs, and could have removed some of the run by now."""
    ttl = tracker.annotations.get(ANNOTATION_JOB_TTL, "")
    return ttl.isdecimal() and (now - tracker.created).total_seconds() > int(ttl)
