"""Objectives are texts that people write."""

from __future__ import annotations

import pytest

from mrunners.reports.slo import Limit, Metric, Objective, Unit, parse_objective


@pytest.mark.parametrize(
    ("text", "request_name", "metric", "percentile", "limit"),
    [
        ("p99 < 1s", "", Metric.LATENCY, 0.99, Limit("<", 1.0, Unit.SECONDS)),
        ("p50<=250ms", "", Metric.LATENCY, 0.5, Limit("<=", 0.25, Unit.SECONDS)),
        ("max < 1m30s", "", Metric.LATENCY, 1, Limit("<", 90.0, Unit.SECONDS)),
        ("LIST pods: p99 < 5s", "LIST pods", Metric.LATENCY, 0.99, Limit("<", 5.0, Unit.SECONDS)),
        (
            "GET https://10.0.0.1:6443/api/v1/x?a=b:  p95 < 2s",
            "GET https://10.0.0.1:6443/api/v1/x?a=b",
            Metric.LATENCY,
            0.95,
            Limit("<", 2.0, Unit.SECONDS),
        ),
        ("errors < 0.1%", "", Metric.ERRORS, None, Limit("<", 0.001, Unit.SHARE)),
        ("LIST pods: errors = 0", "LIST pods", Metric.ERRORS, None, Limit("=", 0.0, Unit.COUNT)),
        ("throughput >= 95%", "", Metric.THROUGHPUT, None, Limit(">=", 0.95, Unit.SHARE)),
        ("throughput > 200/s", "", Metric.THROUGHPUT, None, Limit(">", 200.0, Unit.PER_SECOND)),
        ("coverage == 100 %", "", Metric.COVERAGE, None, Limit("=", 1.0, Unit.SHARE)),
    ],
)
def test_an_objective_has_a_metric_a_comparison_and_a_limit(
    text: str, request_name: str, metric: Metric, percentile: float | None, limit: Limit
) -> None:
    assert parse_objective(text) == Objective(
        " ".join(text.split()), request_name, metric, percentile, limit
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not an objective such as 'p99 < 1s'"),
        ("p99", "is not an objective"),
        ("x" * 1001, "is longer than 1,000 characters"),
        ("kubernets", "nor a preset; did you mean 'kubernetes'?"),
        ("p99 1s", "is not an objective"),
        ("p98 < 1s", "'p98' is not a metric; did you mean 'p9"),
        ("latency < 1s", "'latency' is not a metric"),
        ("error < 1%", "did you mean 'errors'?"),
        ("p99 < 1", "the limit '1' of p99 must be a duration such as 500ms or 2s"),
        ("p99 < 1%", "must be a duration"),
        ("errors < 1s", "must be a share such as 0.1%, or a number of requests"),
        ("throughput > 5", "must be a share of the target such as 95%, or a rate"),
        ("coverage = 6", "must be a share such as 100%"),
        ("coverage = -1%", "must be a share such as 100%"),
        ("LIST pods: coverage = 100%", "coverage is of the whole run, not of one request"),
        ("LIST pods: throughput > 5/s", "throughput is of the whole run"),
    ],
)
def test_what_is_no_objective_is_said(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        parse_objective(text)
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
        ("=", False, True, False),
    ],
)
def test_a_limit_holds_or_not(comparison: str, below: bool, equal: bool, above: bool) -> None:
    limit = Limit(comparison, 2.0, Unit.SECONDS)
    assert [limit.holds(value) for value in (1.0, 2.0, 3.0)] == [below, equal, above]
