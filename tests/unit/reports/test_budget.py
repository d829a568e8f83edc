"""One run may not exhaust the memory of the machine that collects it."""

from __future__ import annotations

import pytest

from mrunners.reports import strict_json
from mrunners.reports.budget import SampleBudget
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from tests.unit.reports.build import flat, merged_pod, missing_pod, printed


def test_within_the_limits_every_outcome_stays_as_it_is() -> None:
    outcomes = [merged_pod(0, 0, flat(errors=2)), missing_pod(0, 1, MissingReason.FAILED)]
    budget = SampleBudget(max_samples=3, max_errors=2)
    assert [budget.accept(outcome) for outcome in outcomes] == outcomes


def test_a_report_beyond_the_samples_of_a_run_is_named_with_the_way_out() -> None:
    budget = SampleBudget(max_samples=5)
    first, second = merged_pod(0, 0, flat()), merged_pod(0, 1, flat())
    assert budget.accept(first) == first
    refused = budget.accept(second)
    assert (refused.report, refused.missing, refused.pod, refused.node) == (
        None,
        MissingReason.OVER_LIMIT,
        second.pod,
        second.node,
    )
    assert refused.detail == (
        "its 3 samples would make more than the 5 that one run may have; split the run, or "
        "shorten its load"
    )


def test_a_report_beyond_the_errors_of_a_run_is_named() -> None:
    refused = SampleBudget(max_errors=1).accept(merged_pod(0, 0, flat(errors=2)))
    assert refused.missing is MissingReason.OVER_LIMIT
    assert refused.detail.startswith("its 2 errors would make more than the 1 ")


def test_a_smaller_report_is_still_admitted_after_a_larger_one_was_not() -> None:
    budget = SampleBudget(max_samples=4)
    large, small = flat({"A": [0.1] * 5}), flat({"A": [0.1] * 4})
    assert budget.accept(merged_pod(0, 0, large)).missing is MissingReason.OVER_LIMIT
    assert budget.accept(merged_pod(0, 1, small)).missing is None


def test_a_report_without_raw_data_takes_no_room() -> None:
    pod = merged_pod(0, 0, flat(raw=False))
    assert SampleBudget(max_samples=0).accept(pod) == pod


def test_a_report_of_too_many_bytes_is_refused_before_it_is_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = printed(flat())
    monkeypatch.setattr(strict_json, "MAX_DOCUMENT_BYTES", len(raw))
    assert parse_report(raw).samples == 3
    with pytest.raises(UnusableReportError) as caught:
        parse_report(raw + b" ")
    assert caught.value.problem is MissingReason.TOO_LARGE
    assert (
        caught.value.detail == f"the report has {len(raw) + 1} bytes, at most {len(raw)} are read"
    )
