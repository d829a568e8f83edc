"""Find stragglers: pods that are much slower than their siblings, or finish much later.

Siblings are the pods of the same Job; pods of different Jobs have different load profiles and are
not compared.

The measure is the modified z-score of Iglewicz and Hoaglin, How to Detect and Handle Outliers (ASQC
Basic References in Quality Control 16, 1993): 0.6745 (x - median) / MAD, an outlier beyond 3.5,
where MAD is the median absolute deviation. Median and MAD are robust as long as fewer than half of
the pods are off; stragglers would shift a mean and a standard deviation and hide themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, median

from pydantic import Field

from mrunners.reports.analysis.pod_stats import PodStats, pods_by_job
from mrunners.reports.coverage import PodRef

__all__ = ["Straggler", "StragglerMetric", "modified_z_scores", "stragglers_of"]

_THRESHOLD = 3.5
# 0.6745 is the 0.75 quantile of the normal distribution: it makes the MAD a standard deviation.
_MAD_FACTOR = 0.6745
# sqrt(pi / 2): the same for the mean absolute deviation, which takes over where more than half of
# the pods are equal and the MAD is 0 (IBM SPSS Statistics, 'Modified z score').
_MEAN_FACTOR = 1.253314

# With fewer pods the MAD depends on one or two distances, and chance alone exceeds the threshold.
_MIN_PODS_FOR_SCORE = 5
# Of two pods nobody can say which one is off.
_MIN_PODS = 3
# How many times the median a value must be when there are too few pods for a score.
_MIN_RATIO_WITHOUT_SCORE = 3.0

# With fewer samples the 99th percentile by nearest rank is simply the slowest request.
_MIN_SAMPLES_FOR_P99 = 100


class StragglerMetric(StrEnum):
    """The figure by which a pod is a straggler."""

    P99 = "p99"
    DURATION = "duration"


class Straggler(PodRef):
    """A pod that is much slower than its siblings, or finished much later.

    Attributes:
        value_seconds: The pod's own p99 latency or duration.
        median_seconds: The median over all compared pods of the Job.
        siblings: How many pods were compared, this one included.
        score: The modified z-score; None when fewer than five pods were compared.
    """

    metric: StragglerMetric
    value_seconds: float = Field(alias="valueSeconds")
    median_seconds: float = Field(alias="medianSeconds")
    siblings: int
    score: float | None


@dataclass(frozen=True, slots=True)
class _MinimumDifference:
    """How far from the median a value must be to matter, however small the spread is.

    Attributes:
        ratio: Minimum ratio of the value to the median.
        seconds: Minimum difference from the median.
    """

    ratio: float
    seconds: float


# A p99 depends on the slowest hundredth of the samples and varies a lot; the duration of a load
# hardly does, as the same profile runs in every pod.
_MINIMUM: Mapping[StragglerMetric, _MinimumDifference] = {
    StragglerMetric.P99: _MinimumDifference(ratio=1.5, seconds=0.001),
    StragglerMetric.DURATION: _MinimumDifference(ratio=1.1, seconds=0.5),
}


def stragglers_of(stats: Sequence[PodStats]) -> tuple[Straggler, ...]:
    """Return the stragglers by Job, in the order given, then by metric, worst first.

    Args:
        stats: The figures of all merged pods. A pod whose value is unknown is not compared.
    """
    return tuple(
        straggler
        for pods in pods_by_job(stats).values()
        for metric in StragglerMetric
        for straggler in _stragglers_by(metric, pods)
    )


def modified_z_scores(values: Sequence[float]) -> list[float]:
    """Return the modified z-score of each value; all 0 when no value differs from the median.

    Args:
        values: One value or more.
    """
    middle = median(values)
    distances = [abs(value - middle) for value in values]
    scale = median(distances) / _MAD_FACTOR or fmean(distances) * _MEAN_FACTOR
    return [(value - middle) / scale if scale else 0.0 for value in values]


def _stragglers_by(metric: StragglerMetric, pods: Sequence[PodStats]) -> list[Straggler]:
    known = [(pod, value) for pod in pods if (value := _value(pod, metric)) is not None]
    if len(known) < _MIN_PODS:
        return []
    values = [value for _, value in known]
    middle = median(values)
    minimum = _MINIMUM[metric]
    scored = len(known) >= _MIN_PODS_FOR_SCORE
    stragglers = [
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
        if value >= middle * minimum.ratio
        and value - middle >= minimum.seconds
        and (score > _THRESHOLD if scored else value >= middle * _MIN_RATIO_WITHOUT_SCORE)
    ]
    return sorted(stragglers, key=lambda straggler: -straggler.value_seconds)


def _value(pod: PodStats, metric: StragglerMetric) -> float | None:
    match metric:
        case StragglerMetric.P99:
            enough = pod.report.samples is None or pod.report.samples >= _MIN_SAMPLES_FOR_P99
            return pod.at(0.99) if enough else None
        case StragglerMetric.DURATION:
            return pod.duration_seconds
