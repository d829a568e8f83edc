"""What a task finds around it: the listener of whoever called the flow, and the cluster.

It must not know any step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from prefect import get_run_logger
from prefect.exceptions import MissingContextError

from mrunners.cluster.client import KubernetesCluster
from mrunners.progress.run_state import RunState
from mrunners.run.listening import Listener, Silence
from mrunners.run.store import ReportStore, default_store_path

__all__ = ["RunLog", "cluster_of", "listener", "listening", "report_store"]

_listener: ContextVar[Listener | None] = ContextVar("mrunners_listener", default=None)


class RunLog:
    """Writes progress into the log of the flow or task run."""

    def __init__(self) -> None:
        self._said: tuple[int, int, int] | None = None

    def note(self, text: str) -> None:
        """An INFO line."""
        get_run_logger().info(text)

    def warn(self, text: str) -> None:
        """A WARNING line."""
        get_run_logger().warning(text)

    def tracker(self, name: str) -> None:
        """An INFO line."""
        get_run_logger().info("tracker %s stands", name)

    def progress(self, state: RunState, reports: int) -> None:
        """An INFO line whenever something changed."""
        now = (state.ended, state.running, reports)
        if now != self._said:
            self._said = now
            get_run_logger().info(
                "%d of %d pods ended, %d running, %d reports",
                state.ended,
                state.pods,
                state.running,
                reports,
            )


@contextmanager
def listening(to: Listener) -> Iterator[None]:
    """Let tasks tell their progress to this listener instead of the run's log."""
    token = _listener.set(to)
    try:
        yield
    finally:
        _listener.reset(token)


def listener() -> Listener:
    """Who hears of progress: the caller's listener, else the run's log, else nobody."""
    chosen = _listener.get()
    if chosen is not None:
        return chosen
    try:
        get_run_logger()
    except MissingContextError:
        return Silence()
    return RunLog()


@lru_cache(maxsize=8)
def cluster_of(kubeconfig: str) -> KubernetesCluster:
    """The cluster of a kubeconfig; one connection pool and one patience for all tasks of a process.

    It reads credentials again when they expire, so it may live long.
    """
    return KubernetesCluster(kubeconfig, say=lambda text: listener().warn(text))


def report_store() -> ReportStore:
    """Where this machine keeps the reports that were brought home."""
    return ReportStore(default_store_path())
