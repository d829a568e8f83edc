"""Judges the objectives of a run by its merged report.

An objective that cannot be judged is not met: a gate must not open because a figure is missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from mrunners.durations import format_duration
from mrunners.errors import InvalidInputError
from mrunners.formatting import counted, per_second, percent
from mrunners.reports.api_request import parse_api_request
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
_NOT_ENOUGH_DATA: Final = "not enough data"


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
    if not texts:
        why = "none of its objectives is about a request of this report"
        yield SloResult(
            objective=text,
            status=SloStatus.NOT_ENOUGH_DATA,
            text=f"{text}: {_NOT_ENOUGH_DATA}: {why}",
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
    p = objective.percentile
    assert p is not None
    if report.percentile_latencies is None or report.percentile_latencies_by_url is None:
        return _unknown(objective, "reports without raw data have no percentiles")
    if not objective.request:
        return _percentile(objective, None, report.percentile_latencies, report.samples or 0)
    requests = _requests(objective.request, report)
    if not requests:
        return _unknown(objective, "the report has no such request")
    results = [
        _percentile(
            objective,
            request,
            report.percentile_latencies_by_url.get(request, ()),
            report.samples_by_url.get(request, 0),
        )
        for request in requests
    ]
    return max(results, key=lambda result: (_RANKS[result.status], _badness(objective, result)))


_RANKS: Final = {SloStatus.MET: 0, SloStatus.NOT_ENOUGH_DATA: 1, SloStatus.VIOLATED: 2}


def _badness(objective: Objective, result: SloResult) -> float:
    value = result.value or 0.0
    return -value if objective.limit.comparison.startswith(">") else value


def _percentile(
    objective: Objective,
    request: str | None,
    percentiles: Sequence[tuple[float, float]],
    samples: int,
) -> SloResult:
    p = objective.percentile
    assert p is not None
    value = dict(percentiles).get(p)
    name = None if request is None else printable(request, _NAME_CHARACTERS)
    # Of fewer samples a percentile is only their maximum.
    needed = 1 if p in {0, 1} else math.ceil(round(1 / (1 - p), 9))
    if value is None or samples < needed:
        why = f"{counted(samples, 'sample')}, and it takes {needed}"
        return _unknown(objective, why, request=name, value=value, samples=samples)
    return _result(objective, value, counted(samples, "sample"), request=name, samples=samples)


def _errors(objective: Objective, report: MergedReport) -> SloResult:
    if not objective.request:
        errors, successes, name = report.error_count, report.total, None
    else:
        requests = _requests(objective.request, report)
        if not requests:
            return _unknown(objective, "the report has no such request")
        if report.errors_by_url is None:
            return _unknown(objective, "it is not known which requests failed")
        errors = sum(report.errors_by_url.get(request, 0) for request in requests)
        successes = sum(report.samples_by_url.get(request, 0) for request in requests)
        name = printable(requests[0], _NAME_CHARACTERS) if len(requests) == 1 else None
    if objective.limit.unit is Unit.COUNT:
        return _result(objective, errors, counted(errors, "error"), request=name)
    if successes is None or not errors + successes:
        return _unknown(objective, "the number of requests is not known, or zero", request=name)
    of_all = f"{errors:,} of {counted(errors + successes, 'request')}"
    return _result(objective, errors / (errors + successes), of_all, request=name)


def _throughput(objective: Objective, report: MergedReport) -> SloResult:
    throughput = report.throughput
    achieved, target = throughput.achieved_per_second, throughput.target_per_second
    if achieved is None:
        return _unknown(objective, "the throughput is not known")
    if objective.limit.unit is Unit.PER_SECOND:
        return _result(objective, achieved, f"{per_second(achieved)} requests/s")
    if not target:
        return _unknown(objective, "the load profiles set no rate")
    of_target = f"{per_second(achieved)} of {per_second(target)} requests/s"
    return _result(objective, achieved / target, of_target)


def _requests(name: str, report: MergedReport) -> list[str]:
    """Return the requests that an objective is about: a verb and a resource, or one by its name."""
    known = _known_requests(report)
    if matching := sorted(_of_resource(name, known)):
        return matching
    try:
        return [find_request(name, known)]
    except InvalidInputError:
        return []


def _known_requests(report: MergedReport) -> dict[str, object]:
    return {**(report.percentile_latencies_by_url or {}), **(report.errors_by_url or {})}


def _of_resource(name: str, requests: Iterable[str]) -> Iterator[str]:
    for request in requests:
        found = parse_api_request(request)
        if found is not None and name in {
            f"{found.verb} {found.resource}",
            f"{found.verb} {found.qualified}",
            f"{found.verb} {found.resource} {found.scope.value}",
            found.scoped,
        }:
            yield request


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
    return SloResult(
        objective=objective.text,
        status=status,
        request=request,
        value=value,
        samples=samples,
        text=f"{objective.text}: {status.value}: {_shown(objective.limit, value)} ({of}"
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
    return SloResult(
        objective=objective.text,
        status=SloStatus.NOT_ENOUGH_DATA,
        request=request,
        value=value,
        samples=samples,
        text=f"{objective.text}: {_NOT_ENOUGH_DATA}: {why}"
        f"{'' if request is None else f' ({request})'}",
    )


def _shown(limit: Limit, value: float) -> str:
    match limit.unit:
        case Unit.SECONDS:
            return f"{value * 1000:,.3g} ms" if value < 1 else format_duration(value)
        case Unit.SHARE:
            return percent(value)
        case Unit.PER_SECOND:
            return f"{per_second(value)}/s"
        case Unit.COUNT:
            return f"{value:,.0f}"
