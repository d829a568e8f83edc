"""Fetches pods' reports: reads their logs, verifies the reports, and keeps them in the store.

One bad read of a log loses nothing: a kubelet that dies in mid-answer, or that answers with an
error text, is asked again. What a missing report means for the run is decided elsewhere
(`run.collect`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from mrunners.formatting import counted
from mrunners.kube.api import Cluster
from mrunners.kube.objects import Pod
from mrunners.kube.retry import seconds_left
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from mrunners.reports.samples import KperfReport
from mrunners.run.lookup import ExistingRun
from mrunners.run.observer import RunObserver
from mrunners.run.pod_log import SilentNodeError, fetch_report
from mrunners.run.report_store import PodFacts, ReportAddress, ReportStore
from mrunners.run.root_cause import root_cause
from mrunners.run.snapshot import pod_of_index
from mrunners.status.diagnostics import without_names
from mrunners.status.run_state import JobState, RunState

__all__ = ["FetchProgress", "LogReader", "fetch_ended"]

# What a log that was read badly looks like: cut, empty, or the text of somebody's error. The other
# reasons are stated by the runner's script, or by a report whose checksum was right.
_MAY_BE_A_BAD_READ = frozenset(
    {
        MissingReason.EMPTY_LOG,
        MissingReason.NO_FRAME,
        MissingReason.KUBELET_ERROR,
        MissingReason.TRUNCATED,
        MissingReason.GARBLED,
        MissingReason.DUPLICATE_FRAME,
        MissingReason.FOREIGN_FRAME,
        MissingReason.UNSUPPORTED_FRAME_VERSION,
        MissingReason.BAD_BASE64,
        MissingReason.BAD_GZIP,
        MissingReason.LENGTH_MISMATCH,
        MissingReason.CHECKSUM_MISMATCH,
        MissingReason.INVALID_JSON,
        MissingReason.POD_GONE,
    }
)

# A kubelet that was restarted answers again within seconds (measured: 2 to 4).
_READ_AGAIN_AFTER_SECONDS = (2.0, 5.0)

_PodKey = tuple[str, int]
"""The Job's name and the completion index."""


@dataclass(slots=True)
class FetchProgress:
    """What one command has fetched so far; pods by Job and completion index.

    Attributes:
        done: Pods that need not be read again.
        reports: How many of them gave a report.
        unread: Pods whose log could not be read yet, or not well; they are tried again.
        bad_reads: How often a pod's log was read without a report.
        reported: The Jobs and causes of missing reports that were warned of.
    """

    done: set[_PodKey] = field(default_factory=set)
    reports: int = 0
    unread: set[_PodKey] = field(default_factory=set)
    bad_reads: Counter[_PodKey] = field(default_factory=Counter)
    reported: set[tuple[str, ...]] = field(default_factory=set)


def fetch_ended(
    cluster: Cluster,
    run: ExistingRun,
    state: RunState,
    pods: Iterable[Pod],
    store: ReportStore,
    progress: FetchProgress,
    observer: RunObserver,
) -> None:
    """Fetch the reports of all pods that have ended since the last call.

    Of reports that cannot be fetched, each Job's first one of each cause is warned of; they are all
    left to `run.collect`, which reads again. A log that its node does not return is requested again
    at the next call: the node may be back before it is lost for good. So is one that was perhaps
    read badly, as often as `run.collect` does. Once a node did not answer, its other pods wait for
    the next call too, because each request uses up the whole retry time for logs; and so do all
    that are left when the caller's time is up.
    """
    unreachable_nodes: set[str | None] = set()
    fetched: list[str] = []
    left = 0
    jobs = {job.actual.uid: job for job in state.jobs if job.actual is not None}
    gone = {job.planned.name: job for job in state.jobs if job.gone}
    for pod in pods:
        job = jobs.get(pod.job_uid or "") or gone.get(pod.job_name or "")
        if job is None or pod.index is None or not pod.ended:
            continue
        key = (job.planned.name, pod.index)
        if key in progress.done:
            continue
        too_late = seconds_left() == 0
        if too_late or pod.node in unreachable_nodes:
            left += too_late
            progress.unread.add(key)
            continue
        retried = key in progress.unread
        progress.unread.discard(key)
        progress.done.add(key)
        try:
            _fetch_one(cluster, run, job, pod, store)
        except UnusableReportError as error:
            unavailable = error.problem is MissingReason.LOG_UNAVAILABLE
            if not retried:
                _warn(job.planned.name, pod, error, progress, observer)
            if isinstance(error, SilentNodeError):
                unreachable_nodes.add(pod.node)
            if not unavailable:
                progress.bad_reads[key] += 1
            if unavailable or (
                error.problem in _MAY_BE_A_BAD_READ
                and progress.bad_reads[key] <= len(_READ_AGAIN_AFTER_SECONDS)
            ):
                progress.unread.add(key)
                progress.done.discard(key)
        else:
            progress.reports += 1
            fetched.append(f"{job.planned.name} index {pod.index}, pod/{pod.name} on {pod.node}")
    if fetched:
        observer.reports_fetched(fetched)
    if left:
        observer.warn(f"the time is up, and {counted(left, 'log')} of ended pods were not read yet")


def _warn(
    job: str, pod: Pod, error: UnusableReportError, progress: FetchProgress, observer: RunObserver
) -> None:
    cause = root_cause(pod, error)
    key = (job, str(pod.exit_code), without_names(str(cause)))
    if key not in progress.reported:
        progress.reported.add(key)
        where = "" if pod.node is None else f" on {pod.node}"
        observer.warn(f"pod/{pod.name}{where}: no report: {cause}")


def _fetch_one(
    cluster: Cluster, run: ExistingRun, job: JobState, pod: Pod, store: ReportStore
) -> None:
    assert pod.index is not None
    address = ReportAddress.of(run.stored, job.planned.name, pod.index)
    if not store.has(address, job_uid=pod.job_uid):
        fetch_report(cluster, run, job.planned.name, pod, store)


class LogReader:
    """Reads the logs of some Jobs' ended pods; a log that was perhaps read badly is read again.

    The first doubt about a log makes it read all logs that are left, so that all doubtful ones are
    read again together: the pauses do not add up. Nodes that do not return a log are not asked for
    another one, because each request uses up the whole retry time for logs.
    """

    def __init__(
        self,
        cluster: Cluster,
        run: ExistingRun,
        jobs: Sequence[JobState],
        pods: Sequence[Pod],
        store: ReportStore,
        sleep: Callable[[float], None],
    ) -> None:
        self._cluster, self._run, self._jobs, self._pods = cluster, run, jobs, pods
        self._store, self._sleep = store, sleep
        self._unreachable_nodes: set[str | None] = set()
        self._problems: dict[_PodKey, UnusableReportError] = {}
        self._settled = False

    def read(self, job: JobState, pod: Pod) -> tuple[KperfReport, PodFacts]:
        """Read the report of a pod that has ended and whose report is not in the store.

        Raises:
            UnusableReportError: There is no report that could be merged, with the reason.
            UnauthorizedError: The credentials are not accepted any more.
        """
        assert pod.index is not None
        key = (job.planned.name, pod.index)
        if key in self._problems:
            raise self._problems[key]
        try:
            return self._fetch(job, pod)
        except UnusableReportError as error:
            if self._settled or error.problem not in _MAY_BE_A_BAD_READ:
                raise
            self._problems[key] = error
        if (fetched := self._settle(key)) is None:
            raise self._problems[key]
        return fetched

    def _fetch(self, job: JobState, pod: Pod) -> tuple[KperfReport, PodFacts]:
        if pod.node in self._unreachable_nodes:
            detail = f"node {pod.node} did not return another pod's log"
            raise UnusableReportError(MissingReason.LOG_UNAVAILABLE, detail)
        try:
            return fetch_report(self._cluster, self._run, job.planned.name, pod, self._store)
        except SilentNodeError:
            self._unreachable_nodes.add(pod.node)
            raise

    def _settle(self, wanted: _PodKey) -> tuple[KperfReport, PodFacts] | None:
        """Read what is left, and then the doubtful logs again; return the report that is wanted."""
        self._settled = True
        report = None
        left = {
            (job.planned.name, index): (job, pod)
            for job in self._jobs
            for index in range(job.planned.pod_count)
            if (pod := pod_of_index(self._pods, job, index)) is not None and pod.ended
        }
        for key, (job, pod) in left.items():
            if key not in self._problems and not self._has(job, pod):
                self._read_into_store(key, job, pod)
        for pause in _READ_AGAIN_AFTER_SECONDS:
            doubtful = [
                key
                for key, error in self._problems.items()
                if error.problem in _MAY_BE_A_BAD_READ and key in left
            ]
            if not doubtful:
                break
            self._sleep(pause)
            for key in doubtful:
                del self._problems[key]
                fetched = self._read_into_store(key, *left[key])
                report = fetched if key == wanted else report
        return report

    def _has(self, job: JobState, pod: Pod) -> bool:
        assert pod.index is not None
        address = ReportAddress.of(self._run.stored, job.planned.name, pod.index)
        return self._store.has(address, job_uid=pod.job_uid)

    def _read_into_store(
        self, key: _PodKey, job: JobState, pod: Pod
    ) -> tuple[KperfReport, PodFacts] | None:
        try:
            return self._fetch(job, pod)
        except UnusableReportError as error:
            self._problems[key] = error
            return None
