"""Pods that stand out from the siblings of their Job: much later to finish, or much slower.

It must not compare pods of different Jobs: their load profiles differ.

The measure is the modified z-score of Iglewicz and Hoaglin, How to Detect and Handle Outliers (ASQC
Basic References in Quality Control 16, 1993): 0.6745 (x - median) / MAD, an outlier beyond 3.5,
where MAD is the median absolute deviation. Median and MAD bear up to half of the pods being off;
mean and standard deviation would be drawn towards the very pods that are looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, median

from pydantic import Field

from mrunners.reports.analysis.pod_stats import PodStats
from mrunners.reports.coverage import PodRef

__all__ = ["Straggler", "StragglerMetric", "modified_z_scores", "stragglers_of"]

_THRESHOLD = 3.5
# 0.6745 is the 0.75 quantile of the normal distribution: it makes the MAD a standard deviation.
_MAD_FACTOR = 0.6745
# sqrt(pi / 2): the same for the mean absolute deviation, which takes over where more than half of
# the pods are equal and the MAD is 0 (IBM SPSS Statistics, 'Modified z score').
_MEAN_FACTOR = 1.253314

# With fewer pods the MAD rests on one or two distances, and chance alone passes the threshold.
_FEWEST_FOR_SCORE = 5
# Two pods cannot say which of them is off.
_FEWEST = 3
_RATIO_OF_FEW = 3.0

# With fewer samples the 99th percentile by nearest rank is simply the slowest request.
_FEWEST_SAMPLES = 100


class StragglerMetric(StrEnum):
    """What a pod stands out by."""

    P99 = "p99"
    DURATION = "duration"


class Straggler(PodRef):
    """A pod that stands out, always to the slow side.

    Attributes:
        value_seconds: the pod's own p99 or duration.
        median_seconds: the median over all compared pods of the Job.
        siblings: how many pods were compared, this one included.
        score: the modified z-score; None when fewer than five pods were compared.
    """

    metric: StragglerMetric
    value_seconds: float = Field(alias="valueSeconds")
    median_seconds: float = Field(alias="medianSeconds")
    siblings: int
    score: float | None


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a difference must at least be to matter: a tiny spread makes tiny differences large.

    Attributes:
        ratio: to the median.
        seconds: above the median.
    """

    ratio: float
    seconds: float


# A p99 rests on the slowest hundredth of the samples and varies by itself; the length of a load
# hardly does, as the same profile runs in every pod.
_RULES: Mapping[StragglerMetric, _Rule] = {
    StragglerMetric.P99: _Rule(ratio=1.5, seconds=0.001),
    StragglerMetric.DURATION: _Rule(ratio=1.1, seconds=0.5),
}


def stragglers_of(stats: Sequence[PodStats]) -> tuple[Straggler, ...]:
    """The pods that stand out, by Job as given, then metric, worst first.

    Args:
        stats: of all merged pods of the run. A pod without a known value is not compared.
    """
    by_job: dict[str, list[PodStats]] = {}
    for pod in stats:
        by_job.setdefault(pod.outcome.job, []).append(pod)
    return tuple(
        straggler
        for pods in by_job.values()
        for metric in StragglerMetric
        for straggler in _standing_out(pods, metric)
    )


def modified_z_scores(values: Sequence[float]) -> list[float]:
    """The modified z-score of each value; all 0 when no value differs from the median.

    Args:
        values: at least one.
    """
    middle = median(values)
    distances = [abs(value - middle) for value in values]
    scale = median(distances) / _MAD_FACTOR or fmean(distances) * _MEAN_FACTOR
    return [(value - middle) / scale if scale else 0.0 for value in values]


def _standing_out(pods: Sequence[PodStats], metric: StragglerMetric) -> list[Straggler]:
    known = [(pod, value) for pod in pods if (value := _value(pod, metric)) is not None]
    if len(known) < _FEWEST:
        return []
    values = [value for _, value in known]
    middle = median(values)
    rule = _RULES[metric]
    scored = len(known) >= _FEWEST_FOR_SCORE
    found = [
        Straggler(
            job=pod.outcome.job,
            index=pod.outcome.index,
            pod=pod.outcome.pod,
            node=pod.outcome.node,
            metric=metric,
            value_seconds=value,
            median_seconds=middle,
            siblings=len(known),
            score=score if scored else None,
        )
        for (pod, value), score in zip(known, modified_z_scores(values), strict=True)
        if value >= middle * rule.ratio
        and value - middle >= rule.seconds
        and (score > _THRESHOLD if scored else value >= middle * _RATIO_OF_FEW)
    ]
    return sorted(found, key=lambda straggler: -straggler.value_seconds)


def _value(pod: PodStats, metric: StragglerMetric) -> float | None:
    match metric:
        case StragglerMetric.P99:
            enough = pod.report.samples is None or pod.report.samples >= _FEWEST_SAMPLES
            return pod.at(0.99) if enough else None
        case StragglerMetric.DURATION:
            return pod.duration_seconds
