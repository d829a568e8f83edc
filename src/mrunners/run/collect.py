"""Collects the outcome of every planned pod of a Job: its report, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mrunners.kube.objects import Job, Pod
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.outcomes import MissingReason, PodOutcome, UnusableReportError
from mrunners.reports.samples import KperfReport
from mrunners.run.fetch import LogReader
from mrunners.run.lookup import ExistingRun
from mrunners.run.lost_pods import SeenPods
from mrunners.run.report_store import PodFacts, ReportAddress, ReportStore
from mrunners.run.root_cause import root_cause
from mrunners.run.snapshot import RunSnapshot, pod_of_index
from mrunners.status.diagnostics import PodDiagnosis
from mrunners.status.run_state import JobState
from mrunners.status.start_deadline import late_start

__all__ = ["collect_job"]


def collect_job(
    run: ExistingRun,
    job: JobState,
    snapshot: RunSnapshot,
    store: ReportStore,
    reader: LogReader | None,
) -> Iterator[PodOutcome]:
    """Yield the outcomes of a Job's pods, one per completion index, ascending.

    Outcomes come one at a time, so that a report that is over the sample budget can be released
    before the next one is read.

    Args:
        run: The run.
        job: One of its Jobs.
        snapshot: The pods of the run, and why some have not started.
        store: Read first; what is fetched is kept there.
        reader: Reads the logs of those pods whose reports are not in the store; None where the
            snapshot has no pods.
    """
    late = {
        diagnosis.index: diagnosis
        for diagnosis in snapshot.diagnoses
        if diagnosis.job == job.planned.name and diagnosis.overdue
    }
    lost = {
        pod.index: pod.detail for pod in snapshot.held if pod.job == job.planned.name and pod.lost
    }
    seen = store.seen_pods(run.stored)
    collector = _Collector(
        run, job, _OutcomeFactory(job, run.start_at), snapshot.pods, late, lost, seen, store, reader
    )
    for index in range(job.planned.pod_count):
        yield collector.outcome(index)


@dataclass(frozen=True, slots=True)
class _OutcomeFactory:
    """Makes outcomes of one Job's pods.

    Attributes:
        job: The Job.
        start_at: When its pods begin their load together; None when each begins at once.
    """

    job: JobState
    start_at: datetime | None

    def _span(
        self,
        started: datetime | None,
        finished: datetime | None,
        load_started: datetime | None = None,
    ) -> tuple[datetime | None, datetime | None]:
        """Return when a pod's load began and its container ended, which is never before that."""
        if load_started is not None:
            # The end is in whole seconds, cut off.
            return load_started, None if finished is None else max(load_started, finished)
        if started is None or self.start_at is None:
            return started, finished
        if finished is not None and finished < self.start_at:
            return None, finished  # it ended before its load began
        return max(started, self.start_at), finished

    def reported(self, index: int, facts: PodFacts, report: KperfReport) -> PodOutcome:
        began, ended = self._span(facts.started_at, facts.finished_at, facts.load_started_at)
        return PodOutcome(
            job=self.job.planned.name,
            job_index=self.job.planned.index,
            uri=self.job.planned.uri,
            index=index,
            pod=facts.pod,
            node=facts.node,
            started_at=began,
            finished_at=ended,
            exit_code=facts.exit_code,
            image_id=facts.image_id,
            report=report,
        )

    def started_late(self, index: int, facts: PodFacts, detail: str) -> PodOutcome:
        began, ended = self._span(facts.started_at, facts.finished_at, facts.load_started_at)
        return PodOutcome(
            job=self.job.planned.name,
            job_index=self.job.planned.index,
            uri=self.job.planned.uri,
            index=index,
            pod=facts.pod,
            node=facts.node,
            started_at=began,
            finished_at=ended,
            exit_code=facts.exit_code,
            image_id=facts.image_id,
            missing=MissingReason.STARTED_LATE,
            detail=detail,
        )

    def missing(
        self, index: int, reason: MissingReason, detail: str, pod: Pod | None = None
    ) -> PodOutcome:
        began, ended = (None, None) if pod is None else self._span(pod.started, pod.finished)
        return PodOutcome(
            job=self.job.planned.name,
            job_index=self.job.planned.index,
            uri=self.job.planned.uri,
            index=index,
            pod=None if pod is None else pod.name,
            node=None if pod is None else pod.node,
            started_at=began,
            finished_at=ended,
            exit_code=None if pod is None else pod.exit_code,
            image_id="" if pod is None else pod.image_id,
            missing=reason,
            detail=detail,
        )


@dataclass(frozen=True, slots=True)
class _Collector:
    """Collects from one Job, or from what is left of one that does not exist any more."""

    run: ExistingRun
    job: JobState
    outcomes: _OutcomeFactory
    pods: Sequence[Pod]
    late: Mapping[int, PodDiagnosis]
    lost: Mapping[int, str]
    seen: SeenPods
    store: ReportStore
    reader: LogReader | None

    def outcome(self, index: int) -> PodOutcome:
        address = ReportAddress.of(self.run.stored, self.job.planned.name, index)
        job_uid = None if self.job.actual is None else self.job.actual.uid
        stored = self.store.get(address, job_uid=job_uid)
        if stored is not None:
            raw, facts = stored
            if late := self._late_start(index, facts.started_at):
                return self.outcomes.started_late(index, facts, late)
            try:
                return self.outcomes.reported(index, facts, parse_report(raw))
            except UnusableReportError as error:  # kept by a release that was less strict
                return self.outcomes.missing(index, error.problem, error.detail)
        pod = pod_of_index(self.pods, self.job, index)
        if index in self.lost:
            disrupted = self.outcomes.missing(index, MissingReason.DISRUPTED, self.lost[index], pod)
            return replace(disrupted, unread=True)  # its node may come back with its log
        if pod is not None and (late := self._late_start(index, pod.started)):
            return self.outcomes.missing(index, MissingReason.STARTED_LATE, late, pod)
        if index in self.late:
            diagnosis = self.late[index]
            detail = f"{diagnosis.summary}: {diagnosis.detail}"
            return self.outcomes.missing(
                index, MissingReason.NOT_STARTED, detail.removesuffix(": "), pod
            )
        if pod is None:
            return self._without_pod(index, self.job.actual)
        if not pod.ended:
            return self.outcomes.missing(index, MissingReason.STILL_RUNNING, "", pod)
        return self._from_log(index, pod)

    def _late_start(self, index: int, started: datetime | None) -> str:
        """Return by how much a pod started too late; of a Job that is gone, nobody can say."""
        job = self.job.actual
        return "" if job is None else late_start(self.run.plan, job, index, started)

    def _without_pod(self, index: int, job: Job | None) -> PodOutcome:
        if self.job.gone:
            detail = "its Job was deleted, by a TTL or by someone, before the report was fetched"
            return self._gone(index, MissingReason.JOB_GONE, detail)
        if job is None:
            detail = "the Job was never created"
            return self.outcomes.missing(index, MissingReason.NOT_CREATED, detail)
        if index in job.succeeded:
            detail = "its pod ended, and was deleted before the report was fetched"
            return self._gone(index, MissingReason.POD_GONE, detail)
        if index in job.failed:
            detail = "its pod failed or was deleted while it ran, and does not exist any more"
            return self._gone(index, MissingReason.POD_GONE, detail)
        if job.finished is not None:
            detail = job.finished_reason or "the Job finished without it"
            return self._gone(index, MissingReason.POD_GONE, detail)
        return self.outcomes.missing(index, MissingReason.STILL_RUNNING, "it has no pod yet")

    def _gone(
        self, index: int, reason: MissingReason, detail: str, pod: Pod | None = None
    ) -> PodOutcome:
        job, seen = self.job.actual, self.seen.get(self.job.planned.name, index)
        if job is not None and seen is not None and seen.job_uid != job.uid:
            seen = None
        if reason is MissingReason.POD_GONE and seen is not None and seen.disrupted:
            reason, detail = MissingReason.DISRUPTED, f"{seen.disrupted}; {detail}"
        return replace(
            self.outcomes.missing(index, reason, detail, pod or seen), unseen=seen is None
        )

    def _from_log(self, index: int, pod: Pod) -> PodOutcome:
        assert self.reader is not None
        try:
            report, facts = self.reader.read(self.job, pod)
        except UnusableReportError as error:
            cause = root_cause(pod, error)
            if cause.problem is MissingReason.POD_GONE:
                return self._gone(index, cause.problem, cause.detail, pod)
            return self.outcomes.missing(index, cause.problem, cause.detail, pod)
        return self.outcomes.reported(index, facts, report)
