"""Objectives of a run (SLOs), such as `LIST pods: p99 < 5s`: parsed here, judged by `slo_results`.

An objective is `METRIC COMPARISON LIMIT`, and may name a request before it: `REQUEST: …`.

| metric | limit | of |
|---|---|---|
| `min`, `p50`, `p90`, `p95`, `p99`, `max` | a duration, such as `500ms` | latencies of successes |
| `errors` | a share, such as `0.1%`, or a number | failed requests, of all |
| `throughput` | a share of the target, such as `95%`, or a rate, such as `200/s` | all requests |
| `coverage` | a share of the planned reports | the run |

The name of a preset stands for all objectives in it: see `slo_presets`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from mrunners.durations import parse_duration
from mrunners.errors import InvalidInputError
from mrunners.formatting import PERCENTILES, percentile_name
from mrunners.records import Record
from mrunners.reports.slo_presets import MAX_CHARACTERS, PRESETS
from mrunners.text import did_you_mean, quoted

__all__ = [
    "Limit",
    "Metric",
    "Objective",
    "SloResult",
    "SloStatus",
    "Unit",
    "objective_problem",
    "parse_objective",
    "unmet_lines",
    "validate_objectives",
]


class Metric(StrEnum):
    """What an objective is about."""

    LATENCY = "latency"
    ERRORS = "errors"
    THROUGHPUT = "throughput"
    COVERAGE = "coverage"


class Unit(StrEnum):
    """What the number of a limit counts."""

    SECONDS = "s"
    SHARE = "%"
    PER_SECOND = "/s"
    COUNT = ""


_UNITS: Final = {
    Metric.LATENCY: (Unit.SECONDS,),
    Metric.ERRORS: (Unit.SHARE, Unit.COUNT),
    Metric.THROUGHPUT: (Unit.SHARE, Unit.PER_SECOND),
    Metric.COVERAGE: (Unit.SHARE,),
}
_LIMITS: Final = {
    Metric.LATENCY: "a duration such as 500ms or 2s",
    Metric.ERRORS: "a share such as 0.1%, or a number of requests",
    Metric.THROUGHPUT: "a share of the target such as 95%, or a rate such as 200/s",
    Metric.COVERAGE: "a share such as 100%",
}
_PERCENTILES: Final = {percentile_name(p): p for p in PERCENTILES}
_METRICS: Final = (*_PERCENTILES, *(metric for metric in Metric if metric is not Metric.LATENCY))

# The longest first, because `<` begins `<=`.
_OBJECTIVE: Final = re.compile(r"(?:(.*\S) ?: )?(\S+?) ?(<=|>=|==|<|>|=) ?(\S.*)", re.DOTALL)
_NUMBER: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*(%|/s)?")


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of an objective.

    Attributes:
        comparison: `<`, `<=`, `>`, `>=` or `=`.
        value: A share is between 0 and 1.
        unit: What the value counts.
    """

    comparison: str
    value: float
    unit: Unit

    def holds(self, value: float) -> bool:
        """Whether a figure in the same unit is within the limit."""
        match self.comparison:
            case "<":
                return value < self.value
            case "<=":
                return value <= self.value
            case ">":
                return value > self.value
            case ">=":
                return value >= self.value
            case _:
                return value == self.value


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective.

    Attributes:
        text: As it was written, with single blanks.
        request: Which requests it is about: a verb and a resource such as `LIST pods`, maybe with a
            scope such as `LIST pods cluster`, or a name as `find_request` takes it; empty for all
            together.
        metric: What it is about.
        percentile: Of a latency: one of kperf's percentiles, from 0 to 1.
        limit: What must hold.
    """

    text: str
    request: str
    metric: Metric
    percentile: float | None
    limit: Limit


class SloStatus(StrEnum):
    """Whether an objective is met."""

    MET = "met"
    VIOLATED = "violated"
    NOT_ENOUGH_DATA = "not-enough-data"

    @property
    def words(self) -> str:
        """As a text has it."""
        return self.value.replace("-", " ")


class SloResult(Record):
    """How one objective ended.

    Attributes:
        objective: As it was written.
        status: Whether it is met.
        request: The request that was judged, or the worst of several; None for the whole run.
        value: Its figure: seconds, a share from 0 to 1, a rate or a number; None when unknown.
        samples: How many successes the figure is of; None where it is of no latencies.
        text: All of it in one printable line.
    """

    objective: str
    status: SloStatus
    request: str | None = None
    value: float | None = None
    samples: int | None = None
    text: str

    @property
    def detail(self) -> str:
        """The text without the objective and its status, such as `329 ms (60,000 samples)`."""
        return self.text.removeprefix(f"{self.objective}: {self.status.words}: ")


def parse_objective(text: str) -> Objective:
    """Return the objective that a text states.

    Raises:
        ValueError: It states none; the message says what is wrong.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"{quoted(text)} is longer than {MAX_CHARACTERS:,} characters")
    text = " ".join(text.split())
    match = _OBJECTIVE.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{quoted(text)} is not an objective such as 'p99 < 1s', 'LIST pods: p99 < 5s', "
            "'errors < 0.1%', 'throughput >= 95%' or 'coverage = 100%', nor a preset"
            f"{did_you_mean(text, PRESETS)}"
        )
    request, name, comparison, limit = match[1] or "", match[2], match[3], match[4]
    if name not in _METRICS:
        raise ValueError(
            f"{quoted(text)}: {quoted(name)} is not a metric{did_you_mean(name, _METRICS)}"
        )
    percentile = _PERCENTILES.get(name)
    metric = Metric.LATENCY if percentile is not None else Metric(name)
    if request and metric in {Metric.THROUGHPUT, Metric.COVERAGE}:
        raise ValueError(f"{quoted(text)}: {name} is of the whole run, not of one request")
    value = _limit(metric, limit)
    if value is None:
        raise ValueError(
            f"{quoted(text)}: the limit {quoted(limit)} of {name} must be {_LIMITS[metric]}"
        )
    return Objective(
        text=text,
        request=request,
        metric=metric,
        percentile=percentile,
        limit=Limit("=" if comparison == "==" else comparison, *value),
    )


def _limit(metric: Metric, text: str) -> tuple[float, Unit] | None:
    if metric is Metric.LATENCY:
        try:
            return parse_duration(text), Unit.SECONDS
        except ValueError:
            return None
    match = _NUMBER.fullmatch(text)
    unit = Unit.COUNT if match is None or not match[2] else Unit(match[2])
    if match is None or unit not in _UNITS[metric]:
        return None
    # 1.1 / 100 is more than 0.011.
    value = Fraction(match[1]) / (100 if unit is Unit.SHARE else 1)
    return float(value), unit


def objective_problem(text: str) -> str | None:
    """Return what is wrong with an objective or the name of a preset; None when nothing is."""
    try:
        if text not in PRESETS:
            parse_objective(text)
    except ValueError as error:
        return str(error)
    return None


def validate_objectives(texts: Iterable[str]) -> None:
    """Refuse texts that are neither objectives nor names of presets.

    Raises:
        InvalidInputError: One line for each problem.
    """
    if problems := [problem for text in texts if (problem := objective_problem(text))]:
        raise InvalidInputError(problems)


def unmet_lines(results: Iterable[SloResult]) -> list[str]:
    """Return a line for each objective that is not met."""
    return [f"objective {result.text}" for result in results if result.status is not SloStatus.MET]
