"""From figures to findings: which of them a person should know, and what they could do about it.

It must not measure: it reads the other analyses. What is missing is the verdict's to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from mrunners.durations import format_duration
from mrunners.formatting import counted, per_second, percent
from mrunners.reports.analysis.error_classes import ErrorClasses
from mrunners.reports.analysis.error_findings import error_findings
from mrunners.reports.analysis.finding import Finding, FindingKind, Severity
from mrunners.reports.analysis.nodes import NodeSummary
from mrunners.reports.analysis.pod_stats import PodStats
from mrunners.reports.analysis.stragglers import Straggler, StragglerMetric
from mrunners.reports.analysis.throughput import JobThroughput, Throughput, ThroughputLimit
from mrunners.text import listed, printable

__all__ = ["RunAnalysis", "derive_findings"]

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}

# The kubelet gives whole seconds, so two clocks that agree differ by up to one.
_CLOCK_SECONDS = 2.0
# A tenth of the load without some of its pods begins to show in the percentiles.
_SKEW_SHARE = 0.1

_MORE_CLIENTS = (
    "use more clients or pods: if the rate rises, they were too few; if only the latencies rise, "
    "the server is at its limit"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnalysis:
    """All that findings follow from."""

    stats: Sequence[PodStats]
    start_skew_seconds: float | None
    overlap_seconds: float | None
    throughput: Throughput
    stragglers: Sequence[Straggler]
    nodes: Sequence[NodeSummary]
    error_classes: ErrorClasses


def derive_findings(run: RunAnalysis) -> tuple[Finding, ...]:
    """The findings, most serious first; within a severity in the order below."""
    found = [
        *error_findings(run.error_classes, run.stats),
        *_limits(run.throughput.jobs),
        *_nodes(run.nodes),
        *_stragglers(run.stragglers),
        *_skew(run),
    ]
    return tuple(sorted(found, key=lambda finding: _ORDER[finding.severity]))


def _limits(jobs: Sequence[JobThroughput]) -> Iterator[Finding]:
    runners = [job for job in jobs if job.limit is ThroughputLimit.RUNNERS]
    answers = [job for job in jobs if job.limit is ThroughputLimit.ANSWERS]
    short = [job for job in answers if job.target_per_second is not None]
    unbraked = [job for job in answers if job.target_per_second is None]
    if runners:
        yield Finding(
            severity=Severity.WARNING,
            kind=FindingKind.CLIENT_LIMIT,
            text=f"the runners were the limit, not the server: {listed(_rates(runners))}",
            advice="use more pods (numbers) or nodes with more CPU; until then this rate says "
            "nothing about the server",
        )
    if short:
        yield Finding(
            severity=Severity.WARNING,
            kind=FindingKind.ANSWERS_LIMIT,
            text="the rate was not reached, for all clients waited for answers: "
            f"{listed(_rates(short))}",
            advice=f"{_MORE_CLIENTS}; latencies are understated, for kperf holds requests back "
            "while it waits",
        )
    if unbraked:
        yield Finding(
            severity=Severity.INFO,
            kind=FindingKind.ANSWERS_LIMIT,
            text="no rate was asked, so the number of clients set the pace: "
            f"{listed(_rates(unbraked))}",
            advice=_MORE_CLIENTS,
        )


def _rates(jobs: Sequence[JobThroughput]) -> list[str]:
    """`mrunners-0 (12.5 of 20.0 requests/s, clients 7.5% busy)`."""
    return [
        f"{printable(job.job)} ({per_second(job.achieved_per_second or 0)}"
        + ("" if job.target_per_second is None else f" of {per_second(job.target_per_second)}")
        + f" requests/s, clients {percent(job.clients_busy or 0)} busy)"
        for job in jobs
    ]


def _nodes(nodes: Sequence[NodeSummary]) -> Iterator[Finding]:
    # One slow pod may be chance or its place among siblings; two of one node point to the node.
    slow = [node for node in nodes if node.stragglers >= 2 and node.stragglers * 2 > node.merged]
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
            text=f"on {counted(len(slow), 'node')} most pods stand out from their siblings "
            f"elsewhere: {names}",
            advice="look at the node's CPU, network and neighbours; run again without it to "
            "see whether the figures change",
        )


def _stragglers(stragglers: Sequence[Straggler]) -> Iterator[Finding]:
    for metric, what in (
        (StragglerMetric.P99, "p99 latency"),
        (StragglerMetric.DURATION, "duration"),
    ):
        found = sorted(
            (one for one in stragglers if one.metric is metric),
            key=lambda one: -one.value_seconds / max(one.median_seconds, 1e-9),
        )
        if not found:
            continue
        stand = "pod stands" if len(found) == 1 else "pods stand"
        yield Finding(
            severity=Severity.WARNING,
            kind=FindingKind.STRAGGLER,
            text=f"{len(found)} {stand} out from siblings by {what}: "
            f"{listed([_straggler(one) for one in found])}",
            advice="look at the node first; if it is sound, the pods did not meet the same server "
            "(one of several API servers, another zone)",
        )


def _straggler(one: Straggler) -> str:
    node = "" if one.node is None else f" on {printable(one.node, 60)}"
    return (
        f"{printable(one.job)} index {one.index}{node} "
        f"({format_duration(one.value_seconds)}, median {format_duration(one.median_seconds)})"
    )


def _skew(run: RunAnalysis) -> Iterator[Finding]:
    durations = [pod.duration_seconds for pod in run.stats]
    if not durations or run.start_skew_seconds is None:
        return
    typical = median(durations)
    if run.start_skew_seconds < max(_CLOCK_SECONDS, typical * _SKEW_SHARE):
        return
    together = (
        ""
        if run.overlap_seconds is None
        else f"; all of them together for {format_duration(run.overlap_seconds)}"
    )
    yield Finding(
        severity=Severity.WARNING,
        kind=FindingKind.START_SKEW,
        text=f"pods started within {format_duration(run.start_skew_seconds)} and loaded for about "
        f"{format_duration(typical)}{together}",
        advice="make the load longer than the skew, pull the image beforehand, and see that all "
        "pods fit onto the nodes at once",
    )
