"""The result of a run: every outcome collected, merged into one report, saved and marked.

A run counts as collected (an annotation of its tracker) only after its report was written in full
and when no other attempt can fetch a missing report: a later run may then replace it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mrunners.errors import (
    ClusterError,
    IncompleteError,
    NextStep,
    StillRunningError,
    UnreachableError,
)
from mrunners.formatting import counted
from mrunners.kube.api import Cluster
from mrunners.plan.metadata import ANNOTATION_COLLECTED_AT
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.budget import SampleBudget
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.run.collect import collect_job
from mrunners.run.lookup import ExistingRun
from mrunners.run.observer import RunObserver
from mrunners.run.report_store import ReportStore
from mrunners.run.snapshot import RunSnapshot, read_snapshot
from mrunners.status.run_state import JobState
from mrunners.text import listed

__all__ = [
    "CollectedRun",
    "collect_outcomes",
    "collect_run",
    "mark_collected",
    "merge_outcomes",
    "require_all_finished",
    "require_final",
    "require_finished",
    "require_portable",
]

# Another attempt may still get these: a Job that was never created is created by `run --resume`. A
# pod that did not start in time is final: if it starts after all, its report is set aside.
_NOT_FINAL = frozenset(
    {
        MissingReason.STILL_RUNNING,
        MissingReason.NOT_CREATED,
        MissingReason.LOG_UNAVAILABLE,
        MissingReason.LOG_FORBIDDEN,
    }
)

_JOBS_NAMED = 10


@dataclass(frozen=True, slots=True)
class CollectedRun:
    """A run whose outcomes are collected and merged.

    Attributes:
        report: The merged report.
        failures: What went wrong with the Jobs, one line each.
        saved: Whether the report was saved everywhere it was to be saved.
        collected: Whether the run counts as collected now.
        finished: Whether nothing of the run can still finish.
        next_steps: What to do about the failures.
    """

    report: MergedReport
    failures: tuple[str, ...] = ()
    saved: bool = False
    collected: bool = False
    finished: bool = True
    next_steps: tuple[NextStep, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every Job is Complete and every planned report is merged."""
        return not self.failures and self.report.complete

    @property
    def summary(self) -> str:
        """The verdict, and what went wrong, line by line."""
        return "\n".join((self.report.verdict, *self.failures))


def collect_run(
    cluster: Cluster,
    run: ExistingRun,
    store: ReportStore,
    observer: RunObserver,
    *,
    partial: bool = False,
    raw: bool = False,
    save: Callable[[MergedReport], None] | None = None,
) -> CollectedRun:
    """Collect all outcomes, merge them, save the report, and mark the run as collected.

    Args:
        cluster: The cluster.
        run: The run.
        store: Read first; what is fetched is kept there.
        observer: Is warned when the run cannot be marked.
        partial: Also while Jobs can still finish.
        raw: Whether the report keeps every sample and error.
        save: Writes the report in full, or raises; called before the run is marked.

    Raises:
        StillRunningError: Jobs can still finish, and `partial` was not given.
    """
    snapshot = read_snapshot(cluster, run)
    if not partial:
        require_finished(snapshot)
    for line in snapshot.holds:
        observer.warn(line)
    collected = collect_outcomes(cluster, run, snapshot, store)
    outcomes = list(SampleBudget().accept_all(collected))
    report = merge_outcomes(run, outcomes, requests=cluster.requests, raw=raw)
    if save is not None:
        save(report)
    return CollectedRun(
        report,
        failures=() if snapshot.may_finish else snapshot.failures,
        saved=save is not None,
        collected=mark_collected(cluster, run, outcomes, observer),
        finished=not snapshot.may_finish,
        next_steps=() if snapshot.may_finish else snapshot.next_steps,
    )


def collect_outcomes(
    cluster: Cluster,
    run: ExistingRun,
    snapshot: RunSnapshot,
    store: ReportStore,
    jobs: Sequence[JobState] | None = None,
) -> Iterator[PodOutcome]:
    """Yield the outcome of every planned pod, in plan order, one at a time.

    Pass them through a `SampleBudget` before keeping several at once.

    Args:
        cluster: Where logs are read.
        run: The run.
        snapshot: Its pods.
        store: Read first; what is fetched is kept there.
        jobs: Only these Jobs; None means all of them.
    """
    unreachable_nodes: set[str | None] = set()
    for job in snapshot.state.jobs if jobs is None else jobs:
        yield from collect_job(cluster, run.plan, job, snapshot, store, unreachable_nodes)


def merge_outcomes(
    run: ExistingRun, outcomes: Sequence[PodOutcome], *, requests: int, raw: bool = False
) -> MergedReport:
    """Merge the outcomes of all planned pods into one report.

    Args:
        run: The run.
        outcomes: Within the sample budget.
        requests: How many requests mrunners itself sent to the API server.
        raw: Whether the report keeps every sample and error.
    """
    plan = run.plan
    targets = {job.name: TargetLoad(job.target_per_second, job.clients) for job in plan.jobs}
    return merge(run.ref, plan.run_id, outcomes, targets=targets, raw=raw, requests_by_us=requests)


def mark_collected(
    cluster: Cluster, run: ExistingRun, outcomes: Sequence[PodOutcome], observer: RunObserver
) -> bool:
    """Annotate the tracker: its report was written in full, and a later run may replace the run.

    To be called after the report was written. Nothing is marked while another attempt may get a
    missing report. A run that cannot be marked is only a warning, because its report is saved.

    Returns:
        Whether the run counts as collected now.
    """
    if any(outcome.missing in _NOT_FINAL for outcome in outcomes):
        return False
    stamp = cluster.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        return cluster.annotate_config_map(
            run.ref.namespace, run.ref.tracker, run.tracker.uid, {ANNOTATION_COLLECTED_AT: stamp}
        )
    except ClusterError as error:
        observer.warn(
            f"the run could not be marked as collected, so a later run will not replace it: {error}"
        )
        return False


def require_finished(snapshot: RunSnapshot) -> None:
    """Raise an error while Jobs can still finish.

    Raises:
        StillRunningError: It names the Jobs.
    """
    jobs = snapshot.may_finish
    if not jobs:
        return
    lines = [
        f"\n  {job.planned.name}: {job.ended} of {job.planned.pod_count} pods ended ({job.phase})"
        for job in jobs[:_JOBS_NAMED]
    ]
    if len(jobs) > _JOBS_NAMED:
        lines.append(f"\n  and {len(jobs) - _JOBS_NAMED} more")
    raise StillRunningError(
        f"the run of tracker {snapshot.ref} has not finished; Jobs left: {len(jobs)} of "
        f"{len(snapshot.state.jobs)}:{''.join(lines)}",
        jobs=(job.planned.name for job in jobs),
    ).suggest(snapshot.ref, NextStep.WAIT, NextStep.PARTIAL_RESULT)


def require_all_finished(snapshot: RunSnapshot) -> None:
    """Raise an error unless every Job has finished.

    Raises:
        IncompleteError: It names those that have not, even if they cannot without help.
    """
    if not snapshot.state.finished:
        names = listed([job.planned.name for job in snapshot.state.unfinished], 5)
        raise IncompleteError(f"Jobs cannot finish: {names}")


def require_final(outcomes: Sequence[PodOutcome]) -> None:
    """Raise an error while another attempt can change the outcomes.

    Raises:
        UnreachableError: Logs could not be read.
        IncompleteError: Pods still run in Jobs that cannot finish, or their logs are forbidden.
    """
    pending = [outcome for outcome in outcomes if outcome.missing in _NOT_FINAL]
    if not pending:
        return
    first = pending[0]
    text = (
        f"{len(pending)} of {counted(len(outcomes), 'report')} could not be fetched yet: "
        f"{first.job} index {first.index}: {first.missing}: {first.detail}"
    )
    if any(outcome.missing is MissingReason.LOG_UNAVAILABLE for outcome in pending):
        raise UnreachableError(text)
    raise IncompleteError(text)


def require_portable(outcomes: Sequence[PodOutcome]) -> None:
    """Raise an error if the outcomes are final only for this machine.

    Another machine that fetched a report while the pod existed still has it in its own store.

    Raises:
        IncompleteError: A pod was deleted before this machine read its log.
    """
    gone = sum(outcome.missing is MissingReason.POD_GONE for outcome in outcomes)
    if gone:
        verb = "was" if gone == 1 else "were"
        raise IncompleteError(
            f"{counted(gone, 'pod')} {verb} deleted before this machine read the log"
        )
