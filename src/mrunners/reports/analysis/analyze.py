"""All analyses of one run, in the order in which they depend on each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mrunners.reports.analysis.error_classes import ErrorClasses, error_classes, errors_by_request
from mrunners.reports.analysis.error_timeline import ErrorTimeline, error_timeline
from mrunners.reports.analysis.finding import Finding
from mrunners.reports.analysis.findings import RunAnalysis, derive_findings
from mrunners.reports.analysis.node_summaries import NodeSummary, node_summaries
from mrunners.reports.analysis.pod_stats import PodStats, pod_stats
from mrunners.reports.analysis.start_skew import (
    overlap_seconds,
    overlap_share,
    start_skew_seconds,
)
from mrunners.reports.analysis.stragglers import Straggler, stragglers_of
from mrunners.reports.analysis.throughput import (
    TargetLoad,
    Throughput,
    job_paces,
    throughput_of,
)
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.reports.provenance import images_of

__all__ = ["Analysis", "analyze"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The results of all analyses; the records are those of the merged report.

    Attributes:
        stats: The figures of each merged pod, by Job and completion index.
    """

    stats: Mapping[tuple[str, int], PodStats]
    start_skew_seconds: float | None
    overlap_seconds: float | None
    findings: tuple[Finding, ...]
    throughput: Throughput
    stragglers: tuple[Straggler, ...]
    nodes: tuple[NodeSummary, ...]
    error_classes: ErrorClasses
    errors_by_request: dict[str, int] | None
    error_timeline: ErrorTimeline | None


def analyze(
    outcomes: Sequence[PodOutcome],
    targets: Mapping[str, TargetLoad],
    start_at: datetime | None = None,
) -> Analysis:
    """Analyze a run.

    Args:
        outcomes: The outcomes of all planned pods, in plan order.
        targets: By Job name, what the load profile sets for each pod; a Job may be absent.
        start_at: When all pods were to begin their load together; None when each began at once.
    """
    stats = pod_stats(outcomes)
    stragglers = stragglers_of(stats)
    nodes = node_summaries(outcomes, stats, stragglers)
    errors, by_request = error_classes(stats), errors_by_request(pod.report for pod in stats)
    jobs = list(dict.fromkeys(outcome.job for outcome in outcomes))
    throughput = throughput_of(jobs, stats, targets)
    skew, overlap = start_skew_seconds(outcomes), overlap_seconds(outcomes)
    return Analysis(
        stats={(pod.outcome.job, pod.outcome.index): pod for pod in stats},
        start_skew_seconds=skew,
        overlap_seconds=overlap,
        findings=derive_findings(
            RunAnalysis(
                stats=stats,
                start_skew_seconds=skew,
                overlap_seconds=overlap,
                overlap_share=overlap_share(stats),
                images=images_of(o for o in outcomes if o.missing is None),
                start_at=start_at,
                late=tuple(o for o in outcomes if o.missing is MissingReason.STARTED_LATE),
                paces=job_paces(jobs, stats, targets),
                stragglers=stragglers,
                nodes=nodes,
                error_classes=errors,
                errors_by_request=by_request,
            )
        ),
        throughput=throughput,
        stragglers=stragglers,
        nodes=nodes,
        error_classes=errors,
        errors_by_request=by_request,
        error_timeline=error_timeline(stats),
    )
