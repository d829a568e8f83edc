"""The result of a run: every outcome collected and merged into one report.

It must not print or format.
"""

from __future__ import annotations

from collections.abc import Sequence

from mrunners.errors import IncompleteError, StillRunningError, UnreachableError
from mrunners.kube.api import Cluster
from mrunners.plan.metadata import ANNOTATION_COLLECTED_AT
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.budget import SampleBudget
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason, PodOutcome, RunIdentity
from mrunners.run.collect import collect_job
from mrunners.run.lookup import ExistingRun
from mrunners.run.report_store import ReportStore
from mrunners.run.snapshot import RunSnapshot, read_jobs, read_snapshot
from mrunners.status.run_state import JobState

__all__ = [
    "collect_run",
    "mark_collected",
    "merge_outcomes",
    "read_full_snapshot",
    "require_ended",
    "require_final",
    "require_finished",
    "require_kept",
]

# Another attempt may still get these: a pod that is late may start after all, and a Job that was
# never created is created by `run --resume`.
_NOT_FINAL = frozenset(
    {
        MissingReason.STILL_RUNNING,
        MissingReason.NOT_STARTED,
        MissingReason.NOT_CREATED,
        MissingReason.LOG_UNAVAILABLE,
        MissingReason.LOG_FORBIDDEN,
    }
)


def read_full_snapshot(cluster: Cluster, found: ExistingRun) -> RunSnapshot:
    """The run with its pods, for collecting."""
    return read_snapshot(cluster, found, read_jobs(cluster, found))


def require_finished(found: ExistingRun, snapshot: RunSnapshot) -> None:
    """Refuse while something can still finish.

    Raises: StillRunningError: it names the Jobs.
    """
    may_finish = snapshot.may_finish
    if not may_finish:
        return
    lines = "".join(
        f"\n  {job.planned.name}: {job.ended} of {job.planned.pod_count} pods ended ({job.phase})"
        for job in may_finish[:10]
    )
    more = f"\n  and {len(may_finish) - 10} more" if len(may_finish) > 10 else ""
    namespace, tracker = found.plan.namespace, found.plan.tracker
    raise StillRunningError(
        f"{len(may_finish)} of {len(snapshot.state.jobs)} Jobs have not finished:{lines}{more}\n"
        f"wait for them with: mrunners wait {namespace} --tracker {tracker}; or take what is "
        "there with --partial",
        jobs=(job.planned.name for job in may_finish),
    )


def require_ended(snapshot: RunSnapshot) -> None:
    """Refuse while a Job has not ended, even if it cannot by itself.

    Raises: IncompleteError: it names the Jobs.
    """
    if not snapshot.state.finished:
        names = [job.planned.name for job in snapshot.state.unfinished]
        more = ", …" if len(names) > 5 else ""
        raise IncompleteError(f"Jobs that cannot finish: {', '.join(names[:5])}{more}")


def require_final(outcomes: Sequence[PodOutcome]) -> None:
    """Refuse outcomes that another attempt may change.

    Raises:
        UnreachableError: logs could not be read.
        IncompleteError: pods still run in Jobs that cannot finish, or their logs are forbidden.
    """
    pending = [outcome for outcome in outcomes if outcome.missing in _NOT_FINAL]
    if not pending:
        return
    first = pending[0]
    text = (
        f"{len(pending)} of {len(outcomes)} reports could not be had yet: {first.job} index "
        f"{first.index}: {first.missing}: {first.detail}"
    )
    if any(outcome.missing is MissingReason.LOG_UNAVAILABLE for outcome in pending):
        raise UnreachableError(text)
    raise IncompleteError(text)


def require_kept(outcomes: Sequence[PodOutcome]) -> None:
    """Refuse outcomes that are final for this machine only.

    Whoever harvested the pod while it was there still has its report in a store of its own.

    Raises: IncompleteError: a pod was gone before this machine read its log.
    """
    gone = [outcome for outcome in outcomes if outcome.missing is MissingReason.POD_GONE]
    if gone:
        raise IncompleteError(f"{len(gone)} pods were gone before their logs were read here")


def collect_run(
    cluster: Cluster,
    found: ExistingRun,
    snapshot: RunSnapshot,
    store: ReportStore,
    jobs: Sequence[JobState] | None = None,
) -> list[PodOutcome]:
    """The outcome of every planned pod, in plan order.

    Args:
        cluster: where logs are read.
        found: the run.
        snapshot: its pods.
        store: looked into first; what is read is kept there.
        jobs: only of these Jobs, which are held to the bounds of a run by themselves; None means
            all of them.
    """
    budget = SampleBudget()
    unreachable_nodes: set[str | None] = set()
    return [
        outcome
        for job in (snapshot.state.jobs if jobs is None else jobs)
        for outcome in collect_job(
            cluster,
            found.plan,
            job,
            pods=snapshot.pods,
            diagnoses=snapshot.diagnoses,
            store=store,
            budget=budget,
            unreachable_nodes=unreachable_nodes,
        )
    ]


def merge_outcomes(
    found: ExistingRun, outcomes: Sequence[PodOutcome], *, requests: int, raw: bool = False
) -> MergedReport:
    """One report for the run.

    Args:
        found: the run.
        outcomes: of all its planned pods; Jobs may have been collected apart from each other,
            so that together they hold more than one run may.
        requests: how many requests mrunners itself sent.
        raw: with every sample in it.
    """
    plan = found.plan
    identity = RunIdentity(plan.namespace, plan.tracker, plan.run_id)
    asked = {job.name: TargetLoad(job.target_per_second, job.clients) for job in plan.jobs}
    budget = SampleBudget()
    accepted = [budget.accept(outcome) for outcome in outcomes]
    return merge(identity, accepted, asked=asked, raw=raw, requests_by_us=requests)


def mark_collected(cluster: Cluster, found: ExistingRun, outcomes: Sequence[PodOutcome]) -> bool:
    """Note on the tracker that its report was fully written.

    To be called after the report was written. Nothing is noted while a report that is missing
    could still be had.

    Returns: whether the run counts as collected now.
    Raises: ClusterError: the note was forbidden or could not be written.
    """
    if any(outcome.missing in _NOT_FINAL for outcome in outcomes):
        return False
    stamp = cluster.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return cluster.annotate_config_map(
        found.plan.namespace,
        found.tracker.name,
        found.tracker.uid,
        {ANNOTATION_COLLECTED_AT: stamp},
    )
