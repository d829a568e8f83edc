"""All analyses of one run, in the order in which they need each other.

It must not decide anything: each module has its own rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mrunners.reports.analysis.error_classes import ErrorClasses, error_classes
from mrunners.reports.analysis.finding import Finding
from mrunners.reports.analysis.findings import Judged, findings_of
from mrunners.reports.analysis.nodes import HostSummary, host_summaries
from mrunners.reports.analysis.pod_stats import PodFigures, pod_figures
from mrunners.reports.analysis.start_skew import overlap_seconds, start_skew_seconds
from mrunners.reports.analysis.stragglers import Straggler, stragglers_of
from mrunners.reports.analysis.throughput import AskedLoad, Throughput, throughput_of
from mrunners.reports.outcomes import PodOutcome

__all__ = ["Analysis", "analyse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What was found; the records are those of the merged report.

    Attributes:
        figures: of each merged pod, by its Job and completion index.
    """

    figures: Mapping[tuple[str, int], PodFigures]
    start_skew_seconds: float | None
    overlap_seconds: float | None
    findings: tuple[Finding, ...]
    throughput: Throughput
    stragglers: tuple[Straggler, ...]
    hosts: tuple[HostSummary, ...]
    error_classes: ErrorClasses


def analyse(outcomes: Sequence[PodOutcome], asked: Mapping[str, AskedLoad]) -> Analysis:
    """Look at a run from every side.

    Args:
        outcomes: of all planned pods, in the order of the plan.
        asked: what the load profile of each Job asks of a pod; a Job may be absent.
    """
    figures = pod_figures(outcomes)
    stragglers = stragglers_of(figures)
    hosts = host_summaries(outcomes, figures, stragglers)
    errors = error_classes(figures)
    throughput = throughput_of(
        list(dict.fromkeys(outcome.job for outcome in outcomes)), figures, asked
    )
    skew, overlap = start_skew_seconds(outcomes), overlap_seconds(outcomes)
    return Analysis(
        figures={(pod.outcome.job, pod.outcome.index): pod for pod in figures},
        start_skew_seconds=skew,
        overlap_seconds=overlap,
        findings=findings_of(
            Judged(
                figures=figures,
                start_skew_seconds=skew,
                overlap_seconds=overlap,
                throughput=throughput,
                stragglers=stragglers,
                hosts=hosts,
                error_classes=errors,
            )
        ),
        throughput=throughput,
        stragglers=stragglers,
        hosts=hosts,
        error_classes=errors,
    )
