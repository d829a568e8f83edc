"""The result of a run: every outcome collected, merged into one report, saved and marked.

A run counts as collected (an annotation of its tracker) only after its report was written in full
and when no other attempt can fetch a missing report: a later run may then replace it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from mrunners.errors import NextStep
from mrunners.kube.api import Cluster
from mrunners.plan.plan import RunPlan
from mrunners.profiles.overrides import NO_OVERRIDES
from mrunners.refs import RunRef
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.budget import SampleBudget
from mrunners.reports.conclusion import Conclusion, FailOn, conclude
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.reports.provenance import RunFacts, first_known
from mrunners.reports.slo_results import with_slo_results
from mrunners.reports.traffic import Traffic
from mrunners.run.annotate import mark_collected
from mrunners.run.collect import collect_job
from mrunners.run.fetch import LogReader
from mrunners.run.finality import readable_later, require_finished
from mrunners.run.kept_runs import MissingPod
from mrunners.run.lookup import ExistingRun
from mrunners.run.lost_pods import LostPods
from mrunners.run.observer import RunObserver
from mrunners.run.report_store import ReportStore
from mrunners.run.run_facts import run_facts
from mrunners.run.snapshot import RunSnapshot, read_final_snapshot, warn_of_unplanned_jobs
from mrunners.run.spill_file import SpillFile
from mrunners.status.run_state import JobState

__all__ = [
    "CollectedRun",
    "collect_outcomes",
    "collect_run",
    "merge_outcomes",
    "report_of_run",
]


@dataclass(frozen=True, slots=True)
class CollectedRun:
    """A run whose outcomes are collected and merged.

    Attributes:
        report: The merged report.
        failures: What went wrong with the Jobs, one line each.
        saved: Whether the report was saved everywhere it was to be saved.
        collected: Whether the run counts as collected now.
        finished: Whether nothing of the run can still finish.
        unread: The pods whose reports exist or may yet come to be.
        next_steps: What to do about the failures.
    """

    report: MergedReport
    failures: tuple[str, ...] = ()
    saved: bool = False
    collected: bool = False
    finished: bool = True
    next_steps: tuple[NextStep, ...] = ()
    unread: tuple[PodOutcome, ...] = ()

    @property
    def ref(self) -> RunRef:
        """The run's name."""
        return RunRef(self.report.namespace, self.report.tracker)

    @property
    def complete(self) -> bool:
        """Whether every Job is Complete, every planned report is merged, and no error is found."""
        return self.conclusion() is Conclusion.COMPLETE

    @property
    def summary(self) -> str:
        """The verdict, what went wrong, and the errors and warnings found, line by line."""
        return "\n".join((self.report.verdict, *self.failures, *self.report.problems))

    def conclusion(
        self, fail_on: FailOn = FailOn.ERROR, *, accept_incomplete: bool = False
    ) -> Conclusion:
        """Return whether the run can be relied on.

        Args:
            fail_on: From which severity on a finding puts it in doubt.
            accept_incomplete: Whether missing reports and failed Jobs do not matter.
        """
        return conclude(
            complete=accept_incomplete or (not self.failures and self.report.coverage.complete),
            findings=self.report.findings,
            objectives_met=self.report.objectives_met,
            fail_on=fail_on,
            finished=self.finished,
        )


def collect_run(
    cluster: Cluster,
    run: ExistingRun,
    store: ReportStore,
    observer: RunObserver,
    *,
    partial: bool = False,
    raw: bool = False,
    slo: Sequence[str] = (),
    save: Callable[[CollectedRun], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> CollectedRun:
    """Collect all outcomes, merge them, save the report, and mark the run as collected.

    Args:
        cluster: The cluster.
        run: The run.
        store: Read first; what is fetched is kept there.
        observer: Is warned when the run is not marked, and of Jobs that are not in the plan.
        partial: Also while Jobs can still finish.
        raw: Whether the report keeps every sample and error.
        slo: Objectives besides those of the plan.
        save: Writes the report in full, or raises; called before the run is marked.
        sleep: Sleeps that many seconds, before something that is missing is looked up again.

    Raises:
        StillRunningError: Jobs can still finish, and `partial` was not given.
    """
    snapshot = read_final_snapshot(cluster, run, store, sleep)
    if not partial:
        require_finished(snapshot)
    warn_of_unplanned_jobs(snapshot.state, observer)
    for line in snapshot.holds:
        observer.warn(line)
    collected = collect_outcomes(cluster, run, snapshot, store, sleep=sleep)
    outcomes = list(SampleBudget(SpillFile(), raw=raw).accept_all(collected))
    facts = run_facts(run, cluster)
    report = report_of_run(
        run, snapshot, outcomes, store, facts=facts, traffic=cluster.traffic, raw=raw
    )
    # A partial report is wanted while Jobs still run.
    pending = snapshot.may_finish
    collected_run = CollectedRun(
        with_slo_results(report, slo),
        failures=() if pending else snapshot.failures,
        saved=save is not None,
        finished=not pending,
        next_steps=() if pending else snapshot.next_steps,
        unread=readable_later(outcomes),
    )
    if save is not None:
        save(collected_run)
    marked = not pending and mark_collected(cluster, run, outcomes, observer, sleep)
    return replace(collected_run, collected=marked)


def collect_outcomes(
    cluster: Cluster,
    run: ExistingRun,
    snapshot: RunSnapshot,
    store: ReportStore,
    jobs: Sequence[JobState] | None = None,
    *,
    stored: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[PodOutcome]:
    """Yield the outcome of every planned pod, in plan order, one at a time.

    Pass them through a `SampleBudget` before keeping several at once.

    Args:
        cluster: Where logs are read.
        run: The run.
        snapshot: Its pods.
        store: Read first; what is fetched is kept there.
        jobs: Only these Jobs; None means all of them.
        stored: Whether only reports in the store count, so that no request is sent.
        sleep: Sleeps that many seconds, before logs that were perhaps read badly are read again.
    """
    jobs = snapshot.state.jobs if jobs is None else jobs
    if stored:
        snapshot = replace(snapshot, pods=())
    reader = LogReader(cluster, run, jobs, snapshot.pods, store, sleep)
    lost = LostPods(cluster, run.ref.namespace)
    late = dict[tuple[str, int], MissingPod]()
    if any(job.gone for job in jobs):
        # How late a pod was only its Job says; what it has said once stays true.
        end = store.kept_runs().end_of(run.plan.run_id, run.tracker.uid)
        set_aside = (pod for pod in end.missing if pod.missing is MissingReason.STARTED_LATE)
        late = {(pod.job, pod.index): pod for pod in set_aside}
    for job in jobs:
        for outcome in collect_job(run, job, snapshot, store, reader):
            if job.gone and (pod := late.get((outcome.job, outcome.index))) is not None:
                yield replace(outcome, report=None, **dict(pod))
            else:
                yield outcome if stored else lost.located(job, outcome)


def report_of_run(
    run: ExistingRun,
    snapshot: RunSnapshot,
    outcomes: Sequence[PodOutcome],
    store: ReportStore,
    *,
    facts: RunFacts,
    traffic: Traffic,
    raw: bool = False,
) -> MergedReport:
    """Merge the outcomes of all planned pods, and keep what `run.kept_report` needs besides.

    Args:
        run: The run.
        snapshot: Its pods; once nothing of it can finish any more, why reports are missing is kept.
        outcomes: Within the sample budget.
        store: Has what was fetched.
        facts: What is known of the run beside its pods.
        traffic: What mrunners itself sent to the API server, and received from it.
        raw: Whether the report keeps every sample and error.
    """
    if not snapshot.may_finish:
        kept = store.kept_runs()
        facts = first_known(kept.facts_of(run.plan.run_id, run.tracker.uid), facts)
        kept.note_end(run.plan, run.tracker.uid, outcomes, snapshot.failures, facts)
    return merge_outcomes(run, outcomes, facts=facts, traffic=traffic, raw=raw)


def merge_outcomes(
    run: ExistingRun,
    outcomes: Sequence[PodOutcome],
    *,
    traffic: Traffic,
    facts: RunFacts | None = None,
    raw: bool = False,
) -> MergedReport:
    """Merge the outcomes of all planned pods into one report.

    Args:
        run: The run.
        outcomes: Within the sample budget.
        traffic: What mrunners itself sent to the API server, and received from it.
        facts: What is known of the run beside its pods; None leaves out what was run.
        raw: Whether the report keeps every sample and error.
    """
    plan = run.plan
    loads = {load.digest: load for load in plan.loads}
    targets = {
        job.name: TargetLoad(
            job.target_per_second,
            job.clients,
            specs=load.specs if (load := loads.get(job.profile_digest)) else (),
            warnings=(*_overrides_note(plan), *(load.warnings if load else ())),
        )
        for job in plan.jobs
    }
    options = ", ".join(plan.pods.described())
    report = merge(
        run.ref,
        plan.run_id,
        outcomes,
        targets=targets,
        raw=raw,
        traffic_by_us=traffic,
        facts=facts,
        notes=[f"options of the pods: {options}"] if options else (),
    )
    return with_slo_results(report, plan.slo)


def _overrides_note(plan: RunPlan) -> Iterator[str]:
    if plan.overrides != NO_OVERRIDES:
        yield f"the run overrode its load profile with {plan.overrides}"
