"""Step 7: merge the reports.

It must not ask the cluster for anything: what is missing stays missing.
"""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import PodOutcome
from mrunners.run.lookup import FoundRun
from mrunners.run.result import merge_outcomes
from mrunners_tasks._context import cluster_of
from mrunners_tasks._step import STEP

__all__ = ["merge_reports"]


@task(name="merge-reports", **STEP)
def merge_reports(kubeconfig: str, found: FoundRun, outcomes: Sequence[PodOutcome]) -> MergedReport:
    """One report for the whole run, with what is missing from it."""
    return merge_outcomes(found, outcomes, requests=cluster_of(kubeconfig).requests)
