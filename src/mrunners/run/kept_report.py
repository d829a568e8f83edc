"""The report of a run that is kept on this machine, whether the run still exists or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mrunners.errors import NextStep
from mrunners.kube.objects import ConfigMap
from mrunners.reports.budget import SampleBudget
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.reports.slo_results import with_slo_results
from mrunners.run.collect import collect_job
from mrunners.run.finality import readable_later
from mrunners.run.kept_runs import find_kept_run
from mrunners.run.lookup import ExistingRun, state_of
from mrunners.run.report_store import ReportStore
from mrunners.run.result import CollectedRun, merge_outcomes
from mrunners.run.run_facts import run_facts
from mrunners.run.snapshot import RunSnapshot
from mrunners.run.spill_file import SpillFile

__all__ = ["report_of_kept_run"]


def report_of_kept_run(
    run_id: str, store: ReportStore, *, raw: bool = False, slo: Sequence[str] = ()
) -> CollectedRun:
    """Merge the reports of a run that are kept on this machine; ask no cluster.

    Args:
        run_id: As for `find_kept_run`.
        store: Has the run.
        raw: Whether the report keeps every sample and error.
        slo: Objectives besides those of the plan.

    Raises:
        InvalidInputError: No such run is kept.
    """
    runs = store.kept_runs()
    kept = find_kept_run(runs.all(), run_id)
    plan, end = kept.plan, runs.end_of(kept.plan.run_id, kept.tracker_uid)
    tracker = ConfigMap(plan.tracker, kept.tracker_uid, kept.created, plan.run_id)
    state = state_of(plan, [], tracker, kept.created, store, created=range(len(plan.jobs)))
    run = ExistingRun(tracker, plan, state)
    missing = {(pod.job, pod.index): dict(pod) for pod in end.missing}
    unknown = {"missing": MissingReason.NOT_KEPT, "detail": f"{kept.server} was not asked"}
    snapshot = RunSnapshot(run.ref, state)

    def outcomes() -> Iterator[PodOutcome]:
        for job in state.jobs:
            for outcome in collect_job(run, job, snapshot, store, None):
                # A report that was not merged then is no more right without its Job.
                facts = missing.get((outcome.job, outcome.index))
                if facts is None and outcome.report is None:
                    facts = unknown
                yield replace(outcome, report=None, **facts) if facts else outcome

    accepted = list(SampleBudget(SpillFile(), raw=raw).accept_all(outcomes()))
    facts = runs.facts_of(kept.plan.run_id, kept.tracker_uid) or run_facts(run, None)
    report = merge_outcomes(run, accepted, facts=facts, traffic={}, raw=raw)
    ask = any(outcome.missing is MissingReason.NOT_KEPT for outcome in accepted)
    return CollectedRun(
        with_slo_results(report, slo),
        failures=end.failures,
        saved=True,
        next_steps=(NextStep.RESULT,) if ask else (),
        unread=readable_later(accepted),
    )
