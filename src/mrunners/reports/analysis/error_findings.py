"""The finding about failed requests: how many, how and which most often, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mrunners.formatting import counted, percent, shared_server, without_query, without_server
from mrunners.reports.analysis.error_classes import ErrorClass, ErrorClasses
from mrunners.reports.analysis.finding import Finding, FindingKind, Severity
from mrunners.reports.analysis.pod_stats import PodStats
from mrunners.text import printable

__all__ = ["error_findings"]

# One failed request in a hundred is no accident any more. When half of them failed, the latencies
# are about another load than the one that was configured.
_WARNING_SHARE = 0.01
_ERROR_SHARE = 0.5

_ADVICE_ON_STATUS = {
    "http/401": "the runners are not authenticated; check their ServiceAccount",
    "http/403": "grant the runners' ServiceAccount these requests (examples/rbac.yaml), or "
    "choose another one",
    "http/404": "the load profile requests objects that do not exist",
    "http/409": "requests wrote to the same objects; a larger keySpaceSize spreads them",
    "http/429": "the API server rejected them to shed load (API Priority and Fairness); their "
    "latencies are not in the percentiles",
    "http/503": "the API server or an aggregated API was unavailable",
    "http/504": "the API server timed out; check etcd and the size of the answers",
}
_ADVICE_ON_TYPE = {
    "connection": "connections broke; check load balancers and the nodes' ports, and whether the "
    "API server restarted",
    "http2-protocol": "the API server or a proxy closed HTTP/2 streams or connections",
    "unknown": "read the error's text; kperf gives up on a request after 60 s",
}


def error_findings(classes: ErrorClasses, stats: Sequence[PodStats]) -> Iterator[Finding]:
    """Yield one finding when requests failed.

    Args:
        classes: The errors of all merged pods, by class.
        stats: The figures of the same pods.
    """
    if not classes.total:
        return
    most_frequent = classes.classes[0]
    requests = [pod.requests for pod in stats]
    share, of_all = 0.0, ""
    if None not in requests:
        total = sum(count or 0 for count in requests)
        share = classes.total / total
        of_all = f" of {total:,}"
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
        text=f"{failed}, {_class_phrase(most_frequent, classes)} in "
        f"{counted(most_frequent.pods, 'pod')} on {counted(most_frequent.nodes, 'node')}"
        f"{_request_phrase(most_frequent)}",
        advice=_advice(most_frequent),
    )


def _class_phrase(error_class: ErrorClass, classes: ErrorClasses) -> str:
    name = printable(error_class.name, 80)
    if error_class.count == classes.total:
        return f"all with {name},"
    return f"most often with {name} ({error_class.count:,}),"


def _request_phrase(error_class: ErrorClass) -> str:
    """Return which request of a class failed most often, the shorter the better.

    Requests that differ only in their query, as a LIST from the cache and one from etcd do, are
    the same path to grant, to create or to look for.
    """
    if not error_class.requests:
        return ""
    first = error_class.requests[0]
    name = without_query(without_server(first.request, shared_server([first.request])))
    count = "all" if first.count == error_class.count else f"{first.count:,}"
    return f"; {count} of these were {printable(name, 160)}"


def _advice(error_class: ErrorClass) -> str:
    on_status = _ADVICE_ON_STATUS.get(error_class.name)
    if on_status is not None:
        return on_status
    return _ADVICE_ON_TYPE.get(
        error_class.name.partition("/")[0], "look up the status in the API server's audit log"
    )
