"""What a task finds around it: the listener of whoever called the flow, and the cluster.

It must not know any step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from prefect import get_run_logger, runtime
from prefect.exceptions import MissingContextError

from mrunners.kube.client import KubernetesCluster
from mrunners.run.observer import NullObserver, RunObserver
from mrunners.run.report_store import ReportStore, default_store_path
from mrunners_tasks._prefect import RunLog
from mrunners_tasks.credentials import kubeconfig_of

__all__ = ["cluster_of", "observer", "observing", "report_store"]

_observer: ContextVar[RunObserver | None] = ContextVar("mrunners_listener", default=None)


@contextmanager
def observing(to: RunObserver) -> Iterator[None]:
    """Let tasks tell their progress to this listener instead of the run's log."""
    token = _observer.set(to)
    try:
        yield
    finally:
        _observer.reset(token)


def observer() -> RunObserver:
    """Who hears of progress: the caller's listener, else the run's log, else nobody."""
    chosen = _observer.get()
    if chosen is not None:
        return chosen
    try:
        get_run_logger()
    except MissingContextError:
        return NullObserver()
    return RunLog()


def cluster_of(kubeconfig: str) -> KubernetesCluster:
    """The cluster of a kubeconfig; one connection pool and one patience for a flow run's tasks.

    A flow run's own, as a report says how many requests its run took. It reads credentials again
    when they expire, so it may live long.

    Args:
        kubeconfig: a flow's parameter: a path, a block, or empty.
    """
    return _cluster_of(kubeconfig, runtime.flow_run.id)


@lru_cache(maxsize=16)
def _cluster_of(kubeconfig: str, flow_run: str | None) -> KubernetesCluster:
    del flow_run
    return KubernetesCluster(kubeconfig_of(kubeconfig), warn=lambda text: observer().warn(text))


def report_store() -> ReportStore:
    """Where this machine keeps the reports that were brought home."""
    return ReportStore(default_store_path())
