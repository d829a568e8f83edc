"""mrunners without Prefect: connect to a cluster, start a run, wait for it, collect its report.

For example:

    with mrunners.connect() as cluster:
        run = cluster.start(options)
        run.wait(timeout=600).require_complete()
        report = run.collect()
        run.delete()
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

from mrunners.errors import NextStep, RefusedError
from mrunners.kube.api import Cluster
from mrunners.kube.client import KubernetesCluster
from mrunners.kube.kubeconfig import KubeconfigSource
from mrunners.plan.option_table import DEFAULT_TRACKER
from mrunners.quantities import parse_max_qps
from mrunners.refs import ClusterLocation, ClusterRef, RunRef
from mrunners.run import lookup, run_list
from mrunners.run.lookup import ExistingRun
from mrunners.run.observer import LoggingObserver, RunObserver
from mrunners.run.report_store import ReportStore, default_store_path
from mrunners.run.run_list import ListedRun, RunWatch
from mrunners.run_handle import Run

if TYPE_CHECKING:
    from mrunners.plan.options import RunOptions
    from mrunners.plan.plan import PlannedJob
    from mrunners.run.create import StartedRun
    from mrunners.run.preflight import RunAction

__all__ = ["Connection", "connect", "connect_to"]


def connect(
    kubeconfig: str | KubeconfigSource = "",
    *,
    context: str = "",
    max_qps: str = "",
    observer: RunObserver | None = None,
    store: ReportStore | None = None,
) -> Connection:
    """Connect to a cluster; nothing is sent yet.

    Args:
        kubeconfig: A path or another source; empty means `KUBECONFIG` or the default file, and in
            a pod without either the pod's token.
        context: A context of the kubeconfig; empty means its current one.
        max_qps: How many requests per second this process sends at most to the API server, such as
            `20` or `0.5`; empty or 0 means no limit.
        observer: Receives progress and outages; None logs them to the logger `mrunners`.
        store: Keeps fetched reports; None means the default one of this machine.

    Raises:
        InvalidInputError: The kubeconfig is missing or broken, or has no such context.
        UnauthorizedError: Its exec plugin gives no credentials.
    """
    observer = observer or LoggingObserver()
    cluster = KubernetesCluster(
        kubeconfig, context, max_qps=parse_max_qps(max_qps), warn=observer.warn
    )
    ref = ClusterRef(kubeconfig, context, max_qps) if isinstance(kubeconfig, str) else None
    store = store or ReportStore(default_store_path(), observer.warn)
    return Connection(cluster, observer, store, ref)


def connect_to(cluster: ClusterRef, observer: RunObserver) -> Connection:
    """Connect to a cluster as a command's options name it; see `connect`."""
    return connect(
        cluster.kubeconfig, context=cluster.context, max_qps=cluster.max_qps, observer=observer
    )


class Connection:
    """A cluster to run on, and a context manager; safe to use from several threads."""

    def __init__(
        self,
        cluster: Cluster,
        observer: RunObserver,
        store: ReportStore,
        ref: ClusterRef | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cluster, self._observer, self._store = cluster, observer, store
        self._ref, self._sleep = ref, sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Close nothing: runs continue, and the client has no state to lose."""

    @property
    def cluster(self) -> Cluster:
        """The client of the API server."""
        return self._cluster

    @property
    def location(self) -> ClusterLocation:
        """Where the cluster is, and which context of the kubeconfig names it."""
        return self._cluster.location

    def preflight(self, options: RunOptions, *, run_key: str) -> RunAction:
        """Validate, plan, and read what exists; decide what `start` will do.

        Raises:
            InvalidInputError: Options, URIs or profiles are wrong; one line per problem.
            RefusedError: The tracker belongs to another run.
        """
        from mrunners.plan.options import validate_options
        from mrunners.run import preflight

        validate_options(options, self._ref)
        return preflight.preflight(self._cluster, options, run_key=run_key, sleep=self._sleep)

    def start(self, options: RunOptions) -> Run:
        """Create a run's tracker and Jobs, or adopt those that an earlier attempt created.

        `options.wait` and `options.timeout` are for flows: here the caller waits.

        Raises:
            InvalidInputError: Options, URIs or profiles are wrong; one line per problem.
            RefusedError: The tracker belongs to another run.
        """
        key = options.advanced.run_key or str(uuid.uuid4())
        started = self.create_tracker(self.preflight(options, run_key=key))
        self.create_jobs(started, started.missing)
        return self.bind(started.existing)

    def create_tracker(self, action: RunAction) -> StartedRun:
        """Do the first half of `start`: delete what is replaced, then create or adopt the tracker.

        Raises:
            RefusedError: Another run was created first.
            WaitTimeoutError: The run that is replaced is not deleted in time.
        """
        from mrunners.run import create

        return create.start_run(self._cluster, action, self._observer, self._store)

    def create_jobs(self, started: StartedRun, jobs: Sequence[PlannedJob]) -> list[str]:
        """Do the second half of `start`: create or adopt these Jobs, and return their names.

        Raises:
            RefusedError: A Job of that name belongs to another run, or the tracker was deleted.
        """
        from mrunners.run import create

        created = create.create_jobs(self._cluster, started, jobs, self._observer, self._store)
        return [job.name for job in created]

    def get(self, namespace: str, tracker: str | None = None) -> Run:
        """Return a run that exists; without a tracker, the only one of the namespace.

        Raises:
            RefusedError: There is none, or there are several.
        """
        ref = self.resolve(namespace, tracker)
        return self.bind(lookup.get_run(self._cluster, ref, self._store))

    def list_runs(self, namespace: str = "") -> list[ListedRun]:
        """Return the runs of a namespace, or of all namespaces, with how far each is."""
        return list(run_list.list_runs(self._cluster, namespace, self._store))

    def watch(self) -> RunWatch:
        """Return what looks at runs again and again."""
        return RunWatch(self._cluster, self._store, self._observer)

    def sleep(self, seconds: float) -> None:
        """Sleep, by the clock of this connection."""
        self._sleep(seconds)

    def resolve(self, namespace: str, tracker: str | None = None) -> RunRef:
        """Return the name of a run; without a tracker, of the only one of the namespace.

        Raises:
            RefusedError: No tracker is named, and the namespace has none or several.
        """
        return lookup.resolve_tracker(self._cluster, namespace, tracker)

    def delete(self, namespace: str, tracker: str | None = None, *, force: bool = False) -> RunRef:
        """Delete a run and wait until nothing of it is left; return its name.

        This also finishes a deletion that was interrupted and, with `force`, deletes a tracker
        whose plan cannot be read.

        Raises:
            RefusedError: There is none, there are several, or it needs `force`.
            WaitTimeoutError: Its pods still exist after a long time.
        """
        from mrunners.run import delete

        try:
            ref = self.resolve(namespace, tracker)
            config_map = lookup.get_tracker(self._cluster, ref)
        except RefusedError as error:
            if NextStep.NAME_TRACKER in error.next_steps:  # there are several
                raise
            ref = RunRef(namespace, tracker or DEFAULT_TRACKER)
            if not delete.wait_for_remaining(self._cluster, ref, self._observer):
                raise
            return ref
        if force:
            delete.delete_tracker(self._cluster, ref, config_map, self._observer)
        else:
            self.bind(lookup.get_run(self._cluster, ref)).delete()
        return ref

    def bind(self, run: ExistingRun) -> Run:
        """Return the handle of a run that was read before."""
        return Run(run, self._cluster, self._observer, self._store, self._sleep)
