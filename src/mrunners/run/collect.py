"""Collects the outcome of every planned pod of a Job: its report, or why there is none.

It must not merge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mrunners.kube.api import Cluster
from mrunners.kube.objects import Job, Pod
from mrunners.plan.plan import RunPlan
from mrunners.reports.budget import SampleBudget
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.outcomes import MissingReason, PodOutcome, UnusableReportError
from mrunners.reports.samples import KperfReport
from mrunners.run.fetch import fetch_report, pod_of
from mrunners.run.report_store import PodFacts, ReportStore
from mrunners.status.diagnostics import PodDiagnosis
from mrunners.status.run_state import JobState

__all__ = ["collect_job"]

# A log without any word of ours: what became of the container says more.
_SILENT_LOGS = {MissingReason.EMPTY_LOG, MissingReason.NO_FRAME, MissingReason.KUBELET_ERROR}


def collect_job(
    cluster: Cluster,
    plan: RunPlan,
    job: JobState,
    *,
    pods: Sequence[Pod],
    diagnoses: Sequence[PodDiagnosis],
    store: ReportStore,
    budget: SampleBudget,
    unreachable_nodes: set[str | None],
) -> list[PodOutcome]:
    """The outcomes of a Job's pods, one per completion index, ascending.

    Args:
        cluster: where logs are read.
        plan: the run as decided.
        job: one of its Jobs.
        pods: all pods of the run.
        diagnoses: the pods that have not started.
        store: looked into first; what is read is kept there.
        budget: what the run already holds.
        unreachable_nodes: those that did not give a log; they are not asked for another, as each
            request takes all the patience there is for logs. New ones are added.
    Raises: OSError: the store cannot keep a report.
    """
    late = {d.index: d for d in diagnoses if d.job == job.planned.name and d.overdue}
    places = _Places(job)
    if job.actual is None:
        return [
            places.missing(index, MissingReason.NOT_CREATED, "the Job does not exist")
            for index in range(job.planned.pod_count)
        ]
    collector = _Collector(cluster, plan, job.actual, places, pods, late, store, unreachable_nodes)
    # One after the other, so that what is not admitted is let go before the next one is read.
    return [budget.accept(collector.outcome(index)) for index in range(job.planned.pod_count)]


@dataclass(frozen=True, slots=True)
class _Places:
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
    places: _Places
    pods: Sequence[Pod]
    late: Mapping[int, PodDiagnosis]
    store: ReportStore
    unreachable_nodes: set[str | None]

    def outcome(self, index: int) -> PodOutcome:
        stored = self.store.get(self.job.uid, index)
        if stored is not None:
            raw, facts = stored
            try:
                return self.places.reported(index, facts, parse_report(raw))
            except UnusableReportError as error:  # kept by a release that was less strict
                return self.places.missing(index, error.problem, error.detail)
        pod = pod_of(self.pods, self.job.uid, index)
        if index in self.late:
            diagnosis = self.late[index]
            detail = f"{diagnosis.summary}: {diagnosis.detail}".removesuffix(": ")
            return self.places.missing(index, MissingReason.NOT_STARTED, detail, pod)
        if pod is None:
            return self._without_pod(index)
        if not pod.ended:
            return self.places.missing(index, MissingReason.STILL_RUNNING, "", pod)
        return self._from_log(index, pod)

    def _without_pod(self, index: int) -> PodOutcome:
        if index in {*self.job.succeeded, *self.job.failed}:
            detail = "it ended, and was deleted before its report was read"
            return self.places.missing(index, MissingReason.POD_GONE, detail)
        if self.job.finished is not None:
            detail = self.job.finished_reason or "the Job ended without it"
            return self.places.missing(index, MissingReason.POD_GONE, detail)
        return self.places.missing(index, MissingReason.STILL_RUNNING, "there is no pod yet")

    def _from_log(self, index: int, pod: Pod) -> PodOutcome:
        if pod.node in self.unreachable_nodes:
            detail = f"{pod.node} did not give another pod's log"
            return self.places.missing(index, MissingReason.LOG_UNAVAILABLE, detail, pod)
        try:
            report, facts = fetch_report(
                self.cluster, self.plan, self.places.job.planned.name, pod, self.store
            )
        except UnusableReportError as error:
            if error.problem is MissingReason.LOG_UNAVAILABLE:
                self.unreachable_nodes.add(pod.node)
            reason, detail = _deeper_reason(pod, error)
            return self.places.missing(index, reason, detail, pod)
        return self.places.reported(index, facts, report)


def _deeper_reason(pod: Pod, error: UnusableReportError) -> tuple[MissingReason, str]:
    """A disruption, or a container that failed, explains a missing report better than its log."""
    if pod.disrupted:
        return MissingReason.DISRUPTED, pod.disrupted
    if pod.exit_code not in {0, None} and error.problem in _SILENT_LOGS:
        reason = f" ({pod.reason})" if pod.reason else ""
        return MissingReason.FAILED, f"exit {pod.exit_code}{reason}; {error.detail}"
    return error.problem, error.detail
