"""Derive the findings: which results of the analyses a person should know, and what to do.

Missing reports are not among them: the coverage's verdict names those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from mrunners.durations import format_duration
from mrunners.formatting import counted
from mrunners.reports.analysis.error_classes import ErrorClasses
from mrunners.reports.analysis.error_findings import error_findings
from mrunners.reports.analysis.finding import Finding, FindingKind, Severity
from mrunners.reports.analysis.limit_findings import limit_findings
from mrunners.reports.analysis.node_summaries import NodeSummary
from mrunners.reports.analysis.pod_stats import PodStats
from mrunners.reports.analysis.stragglers import Straggler, StragglerMetric
from mrunners.reports.analysis.throughput import JobPace
from mrunners.reports.outcomes import PodOutcome
from mrunners.reports.provenance import RunnerImage
from mrunners.text import listed, printable

__all__ = ["RunAnalysis", "derive_findings"]


# Where logs do not say the start, the kubelet does, in whole seconds: two nodes whose clocks agree
# differ by up to one.
_MIN_SKEW_SECONDS = 2.0
# When some pods are missing from a tenth of the load, the percentiles begin to show it.
_MIN_SKEW_SHARE = 0.1
# Below that, most of the samples are of another load than the configured one.
_MIN_OVERLAP_SHARE = 0.5

# Later than by what clocks differ, and what it takes on a busy node to begin.
_LATE_SECONDS = 1.0

_MIN_SLOW_PODS_PER_NODE = 2

# The digest at the end is what differs.
_IMAGE_CHARACTERS = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnalysis:
    """The results of all other analyses of a run."""

    stats: Sequence[PodStats]
    start_skew_seconds: float | None
    overlap_seconds: float | None
    overlap_share: float | None
    images: Sequence[RunnerImage]
    start_at: datetime | None
    late: Sequence[PodOutcome]
    paces: Sequence[JobPace]
    stragglers: Sequence[Straggler]
    nodes: Sequence[NodeSummary]
    error_classes: ErrorClasses
    errors_by_request: Mapping[str, int] | None


def derive_findings(run: RunAnalysis) -> tuple[Finding, ...]:
    """Return the findings, most serious first; those of one severity in the order below."""
    findings = [
        *error_findings(run.error_classes, run.stats, run.errors_by_request),
        *limit_findings(run.paces),
        *_image_findings(run.images),
        *_node_findings(run.nodes),
        *_straggler_findings(run.stragglers),
        *_skew_findings(run),
        *_late_findings(run.late),
        *_not_together(run.stats, run.start_at),
    ]
    return tuple(sorted(findings, key=lambda finding: finding.severity.rank))


def _image_findings(images: Sequence[RunnerImage]) -> Iterator[Finding]:
    if len(images) < 2:
        return
    names = [
        f"{printable(image.image_id, _IMAGE_CHARACTERS)} in {counted(image.pods, 'pod')}"
        for image in images
    ]
    yield Finding(
        severity=Severity.WARNING,
        kind=FindingKind.SEVERAL_IMAGES,
        text=f"pods ran {len(images)} different images: {listed(names)}",
        advice="name the image by its digest, so that all nodes run the same; IDs also differ "
        "between processor architectures and between container runtimes",
    )


def _node_findings(nodes: Sequence[NodeSummary]) -> Iterator[Finding]:
    # One slow pod can be chance; two on the same node point to the node.
    slow = [
        node
        for node in nodes
        if node.stragglers >= _MIN_SLOW_PODS_PER_NODE and node.stragglers * 2 > node.merged
    ]
    slow.sort(key=lambda node: (-node.stragglers, node.node))
    if slow:
        names = listed(
            [
                f"{printable(node.node, 60)} ({node.stragglers} of {node.merged} pods)"
                for node in slow
            ]
        )
        yield Finding(
            severity=Severity.WARNING,
            kind=FindingKind.SLOW_NODE,
            text=f"most pods on {counted(len(slow), 'node')} are stragglers: {names}",
            advice="check the node's CPU, its network and its other pods; run again without the "
            "node to see whether the figures change",
        )


def _straggler_findings(stragglers: Sequence[Straggler]) -> Iterator[Finding]:
    for metric, comparison in (
        (StragglerMetric.P99, "a much higher p99 latency"),
        (StragglerMetric.DURATION, "a much longer duration"),
    ):
        worst_first = sorted(
            (straggler for straggler in stragglers if straggler.metric is metric),
            key=lambda straggler: -straggler.value_seconds / max(straggler.median_seconds, 1e-9),
        )
        if not worst_first:
            continue
        count = len(worst_first)
        pods = (
            f"1 pod has {comparison} than its"
            if count == 1
            else f"{count} pods have {comparison} than their"
        )
        yield Finding(
            severity=Severity.WARNING,
            kind=FindingKind.STRAGGLER,
            text=f"{pods} siblings: {listed([_straggler(pod) for pod in worst_first])}",
            advice="check the node first; if the node is healthy, the pod may have reached another "
            "API server than its siblings, or run in another zone",
        )


def _straggler(straggler: Straggler) -> str:
    value, middle = straggler.value_seconds, straggler.median_seconds
    return f"{_name(straggler)} ({format_duration(value)}, median {format_duration(middle)})"


def _skew_findings(run: RunAnalysis) -> Iterator[Finding]:
    durations = [pod.duration_seconds for pod in run.stats]
    if not durations or run.start_skew_seconds is None:
        return
    typical = median(durations)
    apart = run.overlap_share is not None and run.overlap_share < _MIN_OVERLAP_SHARE
    skewed = run.start_skew_seconds >= max(_MIN_SKEW_SECONDS, typical * _MIN_SKEW_SHARE)
    # Pods that start together may still not load together: some end long before the others.
    if not (apart or skewed):
        return
    overlap = (
        ""
        if run.overlap_seconds is None
        else f"; all of them at the same time for {format_duration(run.overlap_seconds)}"
    )
    yield Finding(
        severity=Severity.ERROR if apart else Severity.WARNING,
        kind=FindingKind.START_SKEW,
        text=f"pods started within {format_duration(run.start_skew_seconds)} of each other and "
        f"sent load for about {format_duration(typical)}{overlap}",
        advice="use a longer load, pull the image beforehand, and make sure that all pods fit onto "
        "the nodes at once",
    )


def _not_together(stats: Sequence[PodStats], start_at: datetime | None) -> Iterator[Finding]:
    """Yield a finding about pods that came too late for the start of all; how bad is said above."""
    if start_at is None:
        return
    late = [
        (seconds, outcome)
        for outcome in (pod.outcome for pod in stats)
        if outcome.started_at is not None
        and (seconds := (outcome.started_at - start_at).total_seconds()) > _LATE_SECONDS
    ]
    if not late:
        return
    late.sort(key=lambda pod: -pod[0])
    pods = listed([f"{_name(pod)} ({format_duration(round(by, 1))} late)" for by, pod in late])
    yield Finding(
        severity=Severity.INFO,
        kind=FindingKind.START_SKEW,
        text=f"{len(late):,} of {counted(len(stats), 'pod')} began after the common start at "
        f"{start_at:%H:%M:%S} UTC: {pods}",
        advice="use a longer start delay, and pull the image beforehand",
    )


def _name(pod: PodOutcome | Straggler) -> str:
    node = "" if pod.node is None else f" on {printable(pod.node, 60)}"
    return f"{printable(pod.job)} index {pod.index}{node}"


def _late_findings(late: Sequence[PodOutcome]) -> Iterator[Finding]:
    if not late:
        return
    pods = listed([f"{printable(pod.job)} index {pod.index} ({pod.detail})" for pod in late])
    yield Finding(
        severity=Severity.ERROR,
        kind=FindingKind.START_SKEW,
        text=f"{counted(len(late), 'pod')} loaded the cluster after the start timeout, and "
        f"{'its report is' if len(late) == 1 else 'their reports are'} not merged: {pods}",
        advice="find out what held the pods back, or set a longer start timeout; the other pods "
        "may have run beside them for a part of the time",
    )
