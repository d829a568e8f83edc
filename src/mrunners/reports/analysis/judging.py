"""From figures to findings: which of them a person should know, and what they could do about it.

It must not measure: it reads the other analyses. What is missing is the verdict's to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from mrunners.durations import format_duration
from mrunners.reports.analysis.error_classes import ErrorClass, ErrorClasses
from mrunners.reports.analysis.figures import PodFigures
from mrunners.reports.analysis.findings import Finding, FindingKind, Severity
from mrunners.reports.analysis.hosts import HostSummary
from mrunners.reports.analysis.stragglers import Straggler, StragglerMetric
from mrunners.reports.analysis.throughput import JobThroughput, Throughput, ThroughputLimit
from mrunners.reports.plain_text import plain_text

__all__ = ["Judged", "findings_of"]

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}

# A failed request in a hundred is no accident any more, and with half of them failed the latencies
# are of another load than the one that was asked for.
_WARNING_SHARE = 0.01
_ERROR_SHARE = 0.5

# The kubelet gives whole seconds, so two clocks that agree differ by up to one.
_CLOCK_SECONDS = 2.0
# A tenth of the load without some of its pods begins to show in the percentiles.
_SKEW_SHARE = 0.1

# A finding is a sentence: the worst ones are named, the report has them all.
_NAMED = 3

_ADVICE_ON_STATUS = {
    "http/401": "the runners are not authenticated; check their ServiceAccount",
    "http/403": "grant the runners' ServiceAccount these requests (examples/rbac.yaml), or choose "
    "another with --service-account",
    "http/404": "the load profile asks for something that is not there",
    "http/409": "requests wrote the same objects; a larger keySpaceSize spreads them",
    "http/429": "the API server shed load (API Priority and Fairness): that is its answer, and "
    "their latencies are not in the percentiles",
    "http/503": "the API server or an aggregated API was not available",
    "http/504": "the API server timed out; look at etcd and at the size of the answers",
}
_ADVICE_ON_TYPE = {
    "connection": "connections broke; look at load balancers, at the hosts' ports, and whether the "
    "API server restarted",
    "http2-protocol": "the API server or a proxy ended HTTP/2 streams or connections",
    "unknown": "the class has the error's text; kperf gives up on a request after 60 s",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """All that findings follow from."""

    figures: Sequence[PodFigures]
    start_skew_seconds: float | None
    overlap_seconds: float | None
    throughput: Throughput
    stragglers: Sequence[Straggler]
    hosts: Sequence[HostSummary]
    error_classes: ErrorClasses


def findings_of(run: Judged) -> tuple[Finding, ...]:
    """The findings, most serious first; within a severity in the order below."""
    found = [
        *_errors(run),
        *_limits(run.throughput.jobs),
        *_hosts(run.hosts),
        *_stragglers(run.stragglers),
        *_skew(run),
    ]
    return tuple(sorted(found, key=lambda finding: _ORDER[finding.severity]))


def _errors(run: Judged) -> Iterator[Finding]:
    classes = run.error_classes
    if not classes.total:
        return
    first = classes.classes[0]
    requests = [pod.requests for pod in run.figures]
    share, of_all = 0.0, ""
    if None not in requests:
        every = sum(count or 0 for count in requests)
        share = classes.total / every
        of_all = f" of {every:,}"
    failed = f"{classes.total:,}{of_all} requests failed"
    if of_all:
        failed += f" ({_percent(share)})"
    yield Finding(
        severity=(
            Severity.ERROR
            if share >= _ERROR_SHARE
            else Severity.WARNING
            if share >= _WARNING_SHARE or not of_all
            else Severity.INFO
        ),
        kind=FindingKind.ERRORS,
        text=f"{failed}, {_mostly(first, classes)} in {_counted(first.pods, 'pod')} on "
        f"{_counted(first.hosts, 'host')}",
        advice=_advice(first),
    )


def _mostly(first: ErrorClass, classes: ErrorClasses) -> str:
    name = plain_text(first.name, 80)
    if first.count == classes.total:
        return f"all with {name},"
    return f"most often with {name} ({first.count:,}),"


def _advice(first: ErrorClass) -> str:
    by_status = _ADVICE_ON_STATUS.get(first.name)
    if by_status is not None:
        return by_status
    return _ADVICE_ON_TYPE.get(
        first.name.partition("/")[0], "look the status up in the API server's audit log"
    )


def _limits(jobs: Sequence[JobThroughput]) -> Iterator[Finding]:
    for job in jobs:
        asked, achieved, busy = job.asked_per_second, job.achieved_per_second, job.clients_busy
        if achieved is None or busy is None:
            continue
        rate = f"{plain_text(job.job)}: {_rate(achieved)} requests/s were achieved"
        rate += " without a rate to reach" if asked is None else f" of {_rate(asked)} asked for"
        if job.limit is ThroughputLimit.RUNNERS:
            yield Finding(
                severity=Severity.WARNING,
                kind=FindingKind.CLIENT_LIMIT,
                text=f"{rate}, yet clients waited for answers only {_percent(busy)} of the time: "
                "the runners were the limit, not the server",
                advice="use more pods (numbers) or hosts with more CPU; until then this rate says "
                "nothing about the server",
            )
        elif job.limit is ThroughputLimit.ANSWERS:
            yield Finding(
                severity=Severity.INFO if asked is None else Severity.WARNING,
                kind=FindingKind.ANSWERS_LIMIT,
                text=f"{rate}: all clients waited for answers ({_percent(busy)} of the time)",
                advice="use more clients or pods: if the rate rises, they were too few; if only "
                "the latencies rise, the server is at its limit",
            )


def _hosts(hosts: Sequence[HostSummary]) -> Iterator[Finding]:
    # One slow pod may be chance or its place among siblings; two of one host point to the host.
    slow = [host for host in hosts if host.stragglers >= 2 and host.stragglers * 2 > host.merged]
    slow.sort(key=lambda host: (-host.stragglers, host.node))
    if slow:
        named = _named(
            [
                f"{plain_text(host.node, 60)} ({host.stragglers} of {host.merged} pods)"
                for host in slow
            ]
        )
        yield Finding(
            severity=Severity.WARNING,
            kind=FindingKind.SLOW_HOST,
            text=f"{_counted(len(slow), 'host')} slowed most of their pods: {named}"
            if len(slow) > 1
            else f"one host slowed most of its pods: {named}",
            advice="look at the CPU, network and neighbours of the host; run again without it to "
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
            f"{_named([_straggler(one) for one in found])}",
            advice="look at the host first; if it is sound, the pods did not meet the same server "
            "(one of several API servers, another zone)",
        )


def _straggler(one: Straggler) -> str:
    node = "" if one.node is None else f" on {plain_text(one.node, 60)}"
    return (
        f"{plain_text(one.job)} index {one.index}{node} "
        f"({format_duration(one.value_seconds)}, median {format_duration(one.median_seconds)})"
    )


def _skew(run: Judged) -> Iterator[Finding]:
    durations = [pod.duration_seconds for pod in run.figures]
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
        "pods fit onto the hosts at once",
    )


def _named(texts: Sequence[str]) -> str:
    more = len(texts) - _NAMED
    return ", ".join(texts[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _percent(share: float) -> str:
    percent = share * 100
    return f"{percent:.0f}%" if percent >= 10 else f"{percent:.1f}%" if percent >= 0.1 else "<0.1%"


def _rate(per_second: float) -> str:
    return f"{per_second:,.1f}" if per_second < 100 else f"{per_second:,.0f}"
