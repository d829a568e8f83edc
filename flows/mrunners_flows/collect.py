"""The second half of a run: wait for its Jobs, collect every pod's outcome, merge, save.

It must not create or delete anything in the cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from mrunners.errors import IncompleteError, UnreachableError
from mrunners.reports.budget import SampleBudget
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import PodOutcome
from mrunners.run.lookup import ExistingRun
from mrunners.run.snapshot import failures
from mrunners_tasks._batching import batches
from mrunners_tasks._step import as_one
from mrunners_tasks.jobs import wait_for_jobs
from mrunners_tasks.report_files import ReportFiles
from mrunners_tasks.reports import collect_reports, merge_reports, read_pods, save_report
from mrunners_tasks.runs import mark_collected_once

__all__ = ["CollectedRun", "accepted", "collect", "wait_and_collect"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CollectedRun:
    """What came home.

    Attributes:
        report: the merged report.
        problems: what went wrong with the Jobs, one line each.
        saved: the report is saved, all of it that was to be.
        collected: and the tracker says so.
    """

    report: MergedReport
    problems: tuple[str, ...]
    saved: bool
    collected: bool

    @property
    def complete(self) -> bool:
        """Whether every Job is Complete and every planned report is merged."""
        return not self.problems and self.report.complete

    @property
    def summary(self) -> str:
        """The verdict, and what went wrong, line by line."""
        return "\n".join((self.report.verdict, *self.problems))


def wait_and_collect(
    kubeconfig: str, found: ExistingRun, *, timeout: str, saving: ReportFiles | None
) -> CollectedRun:
    """Wait for a run's Jobs and bring its report home.

    Args:
        kubeconfig: where.
        found: the run.
        timeout: a duration; empty means as long as it takes.
        saving: as artifacts and as these files, after which the run counts as collected; None
            saves nothing.
    Raises: WaitTimeoutError: time is up.
    """
    wait_for_jobs(kubeconfig, as_one(found), timeout)
    return collect(kubeconfig, found, saving=saving)


def collect(kubeconfig: str, found: ExistingRun, *, saving: ReportFiles | None) -> CollectedRun:
    """Bring home the report of a run that has ended.

    Args:
        kubeconfig: where.
        found: the run.
        saving: as artifacts and as these files, after which the run counts as collected; None
            saves nothing.
    Raises: StillRunningError: something can still finish.
    """
    snapshot = _final_if_possible(read_pods, kubeconfig, as_one(found))
    outcomes = accepted(
        (
            _final_if_possible(
                collect_reports, kubeconfig, as_one(found), as_one(snapshot), as_one(jobs), label
            )
            for label, jobs in batches(snapshot.state.jobs, lambda job: job.planned.name)
        ),
        SampleBudget(),
    )
    report = merge_reports(kubeconfig, as_one(found), as_one(outcomes))
    saved = saving is not None and save_report(as_one(report), saving)
    collected = saved and mark_collected_once(kubeconfig, as_one(found), as_one(outcomes))
    return CollectedRun(report, failures(found, snapshot), saved, collected)


def accepted(parts: Iterable[Iterable[PodOutcome]], budget: SampleBudget) -> list[PodOutcome]:
    """The outcomes of all portions, held to the bounds of one run while they come.

    Args:
        parts: each portion of Jobs in turn; the next one is asked for after this one is admitted.
        budget: of the run.
    """
    return [budget.accept(outcome) for part in parts for outcome in part]


def _final_if_possible(step: Callable[..., T], *arguments: object) -> T:
    """A step whose result Prefect keeps when it is final; else it is taken as it is now."""
    try:
        return step(*arguments, final=True)
    except (IncompleteError, UnreachableError):
        return step(*arguments, final=False)
