"""Collects the outcome of every planned pod of a Job: its report, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mrunners.kube.api import Cluster
from mrunners.kube.objects import Job, Pod
from mrunners.plan.plan import RunPlan
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.outcomes import MissingReason, PodOutcome, UnusableReportError
from mrunners.reports.samples import KperfReport
from mrunners.run.fetch import fetch_report, pod_of_index
from mrunners.run.report_store import PodFacts, ReportStore
from mrunners.run.seen_pods import SeenPods
from mrunners.run.snapshot import RunSnapshot
from mrunners.status.diagnostics import PodDiagnosis
from mrunners.status.run_state import JobState
from mrunners.status.start_deadline import late_start

__all__ = ["collect_job"]

# The log holds nothing that we wrote: the container's end explains more.
_UNEXPLAINED = {MissingReason.EMPTY_LOG, MissingReason.NO_FRAME, MissingReason.KUBELET_ERROR}


def collect_job(
    cluster: Cluster,
    plan: RunPlan,
    job: JobState,
    snapshot: RunSnapshot,
    store: ReportStore,
    unreachable_nodes: set[str | None],
) -> Iterator[PodOutcome]:
    """Yield the outcomes of a Job's pods, one per completion index, ascending.

    Outcomes come one at a time, so that a report that is over the sample budget can be released
    before the next one is read.

    Args:
        cluster: Where logs are read.
        plan: The plan of the run.
        job: One of its Jobs.
        snapshot: The pods of the run, and why some have not started.
        store: Read first; what is fetched is kept there.
        unreachable_nodes: Nodes that did not return a log; they are not asked for another one,
            because each request uses up the whole retry time for logs. New ones are added.

    Raises:
        OSError: The store cannot keep a report.
    """
    outcomes = _OutcomeFactory(job)
    if job.actual is None:
        for index in range(job.planned.pod_count):
            yield outcomes.missing(index, MissingReason.NOT_CREATED, "the Job does not exist")
        return
    late = {
        diagnosis.index: diagnosis
        for diagnosis in snapshot.diagnoses
        if diagnosis.job == job.planned.name and diagnosis.overdue
    }
    lost = {
        pod.index: pod.detail for pod in snapshot.held if pod.job == job.planned.name and pod.lost
    }
    collector = _Collector(
        cluster, plan, job.actual, outcomes, snapshot.pods, late, lost, store, unreachable_nodes
    )
    for index in range(job.planned.pod_count):
        yield collector.outcome(index)


@dataclass(frozen=True, slots=True)
class _OutcomeFactory:
    """Makes outcomes of one Job's pods."""

    job: JobState

    def reported(self, index: int, facts: PodFacts, report: KperfReport) -> PodOutcome:
        return PodOutcome(
            job=self.job.planned.name,
            job_index=self.job.planned.index,
            uri=self.job.planned.uri,
            index=index,
            pod=facts.pod,
            node=facts.node,
            started_at=facts.started_at,
            finished_at=facts.finished_at,
            exit_code=facts.exit_code,
            report=report,
        )

    def started_late(self, index: int, facts: PodFacts, detail: str) -> PodOutcome:
        return PodOutcome(
            job=self.job.planned.name,
            job_index=self.job.planned.index,
            uri=self.job.planned.uri,
            index=index,
            pod=facts.pod,
            node=facts.node,
            started_at=facts.started_at,
            finished_at=facts.finished_at,
            exit_code=facts.exit_code,
            missing=MissingReason.STARTED_LATE,
            detail=detail,
        )

    def missing(
        self, index: int, reason: MissingReason, detail: str, pod: Pod | None = None
    ) -> PodOutcome:
        return PodOutcome(
            job=self.job.planned.name,
            job_index=self.job.planned.index,
            uri=self.job.planned.uri,
            index=index,
            pod=None if pod is None else pod.name,
            node=None if pod is None else pod.node,
            started_at=None if pod is None else pod.started,
            finished_at=None if pod is None else pod.finished,
            exit_code=None if pod is None else pod.exit_code,
            missing=reason,
            detail=detail,
        )


@dataclass(frozen=True, slots=True)
class _Collector:
    """Collects from one existing Job."""

    cluster: Cluster
    plan: RunPlan
    job: Job
    outcomes: _OutcomeFactory
    pods: Sequence[Pod]
    late: Mapping[int, PodDiagnosis]
    lost: Mapping[int, str]
    store: ReportStore
    unreachable_nodes: set[str | None]

    def outcome(self, index: int) -> PodOutcome:
        stored = self.store.get(self.job.uid, index)
        if stored is not None:
            raw, facts = stored
            if late := late_start(self.plan, self.job, index, facts.started_at):
                return self.outcomes.started_late(index, facts, late)
            try:
                return self.outcomes.reported(index, facts, parse_report(raw))
            except UnusableReportError as error:  # kept by a release that was less strict
                return self.outcomes.missing(index, error.problem, error.detail)
        pod = pod_of_index(self.pods, self.job.uid, index)
        if index in self.lost:
            return self.outcomes.missing(index, MissingReason.DISRUPTED, self.lost[index], pod)
        if pod is not None and (late := late_start(self.plan, self.job, index, pod.started)):
            return self.outcomes.missing(index, MissingReason.STARTED_LATE, late, pod)
        if index in self.late:
            diagnosis = self.late[index]
            detail = f"{diagnosis.summary}: {diagnosis.detail}"
            return self.outcomes.missing(
                index, MissingReason.NOT_STARTED, detail.removesuffix(": "), pod
            )
        if pod is None:
            return self._without_pod(index)
        if not pod.ended:
            return self.outcomes.missing(index, MissingReason.STILL_RUNNING, "", pod)
        return self._from_log(index, pod)

    def _without_pod(self, index: int) -> PodOutcome:
        seen = SeenPods(self.store.root).get(self.job.uid, index)
        if index in {*self.job.succeeded, *self.job.failed}:
            detail = (
                "its pod was deleted before the report was fetched"
                if index in self.job.succeeded
                else "its pod was deleted, perhaps while it ran"
            )
            return self.outcomes.missing(index, MissingReason.POD_GONE, detail, seen)
        if self.job.finished is not None:
            detail = self.job.finished_reason or "the Job finished without it"
            return self.outcomes.missing(index, MissingReason.POD_GONE, detail, seen)
        return self.outcomes.missing(index, MissingReason.STILL_RUNNING, "it has no pod yet")

    def _from_log(self, index: int, pod: Pod) -> PodOutcome:
        if pod.node in self.unreachable_nodes:
            detail = f"node {pod.node} did not return another pod's log"
            return self.outcomes.missing(index, MissingReason.LOG_UNAVAILABLE, detail, pod)
        try:
            report, facts = fetch_report(
                self.cluster, self.plan, self.outcomes.job.planned.name, pod, self.store
            )
        except UnusableReportError as error:
            if error.problem is MissingReason.LOG_UNAVAILABLE:
                self.unreachable_nodes.add(pod.node)
            reason, detail = _root_cause(pod, error)
            return self.outcomes.missing(index, reason, detail, pod)
        return self.outcomes.reported(index, facts, report)


def _root_cause(pod: Pod, error: UnusableReportError) -> tuple[MissingReason, str]:
    """A disruption, or a container that failed, explains a missing report better than its log."""
    if pod.disrupted:
        return MissingReason.DISRUPTED, pod.disrupted
    if pod.exit_code not in {0, None} and error.problem in _UNEXPLAINED:
        reason = f" ({pod.reason})" if pod.reason else ""
        return MissingReason.FAILED, f"exit {pod.exit_code}{reason}; {error.detail}"
    return error.problem, error.detail
