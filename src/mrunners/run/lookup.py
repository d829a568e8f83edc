"""Finds the run that a namespace holds, and says what its tracker means for a new one.

It must not create or delete anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from mrunners.durations import format_duration
from mrunners.errors import RefusedError
from mrunners.kube.api import Cluster
from mrunners.kube.objects import ConfigMap
from mrunners.plan.metadata import (
    ANNOTATION_COLLECTED_AT,
    LABEL_COMPONENT,
    Component,
    run_selector,
    trackers_selector,
)
from mrunners.plan.plan import RunPlan
from mrunners.plan.tracker import read_plan
from mrunners.status.run_state import RunState, run_state

__all__ = ["ExistingRun", "describe_run", "get_run", "get_run_or_none", "get_tracker"]


@dataclass(frozen=True, slots=True)
class ExistingRun:
    """A run that a cluster holds.

    Attributes:
        tracker: its ConfigMap as it was when found.
        plan: what the tracker says.
        state: the plan held against the Jobs, at that moment.
    """

    tracker: ConfigMap
    plan: RunPlan
    state: RunState

    @property
    def collected(self) -> bool:
        """Whether its report was fully written once."""
        return ANNOTATION_COLLECTED_AT in self.tracker.annotations


def get_run(cluster: Cluster, namespace: str, tracker: str | None) -> ExistingRun:
    """The run of a namespace.

    Args:
        cluster: where.
        namespace: where in it.
        tracker: its name; None takes the only one.
    Raises: RefusedError: there is none, there are several, or it is none of ours.
    """
    return _with_plan(cluster, namespace, get_tracker(cluster, namespace, tracker))


def get_tracker(cluster: Cluster, namespace: str, tracker: str | None) -> ConfigMap:
    """The tracker of a namespace, whether its plan can be read or not.

    Args:
        cluster: where.
        namespace: where in it.
        tracker: its name; None takes the only one.
    Raises: RefusedError: there is none, there are several, or it is none of ours.
    """
    name = tracker or _only_tracker(cluster, namespace)
    seen = _tracker(cluster, namespace, name)
    if seen is None:
        raise RefusedError(
            f"no tracker {name} in namespace {namespace}; see the runs there are with: "
            "kubectl get configmaps --all-namespaces -l app.kubernetes.io/component=tracker",
            namespace=namespace,
            tracker=name,
        )
    return seen


def get_run_or_none(cluster: Cluster, namespace: str, tracker: str) -> ExistingRun | None:
    """The run under a tracker's name; None when there is no such ConfigMap.

    Raises: RefusedError: a ConfigMap of that name is there and is no tracker of ours.
    """
    seen = _tracker(cluster, namespace, tracker)
    return None if seen is None else _with_plan(cluster, namespace, seen)


def _tracker(cluster: Cluster, namespace: str, tracker: str) -> ConfigMap | None:
    seen = cluster.get_config_map(namespace, tracker)
    if seen is None or seen.deleting:
        return None
    if seen.labels.get(LABEL_COMPONENT) != Component.TRACKER or seen.run_id is None:
        raise RefusedError(
            f"configmap {namespace}/{tracker} is not a tracker of mrunners; choose another name "
            "with --tracker",
            namespace=namespace,
            tracker=tracker,
        )
    return seen


def _with_plan(cluster: Cluster, namespace: str, seen: ConfigMap) -> ExistingRun:
    plan = read_plan(namespace, seen.name, seen.data)
    jobs = cluster.list_jobs(namespace, run_selector(plan.run_id))
    return ExistingRun(seen, plan, run_state(plan, jobs))


def describe_run(cluster: Cluster, found: ExistingRun) -> str:
    """The run in a few words: name, age, state."""
    age = (cluster.now() - found.tracker.created).total_seconds()
    collected = "collected" if found.collected else "not collected"
    headline = (
        f"{found.state.headline}, {collected}"
        if found.state.finished
        else (f"{found.state.headline}, {found.state.ended} of {found.state.pods} pods ended")
    )
    return (
        f"tracker {found.tracker.name} in namespace {found.plan.namespace}, "
        f"{format_duration(max(age, 0))} old, {headline}"
    )


def _only_tracker(cluster: Cluster, namespace: str) -> str:
    trackers = [
        seen
        for seen in cluster.list_config_maps(namespace, trackers_selector())
        if not seen.deleting
    ]
    if len(trackers) == 1:
        return trackers[0].name
    if not trackers:
        raise RefusedError(
            f"no tracker in namespace {namespace}: nothing was run there, or it was deleted; "
            f"start one with: mrunners run --namespace {namespace} …",
            namespace=namespace,
        )
    names = ", ".join(sorted(seen.name for seen in trackers))
    raise RefusedError(
        f"namespace {namespace} has {len(trackers)} trackers: {names}; choose one with --tracker",
        namespace=namespace,
    )
