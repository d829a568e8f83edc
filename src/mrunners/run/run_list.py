"""Lists the runs of a namespace, or of all, each compared with its Jobs, and watches them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mrunners.errors import ForbiddenError, RefusedError
from mrunners.kube.api import Cluster
from mrunners.kube.objects import ConfigMap
from mrunners.plan.metadata import trackers_selector
from mrunners.refs import RunRef
from mrunners.run.lookup import ExistingRun, describe_run, read_run
from mrunners.run.observer import RunObserver
from mrunners.run.report_store import ReportStore
from mrunners.run.snapshot import RunSnapshot, read_snapshot, warn_of_unplanned_jobs
from mrunners.status.completion import needs_pods, next_interval
from mrunners.status.observation import remember_pods
from mrunners.status.time_left import TimeLeft, time_left

__all__ = ["ListedRun", "RunWatch", "SeenRun", "list_runs"]


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A tracker that was found.

    Attributes:
        run: Its run; None when it cannot be read.
        problem: Why it cannot be read; empty when it was.
    """

    ref: RunRef
    tracker: ConfigMap
    run: ExistingRun | None
    problem: str = ""


def list_runs(cluster: Cluster, namespace: str, store: ReportStore) -> Iterator[ListedRun]:
    """Yield the runs in the order of their names; one that cannot be read hides no other.

    Args:
        cluster: The cluster.
        namespace: Where to look; empty means everywhere.
        store: Knows what this machine has created and fetched.
    """
    trackers = cluster.list_config_maps(namespace, trackers_selector())
    for tracker in sorted(trackers, key=lambda found: (found.namespace, found.name)):
        if tracker.deleting or tracker.run_id is None:
            continue
        ref = RunRef(tracker.namespace or namespace, tracker.name)
        run, problem = None, ""
        try:
            run = read_run(cluster, ref, tracker, store)
        except RefusedError as error:
            problem = str(error)
        except ForbiddenError as error:
            if namespace:  # which has no other runs to show
                raise
            problem = str(error)
        yield ListedRun(ref, tracker, run, problem)


@dataclass(frozen=True, slots=True)
class SeenRun:
    """A run as it was seen at one look.

    Attributes:
        run: The run.
        snapshot: Its Jobs at that look, and its pods at that one or an earlier one.
        left: How long its load still took; None when that is not known.
        pods_read_at: By the clock of the watch, in seconds.
        description: The run in a few words.
    """

    run: ExistingRun
    snapshot: RunSnapshot
    left: TimeLeft | None
    pods_read_at: float
    description: str


class RunWatch:
    """Looks at runs again and again, with as few requests as a wait: pods only when needed."""

    def __init__(self, cluster: Cluster, store: ReportStore, observer: RunObserver) -> None:
        """Look at nothing yet.

        Args:
            cluster: The cluster.
            store: Knows what this machine has created and fetched.
            observer: Is warned once of each Job that is not in its run's plan.
        """
        self._cluster, self._store, self._observer = cluster, store, observer
        self._seen: dict[str, SeenRun] = {}
        self._seconds = 0.0
        self._interval: float | None = None

    def look(self, runs: Iterable[ExistingRun]) -> list[SeenRun]:
        """Return runs that were just read, with their pods."""
        seen = [self._look(run) for run in runs]
        self._seen = {one.run.tracker.uid: one for one in seen}
        return seen

    def next_interval(self) -> float:
        """Return the seconds to the next look, which the caller sleeps."""
        lefts = [one.left for one in self._seen.values() if one.left is not None]
        expected = [(left.expected_seconds - left.seconds, left.expected_seconds) for left in lefts]
        interval = min(
            (next_interval(self._interval, *times) for times in expected),
            default=next_interval(self._interval, 0.0, None),
        )
        self._interval = interval
        self._seconds += interval
        return interval

    def _look(self, run: ExistingRun) -> SeenRun:
        before = self._seen.get(run.tracker.uid)
        state = run.state
        if before is not None:
            state = remember_pods(state, before.snapshot.state)
        read_at = float("-inf") if before is None else before.pods_read_at
        holding = before is not None and bool(before.snapshot.held)
        earlier = None if before is None else before.snapshot.state
        if before is None or needs_pods(earlier, state, self._seconds - read_at, holding=holding):
            read_at = self._seconds
            snapshot = read_snapshot(self._cluster, run, state, self._store)
            if earlier is None or earlier.unplanned != state.unplanned:
                warn_of_unplanned_jobs(state, self._observer)
        else:
            snapshot = replace(before.snapshot, state=state)
        run = replace(run, state=snapshot.state)
        left = time_left(snapshot.state, self._cluster.now(), run.start_at)
        words = describe_run(self._cluster, run)
        return SeenRun(run, snapshot, left, read_at, words if left is None else f"{words}: {left}")
