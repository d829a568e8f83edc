"""What a step finds around it: the observer of the flow's caller, and the connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from prefect import get_run_logger, runtime
from prefect.exceptions import MissingContextError

from mrunners.connection import Connection
from mrunners.kube.client import KubernetesCluster
from mrunners.refs import ClusterRef
from mrunners.run.observer import LoggingObserver, RunObserver
from mrunners.run.report_store import ReportStore, default_store_path
from mrunners_tasks._prefect import CancellableSleep, RunLog
from mrunners_tasks.credentials import kubeconfig_of

__all__ = ["connection_to", "observer", "observing", "requests_sent"]

_observer: ContextVar[RunObserver | None] = ContextVar("mrunners_observer", default=None)


@contextmanager
def observing(caller: RunObserver) -> Iterator[None]:
    """Let steps report their progress to this observer instead of the run's log."""
    token = _observer.set(caller)
    try:
        yield
    finally:
        _observer.reset(token)


def observer() -> RunObserver:
    """Return who is told about progress: the caller's observer, else the run's log, else nobody."""
    caller = _observer.get()
    if caller is not None:
        return caller
    try:
        get_run_logger()
    except MissingContextError:
        return LoggingObserver()
    return RunLog()


def connection_to(cluster: ClusterRef) -> Connection:
    """Return the connection to a cluster.

    The steps of a flow run share one client, and with it one retry policy and one count of
    requests. It reads credentials again when they expire, so it may live long.
    """
    flow_run = runtime.flow_run.id
    client = _client(cluster, flow_run)
    store = _store(flow_run, default_store_path())
    return Connection(client, observer(), store, sleep=CancellableSleep())


def requests_sent(cluster: ClusterRef) -> int:
    """Return how many requests this flow run has sent to the API server so far."""
    return _client(cluster, runtime.flow_run.id).requests


# The steps of a flow run share one: what the disk refuses it keeps in memory, and says so once.
# Only two, because a process that serves flows may live long.
@lru_cache(maxsize=2)
def _store(flow_run: str | None, path: Path) -> ReportStore:
    del flow_run
    return ReportStore(path, lambda text: observer().warn(text))


@lru_cache(maxsize=16)
def _client(cluster: ClusterRef, flow_run: str | None) -> KubernetesCluster:
    del flow_run
    return KubernetesCluster(
        kubeconfig_of(cluster.kubeconfig), cluster.context, warn=lambda text: observer().warn(text)
    )
