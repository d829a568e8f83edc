"""Deletes a run: its tracker, and with it all that the tracker owns; then waits for the deletion.

The garbage collector is not instant, and pods that are still ending would load the next run's
cluster. Running and uncollected runs are only deleted with `force`; nothing here asks.
"""

from __future__ import annotations

import time

from mrunners.durations import format_duration
from mrunners.errors import ClusterError, NextStep, RefusedError, WaitTimeoutError
from mrunners.formatting import counted
from mrunners.kube.api import Cluster
from mrunners.kube.objects import ConfigMap, Pod
from mrunners.plan.metadata import run_selector, runner_selector
from mrunners.refs import RunRef
from mrunners.run.lookup import ExistingRun, describe_run
from mrunners.run.observer import RunObserver
from mrunners.run.second_look import look_twice, same_tracker
from mrunners.run.snapshot import has_ended
from mrunners.text import listed

__all__ = ["delete_run", "delete_tracker", "wait_for_remaining", "wait_until_deleted"]

_POLL_SECONDS = 0.5

# Of the DELETE, when the answer contradicts the tracker's existence.
_ATTEMPTS = 3

# Pods have a grace period of 5 s; a node that is lost keeps its pods for 5 minutes and longer.
_TIMEOUT_SECONDS = 600.0


def delete_run(cluster: Cluster, run: ExistingRun, observer: RunObserver, *, force: bool) -> None:
    """Delete exactly this run; another one under the same name is left alone.

    Args:
        cluster: The cluster.
        run: The run.
        observer: Receives what is waited for.
        force: Also when it can still finish, or its report was never collected.

    Raises:
        RefusedError: It can still finish or was not collected, and `force` was not given.
        WaitTimeoutError: Its pods still exist after a long time.
    """
    if not force and not ((ended := has_ended(cluster, run, time.sleep)) and run.collected):
        first = NextStep.RESULT if ended else NextStep.WAIT
        reason = "" if ended else ": it has not finished"
        raise RefusedError.of(
            run.ref,
            f"{describe_run(cluster, run, ended=ended)} was not deleted{reason}",
            first,
            NextStep.FORCE_DELETE,
        )
    delete_tracker(cluster, run.ref, run.tracker, observer)


def delete_tracker(
    cluster: Cluster, run: RunRef, tracker: ConfigMap, observer: RunObserver
) -> None:
    """Delete exactly this tracker, whatever its run does and even if its plan cannot be read.

    Raises:
        ClusterError: The API server does not delete it.
        WaitTimeoutError: Its pods still exist after a long time.
    """
    assert tracker.run_id is not None
    observer.info(
        f"deleting configmap/{tracker.name} in namespace {run.namespace} of {cluster.location}"
    )
    for _ in range(_ATTEMPTS):
        deleted = cluster.delete_config_map(run.namespace, tracker.name, tracker.uid)
        # As long as the tracker exists, its Jobs would be waited for in vain.
        if deleted or same_tracker(cluster, run, tracker.uid, time.sleep) is None:
            break
    else:
        raise ClusterError(
            f"tracker {run} exists, but the API server answers that it does not when it is to be "
            "deleted; check what is between this machine and the API server, and try again"
        )
    wait_until_deleted(cluster, run.namespace, run_selector(tracker.run_id), observer)


def wait_for_remaining(cluster: Cluster, run: RunRef, observer: RunObserver) -> bool:
    """Wait for what is left of a run whose tracker was deleted, as after an interrupted delete.

    Returns:
        Whether anything was left.

    Raises:
        WaitTimeoutError: It still exists after a long time.
    """

    def existing() -> ConfigMap | None:
        tracker = cluster.get_config_map(run.namespace, run.tracker)
        return None if tracker is None or tracker.deleting else tracker

    selector = runner_selector(run.tracker)
    if not cluster.list_jobs(run.namespace, selector) and not cluster.list_pods(
        run.namespace, selector
    ):
        return False
    if look_twice(existing, time.sleep) is not None:
        return False
    wait_until_deleted(cluster, run.namespace, selector, observer)
    return True


def wait_until_deleted(
    cluster: Cluster,
    namespace: str,
    selector: str,
    observer: RunObserver,
    *,
    timeout_seconds: float = _TIMEOUT_SECONDS,
) -> None:
    """Return once no Job and no pod matches a label selector.

    Raises:
        WaitTimeoutError: Something still matches.
    """
    deadline = time.monotonic() + timeout_seconds
    reported = False
    while True:
        jobs = cluster.list_jobs(namespace, selector)
        pods = cluster.list_pods(namespace, selector)
        if not jobs and not pods:
            return
        left = f"{counted(len(jobs), 'Job')} and {counted(len(pods), 'pod')}"
        if not reported:
            reported = True
            observer.info(f"waiting for {left} of the run to be deleted")
        if time.monotonic() > deadline:
            names = [f"job.batch/{job.name}" for job in jobs] + [_held(pod) for pod in pods]
            raise WaitTimeoutError(
                f"after {format_duration(timeout_seconds)}, {left} in namespace {namespace} are "
                f"not deleted: {listed(names, 6)}; check their nodes and finalizers, and try again",
                seconds=timeout_seconds,
            )
        time.sleep(_POLL_SECONDS)


def _held(pod: Pod) -> str:
    """Return a pod with what keeps it."""
    keeps = [f"node {pod.node}"] if pod.node is not None else []
    keeps += [f"finalizer {finalizer}" for finalizer in pod.finalizers]
    return f"pod/{pod.name}" + (f" ({', '.join(keeps)})" if keeps else "")
