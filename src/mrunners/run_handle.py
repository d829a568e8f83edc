"""The handle of a run that exists: wait for it, collect its report, delete it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from mrunners.kube.api import Cluster
from mrunners.plan.metadata import run_selector
from mrunners.plan.plan import RunPlan
from mrunners.refs import RunRef
from mrunners.run import lookup, snapshot
from mrunners.run.lookup import ExistingRun
from mrunners.run.observer import RunObserver
from mrunners.run.report_store import ReportStore
from mrunners.run.second_look import same_tracker
from mrunners.run.snapshot import RunSnapshot
from mrunners.status.run_state import JobState, RunState
from mrunners.status.time_left import TimeLeft, time_left

if TYPE_CHECKING:
    from mrunners.reports.merged import MergedReport
    from mrunners.reports.outcomes import PodOutcome
    from mrunners.reports.provenance import RunFacts
    from mrunners.reports.traffic import Traffic
    from mrunners.run.result import CollectedRun

__all__ = ["Run"]


class Run:
    """A run that exists in a cluster."""

    def __init__(
        self,
        existing: ExistingRun,
        cluster: Cluster,
        observer: RunObserver,
        store: ReportStore,
        sleep: Callable[[float], None],
    ) -> None:
        self.existing = existing
        self._cluster = cluster
        self._observer = observer
        self._store = store
        self._sleep = sleep
        self._left: TimeLeft | None = None

    @property
    def ref(self) -> RunRef:
        """The run's name."""
        return self.existing.ref

    @property
    def plan(self) -> RunPlan:
        """The run's plan."""
        return self.existing.plan

    def describe(self) -> str:
        """Return name, state and age in a few words, as they were when the run was read.

        After `snapshot`, also how long its load still took then.
        """
        words = lookup.describe_run(self._cluster, self.existing)
        return words if self._left is None else f"{words}: {self._left}"

    def snapshot(self, state: RunState | None = None, *, final: bool = False) -> RunSnapshot:
        """Read Jobs, unless `state` has them, and pods; `final` looks twice for what is gone."""
        if final:
            current = snapshot.read_final_snapshot(
                self._cluster, self.existing, self._store, self._sleep
            )
        else:
            current = snapshot.read_snapshot(
                self._cluster, self.existing, state, self._store, self._sleep
            )
        self._left = time_left(current.state, self._cluster.now(), self.existing.start_at)
        snapshot.warn_of_unplanned_jobs(current.state, self._observer)
        return current

    def wait(
        self,
        timeout: float | None = None,
        *,
        interval: float | None = None,
        waited: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> RunSnapshot:
        """Wait until every Job has finished or cannot, fetch reports, and return the run then.

        Pods that did not start in time are kept from starting.

        Args:
            timeout: Seconds; None means no limit.
            interval: Seconds between two polls; None grows from 1 s to 15 s.
            waited: How many seconds of the timeout an earlier attempt has used up.
            sleep: Called instead of `time.sleep`.

        Raises:
            WaitTimeoutError: The timeout has passed.
            RefusedError: The tracker was deleted or replaced.
        """
        from mrunners.run import wait

        return wait.wait_for_run(
            self._cluster,
            self.existing,
            self._store,
            self._observer,
            timeout_seconds=timeout,
            interval_seconds=interval,
            waited_seconds=waited,
            sleep=sleep,
        )

    def collect(
        self, *, partial: bool = False, raw: bool = False, slo: Sequence[str] = ()
    ) -> MergedReport:
        """Collect and merge all reports, and mark the run as collected.

        Args:
            partial: Also while Jobs can still finish, which is an error otherwise.
            raw: Whether the report keeps every sample and error.
            slo: Objectives to judge besides those of the plan.
        """
        return self.collect_and_save(partial=partial, raw=raw, slo=slo).report

    def collect_and_save(
        self,
        save: Callable[[CollectedRun], None] | None = None,
        *,
        partial: bool = False,
        raw: bool = False,
        slo: Sequence[str] = (),
    ) -> CollectedRun:
        """Collect like `collect`, but mark the run only after `save` wrote the report in full.

        Args:
            save: Writes the report.
            partial: As above.
            raw: As above.
            slo: As above.
        """
        from mrunners.run import result

        return result.collect_run(
            self._cluster,
            self.existing,
            self._store,
            self._observer,
            partial=partial,
            raw=raw,
            slo=slo,
            save=save,
            sleep=self._sleep,
        )

    def outcomes(
        self,
        snapshot: RunSnapshot,
        jobs: Sequence[JobState] | None = None,
        *,
        stored: bool = False,
    ) -> Iterator[PodOutcome]:
        """Yield the outcomes of all pods, one at a time; a `SampleBudget` limits them.

        Args:
            snapshot: The run's Jobs and pods.
            jobs: Only the pods of these Jobs.
            stored: Send no request: reports that are not stored on this machine count as missing.
        """
        from mrunners.run import result

        return result.collect_outcomes(
            self._cluster,
            self.existing,
            snapshot,
            self._store,
            jobs,
            stored=stored,
            sleep=self._sleep,
        )

    def facts(self) -> RunFacts:
        """Return what is known of the run beside its pods, for its report."""
        from mrunners.run.run_facts import run_facts

        return run_facts(self.existing, self._cluster)

    def merge(
        self,
        snapshot: RunSnapshot,
        outcomes: Sequence[PodOutcome],
        *,
        facts: RunFacts,
        traffic: Traffic,
    ) -> MergedReport:
        """Merge the outcomes of all pods, and keep on this machine why reports are missing.

        Args:
            snapshot: The run's Jobs and pods.
            outcomes: Within a `SampleBudget`.
            facts: What `facts` has returned.
            traffic: What mrunners itself sent to the API server, and received from it.
        """
        from mrunners.run import result

        return result.report_of_run(
            self.existing, snapshot, outcomes, self._store, facts=facts, traffic=traffic
        )

    def mark_collected(self, outcomes: Sequence[PodOutcome]) -> bool:
        """Mark the run as collected, once its report is saved; return whether it is."""
        from mrunners.run import annotate

        return annotate.mark_collected(
            self._cluster, self.existing, outcomes, self._observer, self._sleep
        )

    def delete(self, *, force: bool = False) -> None:
        """Delete the tracker, Jobs and pods, and wait until none of them is left.

        Without `force` the run is read again first: it may have finished or been collected since.
        If its tracker is gone by then, nothing is sent that could delete a run, and only what is
        left of it is waited for.

        Args:
            force: Also when it has not finished, or its report was never collected.

        Raises:
            RefusedError: It needs `force`.
            WaitTimeoutError: Its pods still exist after a long time.
        """
        from mrunners.run import delete

        if not force:
            uid = self.existing.tracker.uid
            tracker = same_tracker(self._cluster, self.ref, uid, self._sleep)
            if tracker is None:
                selector = run_selector(self.plan.run_id)
                delete.wait_until_deleted(
                    self._cluster, self.ref.namespace, selector, self._observer
                )
                return
            self.existing = lookup.read_run(self._cluster, self.ref, tracker)
        delete.delete_run(self._cluster, self.existing, self._observer, force=force)
