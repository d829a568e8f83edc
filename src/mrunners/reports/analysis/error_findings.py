"""The finding about failed requests: how many, how and which most often, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mrunners.formatting import counted, percent, shared_server, without_query, without_server
from mrunners.reports.analysis.error_classes import ErrorClass, ErrorClasses
from mrunners.reports.analysis.finding import Finding, FindingKind, Severity
from mrunners.reports.analysis.pod_stats import PodStats, pods_by_job
from mrunners.text import listed, printable

__all__ = ["error_findings"]

# One failed request in a hundred is no accident any more. When half of them failed, the latencies
# are about another load than the one that was configured.
_WARNING_SHARE = 0.01
_ERROR_SHARE = 0.5

# Of a request that never succeeded. Fewer may be chance: each object that a `patch` names is a
# request of its own.
_MIN_FAILURES = 10

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


@dataclass(frozen=True, slots=True)
class _Share:
    """How many of some requests failed, of which there is at least one."""

    failed: int
    requests: int

    @property
    def severity(self) -> Severity:
        share = self.failed / self.requests
        if share >= _ERROR_SHARE:
            return Severity.ERROR
        return Severity.WARNING if share >= _WARNING_SHARE else Severity.INFO

    def __str__(self) -> str:
        """Return such a text as `89 of 100`."""
        return f"{self.failed:,} of {self.requests:,}"

    @property
    def percent(self) -> str:
        return percent(self.failed / self.requests)


def error_findings(
    classes: ErrorClasses, stats: Sequence[PodStats], by_request: Mapping[str, int] | None
) -> Iterator[Finding]:
    """Yield one finding when requests failed.

    Its severity is that of the whole run, of the Job or of the request that failed most: a small
    Job whose every request fails must not hide behind a large one.

    Args:
        classes: The errors of all merged pods, by class.
        stats: The figures of the same pods.
        by_request: Their `errors_by_request`.
    """
    if not classes.total:
        return
    most_frequent = classes.classes[0]
    of_run = _share(stats)
    severity = Severity.WARNING if of_run is None else of_run.severity
    failed = (
        f"{classes.total:,} requests failed"
        if of_run is None
        else f"{of_run} requests failed ({of_run.percent})"
    )
    worse = ""
    for job, of_job in _shares_of_jobs(stats):
        if of_job.severity.rank < severity.rank:
            severity = of_job.severity
            worse = f"; in {printable(job)}, {of_job} failed ({of_job.percent})"
    if severity is Severity.INFO and (never := _requests_without_success(stats, by_request)):
        severity = Severity.WARNING
        named = [_short_name(one.request) for one in most_frequent.requests[:1]]
        worse = (
            ", which never succeeded" if never == named else f"; {listed(never)} never succeeded"
        )
    yield Finding(
        severity=severity,
        kind=FindingKind.ERRORS,
        text=f"{failed}, {_class_phrase(most_frequent, classes)} in "
        f"{counted(most_frequent.pods, 'pod')} on {counted(most_frequent.nodes, 'node')}"
        f"{_request_phrase(most_frequent)}{worse}",
        advice=_advice(most_frequent),
    )


def _share(stats: Iterable[PodStats]) -> _Share | None:
    failed = requests = 0
    for pod in stats:
        if pod.requests is None:
            return None
        failed += pod.report.error_count
        requests += pod.requests
    return _Share(failed, requests) if requests else None


def _shares_of_jobs(stats: Sequence[PodStats]) -> list[tuple[str, _Share]]:
    """Return each Job with its share, the largest share first; without those of unknown ones."""
    shares = [(job, share) for job, pods in pods_by_job(stats).items() if (share := _share(pods))]
    return sorted(shares, key=lambda item: -item[1].failed / item[1].requests)


def _requests_without_success(
    stats: Sequence[PodStats], by_request: Mapping[str, int] | None
) -> list[str]:
    """Return the requests that failed whenever they were sent, while others succeeded."""
    succeeded: set[str] = set()
    for pod in stats:
        if pod.report.latencies_by_url is None:
            return []
        succeeded |= {url for url, column in pod.report.latencies_by_url.items() if len(column)}
    if not succeeded:
        return []  # the coverage says so of the pods
    return [
        _short_name(name)
        for name, count in (by_request or {}).items()
        if name not in succeeded and count >= _MIN_FAILURES
    ]


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
    count = "all" if first.count == error_class.count else f"{first.count:,}"
    return f"; {count} of these were {_short_name(first.request)}"


def _short_name(request: str) -> str:
    return printable(without_query(without_server(request, shared_server([request]))), 160)


def _advice(error_class: ErrorClass) -> str:
    on_status = _ADVICE_ON_STATUS.get(error_class.name)
    if on_status is not None:
        return on_status
    return _ADVICE_ON_TYPE.get(
        error_class.name.partition("/")[0], "look up the status in the API server's audit log"
    )
