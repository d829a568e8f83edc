"""Looks up the run under a tracker's name, and describes it."""

from __future__ import annotations

from dataclasses import dataclass

from mrunners.durations import format_duration
from mrunners.errors import NextStep, RefusedError
from mrunners.kube.api import Cluster
from mrunners.kube.objects import ConfigMap
from mrunners.plan.metadata import (
    ANNOTATION_COLLECTED_AT,
    LABEL_COMPONENT,
    Component,
    run_selector,
    trackers_selector,
)
from mrunners.plan.option_table import DEFAULT_TRACKER
from mrunners.plan.plan import RunPlan
from mrunners.plan.tracker import read_plan
from mrunners.refs import RunRef
from mrunners.status.run_state import RunState, run_state

__all__ = [
    "ExistingRun",
    "describe_run",
    "get_run",
    "get_run_or_none",
    "get_tracker",
    "list_trackers",
    "resolve_tracker",
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
    def collected(self) -> bool:
        """Whether its report was once written in full."""
        return ANNOTATION_COLLECTED_AT in self.tracker.annotations


def list_trackers(cluster: Cluster, namespace: str) -> list[RunRef]:
    """Return the runs of a namespace by name."""
    return sorted(
        RunRef(namespace, config_map.name)
        for config_map in cluster.list_config_maps(namespace, trackers_selector())
        if not config_map.deleting
    )


def resolve_tracker(cluster: Cluster, namespace: str, tracker: str | None) -> RunRef:
    """Return the named run, or the only one of the namespace when no tracker is named.

    Raises:
        RefusedError: No tracker is named, and the namespace has none or several.
    """
    if tracker:
        return RunRef(namespace, tracker)
    refs = list_trackers(cluster, namespace)
    if len(refs) == 1:
        return refs[0]
    if not refs:
        raise RefusedError(
            f"no tracker in namespace {namespace}: nothing was run there, or it was deleted",
            namespace=namespace,
        ).suggest(RunRef(namespace, DEFAULT_TRACKER), NextStep.START)
    names = ", ".join(ref.tracker for ref in refs)
    raise RefusedError(
        f"namespace {namespace} has {len(refs)} trackers: {names}; choose one", namespace=namespace
    )


def get_run(cluster: Cluster, ref: RunRef) -> ExistingRun:
    """Return a run.

    Raises:
        RefusedError: It does not exist, or the ConfigMap is not a tracker of mrunners.
    """
    return _read_run(cluster, ref, get_tracker(cluster, ref))


def get_run_or_none(cluster: Cluster, ref: RunRef) -> ExistingRun | None:
    """Return a run; None when there is no such ConfigMap.

    Raises:
        RefusedError: The ConfigMap is not a tracker of mrunners.
    """
    tracker = _get_tracker_or_none(cluster, ref)
    return None if tracker is None else _read_run(cluster, ref, tracker)


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
            ref, f"configmap {ref} is not a tracker of mrunners", NextStep.OTHER_TRACKER
        )
    return config_map


def _read_run(cluster: Cluster, ref: RunRef, tracker: ConfigMap) -> ExistingRun:
    plan = read_plan(ref, tracker.data)
    jobs = cluster.list_jobs(ref.namespace, run_selector(plan.run_id))
    return ExistingRun(tracker, plan, run_state(plan, jobs))
