"""mrunners without Prefect: connect to a cluster, start a run, wait for it, collect its report.

with mrunners.connect() as cluster:
run = cluster.start(options)
run.wait(timeout=600)
report = run.collect()
run.delete()
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Self

from mrunners.errors import RefusedError
from mrunners.kube.api import Cluster
from mrunners.kube.client import KubernetesCluster
from mrunners.kube.kubeconfig import KubeconfigSource
from mrunners.plan.option_table import DEFAULT_TRACKER
from mrunners.plan.options import RunOptions, validate_options
from mrunners.plan.plan import PlannedJob, RunPlan
from mrunners.refs import ClusterRef, RunRef
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import PodOutcome
from mrunners.run import create, delete, lookup, preflight, result, snapshot, wait
from mrunners.run.create import StartedRun
from mrunners.run.lookup import ExistingRun
from mrunners.run.observer import LoggingObserver, RunObserver
from mrunners.run.preflight import RunAction
from mrunners.run.report_store import ReportStore, default_store_path
from mrunners.run.result import CollectedRun
from mrunners.run.snapshot import RunSnapshot
from mrunners.status.run_state import JobState, RunState

__all__ = ["Connection", "Run", "connect"]

_Sleep = Callable[[float], None]


def connect(
    kubeconfig: str | KubeconfigSource = "",
    *,
    context: str = "",
    observer: RunObserver | None = None,
    store: ReportStore | None = None,
) -> Connection:
    """Connect to a cluster; nothing is sent yet.

    Args:
        kubeconfig: A path or another source; empty means `KUBECONFIG` or the default file, and in
            a pod without either the pod's token.
        context: A context of the kubeconfig; empty means its current one.
        observer: Receives progress and outages; None logs them to the logger `mrunners`.
        store: Keeps fetched reports; None means the default one of this machine.

    Raises:
        InvalidInputError: The kubeconfig is missing or broken, or has no such context.
        UnauthorizedError: Its exec plugin gives no credentials.
    """
    observer = LoggingObserver() if observer is None else observer
    cluster = KubernetesCluster(kubeconfig, context, warn=observer.warn)
    ref = ClusterRef(kubeconfig, context) if isinstance(kubeconfig, str) else None
    store = store or ReportStore(default_store_path(), observer.warn)
    return Connection(cluster, observer, store, ref)


class Connection:
    """A cluster to run on, and a context manager; safe to use from several threads."""

    def __init__(
        self,
        cluster: Cluster,
        observer: RunObserver,
        store: ReportStore,
        ref: ClusterRef | None = None,
        *,
        sleep: _Sleep = time.sleep,
    ) -> None:
        self._cluster, self._observer, self._store, self._ref = cluster, observer, store, ref
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Close nothing: runs continue, and the client has no state to lose."""

    @property
    def cluster(self) -> Cluster:
        """The client of the API server."""
        return self._cluster

    def preflight(self, options: RunOptions, *, run_key: str) -> RunAction:
        """Validate, plan, and read what exists; decide what `start` will do.

        Raises:
            InvalidInputError: Options, URIs or profiles are wrong; one line per problem.
            RefusedError: The tracker belongs to another run.
        """
        validate_options(options, self._ref)
        return preflight.preflight(self._cluster, options, run_key=run_key)

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
        return create.start_run(self._cluster, action, self._observer, self._store)

    def create_jobs(self, started: StartedRun, jobs: Sequence[PlannedJob]) -> list[str]:
        """Do the second half of `start`: create or adopt these Jobs, and return their names.

        Raises:
            RefusedError: A Job of that name belongs to another run, or the tracker was deleted.
        """
        created = create.create_jobs(self._cluster, started, jobs, self._observer, self._store)
        return [job.name for job in created]

    def get(self, namespace: str, tracker: str | None = None) -> Run:
        """Return a run that exists; without a tracker, the only one of the namespace.

        Raises:
            RefusedError: There is none, or there are several.
        """
        ref = self.resolve(namespace, tracker)
        return self.bind(lookup.get_run(self._cluster, ref, self._store))

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
        try:
            ref = self.resolve(namespace, tracker)
            config_map = lookup.get_tracker(self._cluster, ref)
        except RefusedError as error:
            if error.run is None:  # there are several
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


class Run:
    """A run that exists in a cluster."""

    def __init__(
        self, existing: ExistingRun, *context: *tuple[Cluster, RunObserver, ReportStore, _Sleep]
    ) -> None:
        self._cluster, self._observer, self._store, self._sleep = context
        self.existing = existing

    @property
    def ref(self) -> RunRef:
        """The run's name."""
        return self.existing.ref

    @property
    def plan(self) -> RunPlan:
        """The run's plan."""
        return self.existing.plan

    def describe(self) -> str:
        """Return name, state and age in a few words, as they were when the run was read."""
        return lookup.describe_run(self._cluster, self.existing)

    def snapshot(self, state: RunState | None = None, *, final: bool = False) -> RunSnapshot:
        """Read Jobs, unless `state` has them, and pods; `final` looks twice for what is gone."""
        run, store = (self._cluster, self.existing), self._store
        if final:
            current = snapshot.read_final_snapshot(*run, store, self._sleep)
        else:
            current = snapshot.read_snapshot(*run, state, store)
        snapshot.warn_of_unplanned_jobs(current.state, self._observer)
        return current

    def wait(
        self,
        timeout: float | None = None,
        *,
        interval: float | None = None,
        waited: float = 0.0,
        sleep: _Sleep = time.sleep,
    ) -> RunSnapshot:
        """Wait until no Job can change, fetch reports, stop late pods, and return the run then.

        Args:
            timeout: Seconds; None means no limit.
            interval: Seconds between two polls; None grows from 1 s to 15 s.
            waited: How many seconds of the timeout an earlier attempt has used up.
            sleep: Called instead of `time.sleep`.

        Raises:
            WaitTimeoutError: The timeout has passed.
            RefusedError: The tracker was deleted or replaced.
        """
        return wait.wait_for_run(
            *(self._cluster, self.existing, self._store, self._observer),
            timeout_seconds=timeout,
            interval_seconds=interval,
            waited_seconds=waited,
            sleep=sleep,
        )

    def collect(self, *, partial: bool = False, raw: bool = False) -> MergedReport:
        """Collect and merge all reports, and mark the run as collected.

        Args:
            partial: Also while Jobs can still finish, which is an error otherwise.
            raw: Whether the report keeps every sample and error.
        """
        return self.collect_and_save(partial=partial, raw=raw).report

    def collect_and_save(
        self,
        save: Callable[[MergedReport], None] | None = None,
        *,
        partial: bool = False,
        raw: bool = False,
    ) -> CollectedRun:
        """Collect like `collect`, but mark the run only after `save` wrote the report in full."""
        return result.collect_run(
            *(self._cluster, self.existing, self._store, self._observer),
            partial=partial,
            raw=raw,
            save=save,
            sleep=self._sleep,
        )

    def outcomes(
        self, snapshot: RunSnapshot, jobs: Sequence[JobState] | None = None, *, stored: bool = False
    ) -> Iterator[PodOutcome]:
        """Yield all or these Jobs' outcomes, for a `SampleBudget`; `stored` sends no request."""
        run, sleep = (self._cluster, self.existing, snapshot, self._store), self._sleep
        return result.collect_outcomes(*run, jobs, stored=stored, sleep=sleep)

    def mark_collected(self, outcomes: Sequence[PodOutcome]) -> bool:
        """Mark the run as collected, once its report is saved; return whether it is."""
        return result.mark_collected(self._cluster, self.existing, outcomes, self._observer)

    def delete(self, *, force: bool = False) -> None:
        """Delete the tracker, Jobs and pods, and wait until none of them is left.

        Without `force` the run is read again first: it may have finished or been collected since.

        Args:
            force: Also when it has not finished, or its report was never collected.

        Raises:
            RefusedError: It needs `force`.
            WaitTimeoutError: Its pods still exist after a long time.
        """
        if not force:
            current = lookup.get_run_or_none(self._cluster, self.ref)
            if current is not None and current.tracker.uid == self.existing.tracker.uid:
                self.existing = current
            else:
                force = True  # the tracker's UID keeps a successor from being deleted
        delete.delete_run(self._cluster, self.existing, self._observer, force=force)
