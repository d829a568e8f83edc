"""Deletes a run: the tracker, and with it all that it owns; then waits until it is gone.

It must not ask: running or uncollected runs need `force`.
"""

from __future__ import annotations

import time

from mrunners.durations import format_duration
from mrunners.errors import RefusedError, WaitTimeoutError
from mrunners.kube.api import Cluster
from mrunners.kube.objects import ConfigMap
from mrunners.plan.metadata import run_selector, tracker_selector
from mrunners.run.lookup import ExistingRun, describe_run
from mrunners.run.observer import RunObserver

__all__ = ["delete_run", "delete_tracker", "wait_for_remaining", "wait_until_gone"]


def delete_run(cluster: Cluster, found: ExistingRun, observer: RunObserver, *, force: bool) -> None:
    """Delete exactly the run that was found.

    Args:
        cluster: where.
        found: the run; another one under the same name is left alone.
        observer: told what is waited for.
        force: also when it runs, or its report was never collected.
    Raises:
        RefusedError: it runs or was not collected, and force was not given.
        WaitTimeoutError: its pods are still there after long.
    """
    namespace, name = found.plan.namespace, found.tracker.name
    if not force and not (found.state.finished and found.collected):
        unseen = "its report was not collected" if found.state.finished else "it has not finished"
        advice = (
            f"collect it with: mrunners result {namespace} --tracker {name}; or"
            if found.state.finished
            else f"wait for it with: mrunners wait {namespace} --tracker {name}; or"
        )
        raise RefusedError(
            f"{describe_run(cluster, found)}: {unseen}; {advice} delete it all the same with: "
            f"mrunners delete {namespace} --tracker {name} --force",
            namespace=namespace,
            tracker=name,
        )
    delete_tracker(cluster, namespace, found.tracker, observer)


def delete_tracker(
    cluster: Cluster, namespace: str, tracker: ConfigMap, observer: RunObserver
) -> None:
    """Delete a tracker whatever its run does, even one whose plan cannot be read.

    Args:
        cluster: where.
        namespace: where in it.
        tracker: exactly this one.
        observer: told what is waited for.
    Raises: WaitTimeoutError: its pods are still there after long.
    """
    assert tracker.run_id is not None
    cluster.delete_config_map(namespace, tracker.name, tracker.uid)
    wait_until_gone(cluster, namespace, run_selector(tracker.run_id), observer)


def wait_for_remaining(
    cluster: Cluster, namespace: str, tracker: str, observer: RunObserver
) -> bool:
    """Wait for what is left of a run whose tracker is gone, as after an interrupted delete.

    Returns: whether anything was left.
    Raises: WaitTimeoutError: it is still there after long.
    """
    there = cluster.get_config_map(namespace, tracker)
    if there is not None and not there.deleting:
        return False
    selector = tracker_selector(tracker)
    if not cluster.list_jobs(namespace, selector) and not cluster.list_pods(namespace, selector):
        return False
    wait_until_gone(cluster, namespace, selector, observer)
    return True


POLL_SECONDS = 0.5

# Pods have a grace of 5 s; a node that is gone keeps its pods for 5 minutes and longer.
PATIENCE_SECONDS = 600.0


def wait_until_gone(
    cluster: Cluster,
    namespace: str,
    selector: str,
    observer: RunObserver,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Return once no Job and no pod matches.

    Args:
        cluster: where.
        namespace: where in it.
        selector: what must be gone.
        observer: told once what is waited for.
        patience_seconds: how long.
    Raises: WaitTimeoutError: something is still there.
    """
    deadline = time.monotonic() + patience_seconds
    said = False
    while True:
        jobs = cluster.list_jobs(namespace, selector)
        pods = cluster.list_pods(namespace, selector)
        if not jobs and not pods:
            return
        names = ", ".join([f"job {j.name}" for j in jobs[:3]] + [f"pod {p.name}" for p in pods[:3]])
        if not said:
            said = True
            observer.info(
                f"waiting until {len(jobs)} Jobs and {len(pods)} pods of the run are gone"
            )
        if time.monotonic() > deadline:
            raise WaitTimeoutError(
                f"after {format_duration(patience_seconds)} there are still {len(jobs)} Jobs and "
                f"{len(pods)} pods of the run in namespace {namespace}: {names}; see "
                "whether their nodes are gone, and try again",
                seconds=patience_seconds,
            )
        time.sleep(POLL_SECONDS)
