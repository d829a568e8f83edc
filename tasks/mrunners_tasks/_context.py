"""What a step finds around it: the observer of the flow's caller, and the connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from prefect import get_run_logger, runtime
from prefect.exceptions import MissingContextError
from prefect.settings import PREFECT_API_URL

from mrunners.connection import Connection
from mrunners.kube.client import KubernetesCluster
from mrunners.quantities import parse_max_qps
from mrunners.refs import ClusterRef
from mrunners.reports.traffic import Traffic
from mrunners.run.observer import LoggingObserver, RunObserver
from mrunners.run.report_store import ReportStore, default_store_path
from mrunners.status.run_state import RunState
from mrunners.status.time_left import TimeLeft
from mrunners_tasks._prefect import CancellableSleep, RunLog
from mrunners_tasks.credentials import kubeconfig_of

__all__ = ["connection_to", "observer", "observing", "traffic_of"]

_observer: ContextVar[RunObserver | None] = ContextVar("mrunners_observer", default=None)


@contextmanager
def observing(caller: RunObserver) -> Iterator[None]:
    """Let steps report to this observer beside the run's log; alone if the server is temporary."""
    token = _observer.set(caller)
    try:
        yield
    finally:
        _observer.reset(token)


def observer() -> RunObserver:
    """Return who is told about progress: the caller's observer, the run's log, or both."""
    caller = _observer.get()
    # The log of a temporary server is gone with it.
    if caller is not None and not PREFECT_API_URL.value():
        return caller
    try:
        get_run_logger()
    except MissingContextError:
        return caller or LoggingObserver()
    return RunLog() if caller is None else _Both(caller, RunLog())


class _Both:
    """Tells two observers."""

    def __init__(self, first: RunObserver, second: RunObserver) -> None:
        self._observers = (first, second)

    def info(self, text: str) -> None:
        for one in self._observers:
            one.info(text)

    def warn(self, text: str) -> None:
        for one in self._observers:
            one.warn(text)

    def tracker_created(self, name: str) -> None:
        for one in self._observers:
            one.tracker_created(name)

    def reports_fetched(self, pods: Sequence[str]) -> None:
        for one in self._observers:
            one.reports_fetched(pods)

    def progress(self, state: RunState, reports: int, left: TimeLeft | None) -> None:
        for one in self._observers:
            one.progress(state, reports, left)


def connection_to(cluster: ClusterRef) -> Connection:
    """Return the connection to a cluster.

    The steps of a flow run share one client, and with it one retry policy and one count of
    requests. It reads credentials again when they expire, so it may live long.
    """
    flow_run = runtime.flow_run.id
    client = _client(cluster, flow_run)
    store = _store(flow_run, default_store_path())
    return Connection(client, observer(), store, sleep=CancellableSleep())


def traffic_of(cluster: ClusterRef) -> Traffic:
    """Return what this flow run has sent to the API server so far, and received from it."""
    return _client(cluster, runtime.flow_run.id).traffic


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
        kubeconfig_of(cluster.kubeconfig),
        cluster.context,
        max_qps=parse_max_qps(cluster.max_qps),
        warn=lambda text: observer().warn(text),
    )
