"""What to tell about failed requests: how many, of which class mostly, and what to do about it.

It must not group errors: the classes come from `error_classes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mrunners.formatting import counted, percent
from mrunners.reports.analysis.error_classes import ErrorClass, ErrorClasses
from mrunners.reports.analysis.finding import Finding, FindingKind, Severity
from mrunners.reports.analysis.pod_stats import PodStats
from mrunners.text import printable

__all__ = ["error_findings"]

# A failed request in a hundred is no accident any more, and with half of them failed the latencies
# are of another load than the one that was asked for.
_WARNING_SHARE = 0.01
_ERROR_SHARE = 0.5

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
    "connection": "connections broke; look at load balancers, at the nodes' ports, and whether the "
    "API server restarted",
    "http2-protocol": "the API server or a proxy ended HTTP/2 streams or connections",
    "unknown": "the class has the error's text; kperf gives up on a request after 60 s",
}


def error_findings(classes: ErrorClasses, stats: Sequence[PodStats]) -> Iterator[Finding]:
    """One finding when requests failed.

    Args:
        classes: of all merged pods.
        stats: of the same pods.
    """
    if not classes.total:
        return
    first = classes.classes[0]
    requests = [pod.requests for pod in stats]
    share, of_all = 0.0, ""
    if None not in requests:
        every = sum(count or 0 for count in requests)
        share = classes.total / every
        of_all = f" of {every:,}"
    failed = f"{classes.total:,}{of_all} requests failed"
    if of_all:
        failed += f" ({percent(share)})"
    yield Finding(
        severity=(
            Severity.ERROR
            if share >= _ERROR_SHARE
            else Severity.WARNING
            if share >= _WARNING_SHARE or not of_all
            else Severity.INFO
        ),
        kind=FindingKind.ERRORS,
        text=f"{failed}, {_mostly(first, classes)} in {counted(first.pods, 'pod')} on "
        f"{counted(first.nodes, 'node')}",
        advice=_advice(first),
    )


def _mostly(first: ErrorClass, classes: ErrorClasses) -> str:
    name = printable(first.name, 80)
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
