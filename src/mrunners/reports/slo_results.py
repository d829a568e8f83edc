"""Judges the objectives of a run by its merged report.

An objective that cannot be judged is not met: a gate must not open because a figure is missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mrunners.durations import format_duration
from mrunners.errors import InvalidInputError
from mrunners.formatting import counted, per_second
from mrunners.reports.merged import MergedReport
from mrunners.reports.request_lookup import find_request
from mrunners.reports.slo import (
    Limit,
    Metric,
    Objective,
    SloResult,
    SloStatus,
    Unit,
    parse_objective,
)
from mrunners.reports.slo_presets import PRESETS, preset_objectives
from mrunners.text import printable

__all__ = ["judge", "with_slo_results"]

_NAME_CHARACTERS: Final = 200


def with_slo_results(report: MergedReport, objectives: Iterable[str]) -> MergedReport:
    """Return the report with the results of these objectives, behind those that it has.

    Args:
        report: The merged report.
        objectives: As they were written, or names of presets; one that the report has is judged
            once.

    Raises:
        ValueError: One of them is neither.
    """
    results = {result.objective: result for result in report.objectives}
    for text in objectives:
        for result in _results(text, report):
            results.setdefault(result.objective, result)
    return report.model_copy(update={"objectives": tuple(results.values())})


def _results(text: str, report: MergedReport) -> Iterator[SloResult]:
    """Yield the results of one objective, or of those that a preset has for the report."""
    if text not in PRESETS:
        yield judge(parse_objective(text), report)
        return
    texts = preset_objectives(text, _known_requests(report))
    why = _without_method(report)
    if why or not texts:
        why = why or "none of its objectives is about a request of this report"
        yield SloResult(
            objective=text,
            status=SloStatus.NOT_ENOUGH_DATA,
            text=f"{text}: {SloStatus.NOT_ENOUGH_DATA.words}: {why}",
        )
    for objective in texts:
        yield judge(parse_objective(objective), report)


def judge(objective: Objective, report: MergedReport) -> SloResult:
    """Return how an objective ended."""
    match objective.metric:
        case Metric.LATENCY:
            return _latency(objective, report)
        case Metric.ERRORS:
            return _errors(objective, report)
        case Metric.THROUGHPUT:
            return _throughput(objective, report)
        case Metric.COVERAGE:
            coverage = report.coverage
            share = coverage.merged / coverage.expected if coverage.expected else None
            return _result(objective, share, f"{coverage.merged} of {coverage.expected} reports")


def _latency(objective: Objective, report: MergedReport) -> SloResult:
    if report.percentile_latencies is None:
        return _unknown(objective, "reports without raw data have no percentiles")
    try:
        figures = _figures(objective.request, report)
    except _UnknownError as error:
        return _unknown(objective, str(error))
    results = [_percentile(objective, of) for of in figures]
    return max(results, key=lambda result: (_RANKS[result.status], _badness(objective, result)))


_RANKS: Final = {SloStatus.MET: 0, SloStatus.NOT_ENOUGH_DATA: 1, SloStatus.VIOLATED: 2}


def _badness(objective: Objective, result: SloResult) -> float:
    value = result.value or 0.0
    return -value if objective.limit.comparison.startswith(">") else value


def _percentile(objective: Objective, of: _Figures) -> SloResult:
    p = objective.percentile
    assert p is not None
    value, samples = dict(of.percentiles).get(p), of.samples
    name = None if of.name in {"", objective.request} else printable(of.name, _NAME_CHARACTERS)
    if samples is None:
        why = "the report does not say how many samples the request has"
        return _unknown(objective, why, request=name, value=value)
    # Of fewer samples a percentile is only their maximum.
    needed = 1 if p in {0, 1} else math.ceil(round(1 / (1 - p), 9))
    if value is None or samples < needed:
        why = f"{counted(samples, 'sample')}, and it takes {needed}"
        return _unknown(objective, why, request=name, value=value, samples=samples)
    return _result(objective, value, counted(samples, "sample"), request=name, samples=samples)


def _errors(objective: Objective, report: MergedReport) -> SloResult:
    try:
        figures = _figures(objective.request, report)
    except _UnknownError as error:
        return _unknown(objective, str(error))
    failures = [of.errors for of in figures if of.errors is not None]
    if len(failures) < len(figures):
        return _unknown(objective, "it is not known which requests failed")
    errors = sum(failures)
    if objective.limit.unit is Unit.COUNT:
        return _result(objective, errors, counted(errors, "error"))
    successes = [of.samples for of in figures if of.samples is not None]
    requests = errors + sum(successes)
    if len(successes) < len(figures) or not requests:
        return _unknown(objective, "the number of requests is not known, or zero")
    return _result(objective, errors / requests, f"{errors:,} of {counted(requests, 'request')}")


def _throughput(objective: Objective, report: MergedReport) -> SloResult:
    throughput = report.throughput
    achieved, target = throughput.achieved_per_second, throughput.target_per_second
    if achieved is None:
        return _unknown(objective, "the throughput is not known")
    if report.coverage.merged < report.coverage.expected:
        return _unknown(objective, "reports are missing, and their requests with them")
    if objective.limit.unit is Unit.PER_SECOND:
        return _result(objective, achieved, f"{per_second(achieved)} requests/s")
    if not target:
        return _unknown(objective, "not every load profile sets a rate")
    of_target = f"{per_second(achieved)} of {per_second(target)} requests/s"
    return _result(objective, achieved / target, of_target)


class _UnknownError(Exception):
    """What an objective is about cannot be known; the message says why."""


@dataclass(frozen=True, slots=True)
class _Figures:
    """What an objective is judged by: of all requests, of those about a resource, or of one.

    Attributes:
        name: Empty for all requests.
        percentiles: Seconds by percentile.
        samples: How many successes these are of; None when that is unknown.
        errors: How many requests failed; None when that is unknown.
    """

    name: str
    percentiles: Sequence[tuple[float, float]]
    samples: int | None
    errors: int | None


def _figures(request: str, report: MergedReport) -> list[_Figures]:
    """Return the figures of all requests, of each resource that has this name, or of one URL.

    Raises:
        _UnknownError: They cannot be known.
    """
    if not request:
        return [_Figures("", report.percentile_latencies or (), report.total, report.error_count)]
    try:
        return [_of_url(find_request(request, _known_requests(report)), report)]
    except InvalidInputError:
        pass
    resources = report.resources or ()
    about = [resource for resource in resources if resource.is_named(request)] or [
        resource for resource in resources if resource.is_named_without_group(request)
    ]
    if unnamed := _without_method(report):
        raise _UnknownError(unnamed)
    if not about:
        raise _UnknownError("the report has no such request")
    return [
        _Figures(resource.name, resource.percentile_latencies, resource.samples, resource.errors)
        for resource in about
    ]


def _of_url(url: str, report: MergedReport) -> _Figures:
    errors = report.errors_by_url
    return _Figures(
        url,
        (report.percentile_latencies_by_url or {}).get(url, ()),
        # Of the most frequent requests only.
        report.samples_by_url.get(url),
        None if errors is None else errors.get(url, 0),
    )


def _without_method(report: MergedReport) -> str:
    """Return why it is not known which requests are about a resource; empty when it is."""
    count = sum(" " not in name for name in _known_requests(report))
    if not count:
        return ""
    verb = "has" if count == 1 else "have"
    return f"{counted(count, 'request')} {verb} no method, as kperf before 0.3.5 prints it"


def _known_requests(report: MergedReport) -> dict[str, object]:
    return {**(report.percentile_latencies_by_url or {}), **(report.errors_by_url or {})}


def _result(
    objective: Objective,
    value: float | None,
    of: str,
    *,
    request: str | None = None,
    samples: int | None = None,
) -> SloResult:
    if value is None:
        return _unknown(objective, of, request=request)
    met = objective.limit.holds(value)
    status = SloStatus.MET if met else SloStatus.VIOLATED
    text = printable(objective.text, _NAME_CHARACTERS)
    return SloResult(
        objective=text,
        status=status,
        request=request,
        value=value,
        samples=samples,
        text=f"{text}: {status.words}: {_shown(objective.limit, value)} ({of}"
        f"{'' if request is None else f'; {request}'})",
    )


def _unknown(
    objective: Objective,
    why: str,
    *,
    request: str | None = None,
    value: float | None = None,
    samples: int | None = None,
) -> SloResult:
    text = printable(objective.text, _NAME_CHARACTERS)
    return SloResult(
        objective=text,
        status=SloStatus.NOT_ENOUGH_DATA,
        request=request,
        value=value,
        samples=samples,
        text=f"{text}: {SloStatus.NOT_ENOUGH_DATA.words}: {why}"
        f"{'' if request is None else f' ({request})'}",
    )


def _shown(limit: Limit, value: float) -> str:
    digits = _digits(value, limit.value)
    match limit.unit:
        case Unit.SECONDS if value >= 1 and digits == 3:
            return format_duration(value)
        case Unit.SECONDS:
            return f"{float(f'{value * 1000:.{digits}g}'):,.15g} ms"
        case Unit.SHARE:
            return f"{float(f'{value * 100:.{digits}g}'):.15g}%"
        case Unit.PER_SECOND:
            return f"{per_second(value)}/s"
        case Unit.COUNT:
            return f"{value:,.0f}"


def _digits(value: float, limit: float) -> int:
    """Return how many digits a figure needs so that it does not look like the limit."""
    if value == limit:
        return 3
    return next((count for count in range(3, 17) if float(f"{value:.{count}g}") != limit), 17)
