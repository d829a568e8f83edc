"""Creates a run's tracker and the ConfigMaps of its profiles, or adopts our own; no Jobs.

The tracker comes first: it holds the plan, and it owns all that follows. That of a run which is
resumed is never created a second time, because what it owned may have run.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from mrunners.errors import NextStep, RefusedError
from mrunners.kube.api import Cluster
from mrunners.kube.objects import ConfigMap
from mrunners.plan.metadata import Manifest
from mrunners.plan.plan import RunPlan
from mrunners.plan.tracker import overflow_manifests, tracker_manifest
from mrunners.run.delete import wait_for_remaining
from mrunners.run.lookup import (
    ExistingRun,
    describe_run,
    get_run_or_none,
    is_orphaned,
    is_owned,
)
from mrunners.run.observer import RunObserver
from mrunners.run.second_look import look_twice, same_tracker

__all__ = ["DELETION_SECONDS", "POLL_SECONDS", "create_tracker", "foreign_object"]

# An object whose tracker was deleted is itself deleted 0.2 s after it was created (measured).
DELETION_SECONDS = 30.0
POLL_SECONDS = 0.5


def create_tracker(
    cluster: Cluster,
    plan: RunPlan,
    profiles: Mapping[str, str],
    observer: RunObserver,
    *,
    resumed: ExistingRun | None = None,
) -> ConfigMap:
    """Create the tracker with the whole plan in it, or adopt our own.

    Args:
        cluster: The cluster.
        plan: The plan of the run.
        profiles: Rendered profiles by digest.
        observer: Receives the tracker's name.
        resumed: The run that is resumed: its tracker is adopted, and never created again.

    Raises:
        RefusedError: The tracker belongs to another run, or is not a tracker of mrunners; or that
            of the run that is resumed was deleted.
    """
    if resumed is None:
        # What a deleted run left behind would load the cluster beside ours, under the same names;
        # even Jobs of our own run ID are about to be deleted once their tracker is.
        wait_for_remaining(cluster, plan.ref, observer)
        manifest = tracker_manifest(plan, profiles)
        tracker = cluster.create_config_map(plan.namespace, manifest) or _own_tracker(cluster, plan)
    else:
        tracker = _resumed_tracker(cluster, resumed)
    for overflow in overflow_manifests(plan, profiles, tracker.uid):
        _create_profiles(cluster, plan, overflow, tracker.uid)
    observer.tracker_created(tracker.name)
    return tracker


def _own_tracker(cluster: Cluster, plan: RunPlan) -> ConfigMap:
    run = look_twice(lambda: get_run_or_none(cluster, plan.ref), time.sleep)
    if run is None:
        raise RefusedError.of(
            plan.ref, f"tracker {plan.ref} was deleted while its run was being created; run again"
        )
    if run.plan.run_id != plan.run_id:
        raise RefusedError.of(
            plan.ref,
            f"another run was created first: {describe_run(cluster, run)}",
            NextStep.WAIT,
            NextStep.OTHER_TRACKER,
        )
    return run.tracker


def _resumed_tracker(cluster: Cluster, run: ExistingRun) -> ConfigMap:
    tracker = same_tracker(cluster, run.ref, run.tracker.uid, time.sleep)
    if tracker is None:
        raise RefusedError.of(
            run.ref,
            f"tracker {run.ref} was deleted or replaced while its run was being resumed; nothing "
            "was created, because the load of its Jobs may have run",
        )
    return tracker


def _create_profiles(cluster: Cluster, plan: RunPlan, manifest: Manifest, tracker_uid: str) -> None:
    """Create a ConfigMap of profiles, or adopt our own; wait for one that is being deleted."""
    metadata = manifest["metadata"]
    assert isinstance(metadata, dict)
    name = metadata["name"]
    deadline = time.monotonic() + DELETION_SECONDS
    while cluster.create_config_map(plan.namespace, manifest) is None:
        existing = cluster.get_config_map(plan.namespace, name)
        if existing is not None and not existing.deleting:
            ours = existing.run_id == plan.run_id and existing.data == manifest["data"]
            if ours and is_owned(existing.owners, tracker_uid):
                return
            if not is_orphaned(existing.owners, plan, tracker_uid):
                raise foreign_object(plan, f"configmap/{name}")
        if time.monotonic() > deadline:
            raise foreign_object(plan, f"configmap/{name}")
        time.sleep(POLL_SECONDS)


def foreign_object(plan: RunPlan, what: str) -> RefusedError:
    """Return the error about an object that has a name of ours and is not ours."""
    return RefusedError.of(
        plan.ref,
        f"{what} exists in namespace {plan.namespace} and does not belong to this run; delete it, "
        "then resume the run",
        NextStep.RESUME,
        NextStep.FORCE_DELETE,
    )
