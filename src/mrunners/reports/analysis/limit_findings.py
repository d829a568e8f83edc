"""The findings about what set the pace: the load profile itself, the runners, or the answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from mrunners.durations import format_duration
from mrunners.formatting import counted, milliseconds, per_second, percent
from mrunners.reports.analysis.finding import Finding, FindingKind, Severity
from mrunners.reports.analysis.job_pace import EarlyEnd, SpecPace
from mrunners.reports.analysis.pace import ThroughputLimit
from mrunners.reports.analysis.throughput import JobPace
from mrunners.text import listed, printable, spec_names

__all__ = ["limit_findings"]

# A load of less than half of its duration is another load than the one that was configured.
_ERROR_SHARE = 0.5

_OWN_WAIT = (
    "kperf limits each connection to the first spec's rate and counts that wait as latency, so the "
    "latencies of these specs are not the server's; the report's notes say what to change in the "
    "profile"
)
_MORE_CLIENTS = (
    "use more clients or pods: if the rate rises, there were too few; if only the latencies rise, "
    "the server is at its limit"
)


def limit_findings(jobs: Sequence[JobPace]) -> Iterator[Finding]:
    """Yield what set the pace of each Job's specs, where it was not the configured rate.

    What the profile causes is known for certain and comes first.
    """
    yield from _profile_findings(jobs)
    if runners := _where(jobs, lambda pace: pace.limit is ThroughputLimit.RUNNERS):
        yield Finding(
            severity=Severity.WARNING,
            kind=FindingKind.CLIENT_LIMIT,
            text=f"the runners were the limit, not the server: {_rates(runners)}",
            advice="use more pods (?numbers=) or nodes with more CPU; this rate says nothing about "
            "the server",
        )
    answers = _where(jobs, lambda pace: pace.limit is ThroughputLimit.ANSWERS)
    if below_target := [each for each in answers if each[1].target_per_second is not None]:
        yield Finding(
            severity=Severity.WARNING,
            kind=FindingKind.ANSWERS_LIMIT,
            text="the target rate was not reached because all clients were waiting for answers: "
            f"{_rates(below_target)}",
            advice=f"{_MORE_CLIENTS}; the latencies are too low, because a request that kperf "
            "delays while it waits has none",
        )
    if unthrottled := [each for each in answers if each[1].target_per_second is None]:
        yield Finding(
            severity=Severity.INFO,
            kind=FindingKind.ANSWERS_LIMIT,
            text="no rate limit was set, so the number of clients set the pace: "
            f"{_rates(unthrottled)}",
            advice=_MORE_CLIENTS,
        )
    if unclear := _where(jobs, lambda pace: pace.missed and pace.limit is ThroughputLimit.UNKNOWN):
        yield Finding(
            severity=Severity.WARNING,
            kind=FindingKind.TARGET_MISSED,
            text="the target rate was not reached, and the reports do not tell whether the runners "
            f"or the answers were the limit: {_rates(unclear)}",
            advice="run again with more clients and more pods, one after the other, and see which "
            "of them raises the rate",
        )


def _profile_findings(jobs: Sequence[JobPace]) -> Iterator[Finding]:
    held_back = _where(
        jobs, lambda pace: pace.limit is ThroughputLimit.PROFILE and not pace.few_clients
    )
    if held_back:
        yield Finding(
            severity=Severity.WARNING,
            kind=FindingKind.PROFILE,
            text=f"kperf's own limiter set the pace, not the server: {_rates(held_back)}",
            advice=_OWN_WAIT,
        )
    if perhaps := _where(jobs, lambda pace: pace.maybe_first_rate):
        yield Finding(
            severity=Severity.WARNING,
            kind=FindingKind.PROFILE,
            text=f"kperf's own limiter may have set the pace, not the server: {_rates(perhaps)}",
            advice=_OWN_WAIT,
        )
    for job, pace in _where(jobs, lambda pace: pace.few_clients):
        yield _few_clients(job, pace)
    ends = [(job.job, end) for job in jobs for end in job.early_ends]
    if ends:
        yield _early_ends(ends)


def _few_clients(job: str, pace: SpecPace) -> Finding:
    clients, rate = pace.clients or 1, (pace.target_per_second or math.inf) / pace.pods
    enough = math.ceil(rate * (pace.latency_seconds or 0.0))
    return Finding(
        severity=Severity.WARNING,
        kind=FindingKind.PROFILE,
        text="the load profile has too few clients for its rate: "
        f"{_rates([(job, pace)])}: {counted(clients, 'client')} would need each answer within "
        f"{milliseconds(clients / rate)} ms, and it took "
        f"{milliseconds(pace.latency_seconds)} ms",
        advice=f"set client to at least {enough}, or use more pods with a lower rate each",
    )


def _early_ends(ends: Sequence[tuple[str, EarlyEnd]]) -> Finding:
    worst = min(end.seconds / end.planned_seconds for _, end in ends)
    return Finding(
        severity=Severity.ERROR if worst < _ERROR_SHARE else Severity.WARNING,
        kind=FindingKind.PROFILE,
        text="kperf ended the load before its duration: "
        + listed(
            [
                f"{_name(job, (end.spec,), only_spec=end.only_spec)} "
                f"({format_duration(end.seconds)} of {format_duration(end.planned_seconds)}, "
                f"{counted(end.clients, 'client')} at {per_second(end.rate)} requests/s)"
                for job, end in ends
            ]
        ),
        advice="kperf stops as soon as an idle client would wait for the rate past the end; use "
        "fewer clients, or total instead of duration",
    )


def _where(
    jobs: Sequence[JobPace], condition: Callable[[SpecPace], bool]
) -> list[tuple[str, SpecPace]]:
    return [(job.job, pace) for job in jobs for pace in job.specs if condition(pace)]


def _rates(paces: Sequence[tuple[str, SpecPace]]) -> str:
    """Return such texts as `mrunners-0 (12.5 of 20.0 requests/s, clients 7.5% busy)`."""
    return listed(
        [
            f"{_name(job, pace.specs, only_spec=pace.only_spec)} "
            f"({per_second(pace.requests_per_second)}"
            f"{_of_target(pace)} requests/s{_busy(pace)})"
            for job, pace in paces
        ]
    )


def _of_target(pace: SpecPace) -> str:
    return "" if pace.target_per_second is None else f" of {per_second(pace.target_per_second)}"


def _busy(pace: SpecPace) -> str:
    return "" if pace.clients_busy is None else f", clients {percent(pace.clients_busy)} busy"


def _name(job: str, specs: Sequence[int], *, only_spec: bool) -> str:
    return printable(job) + ("" if only_spec else f" {spec_names(specs)}")
