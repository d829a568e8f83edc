"""A run must not exhaust the memory of the machine that collects it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mrunners.reports import strict_json
from mrunners.reports.budget import SampleBudget
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.outcomes import MissingReason, PodOutcome, UnusableReportError
from tests.factories import flat, merged_pod, missing_pod, printed
from tests.unit.reports.memory_file import MemorySampleFile


def test_within_the_limits_every_outcome_stays_as_it_is() -> None:
    outcomes = [merged_pod(0, 0, flat(errors=2)), missing_pod(0, 1, MissingReason.FAILED)]
    budget = SampleBudget(max_samples=3, max_errors=2)
    assert [budget.accept(outcome) for outcome in outcomes] == outcomes


def test_a_report_beyond_the_sample_limit_is_missing_and_says_what_to_do() -> None:
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
        "with its 3 samples the run would exceed the limit of 5; split the run, or shorten its load"
    )


@pytest.mark.parametrize("raw", [False, True])
def test_samples_beyond_the_memorys_bound_go_to_the_file_unless_there_is_none(raw: bool) -> None:
    file = MemorySampleFile()
    pods = [merged_pod(0, index, flat()) for index in range(3)]
    kept = list(SampleBudget(file, raw=raw, max_samples_in_memory=5).accept_all(pods))
    assert kept == [merged_pod(0, index, flat()) for index in range(3)]
    assert file.samples_written == 6
    refused = list(SampleBudget(max_samples_in_memory=5).accept_all(pods))
    assert [outcome.missing for outcome in refused] == [None, *[MissingReason.OVER_LIMIT] * 2]


def test_samples_that_are_in_a_file_already_stay_there() -> None:
    pods = [merged_pod(0, index, flat()) for index in range(2)]
    batch, run = MemorySampleFile(), MemorySampleFile()
    of_batch = list(SampleBudget(batch, max_samples_in_memory=3).accept_all(pods))
    kept = list(SampleBudget(run, max_samples_in_memory=0).accept_all(reversed(of_batch)))
    assert kept == pods[::-1]
    assert (batch.samples_written, run.samples_written) == (3, 3)


def test_raw_data_has_a_bound_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mrunners.reports.budget.MAX_RAW_SAMPLES", 3)
    budget = SampleBudget(MemorySampleFile(), raw=True)
    assert budget.accept(merged_pod(0, 0, flat())).missing is None
    assert budget.accept(merged_pod(0, 1, flat())).detail.startswith(
        "with its 3 samples the run would exceed the limit of 3; "
    )


def test_a_report_beyond_the_error_limit_is_missing() -> None:
    refused = SampleBudget(max_errors=1).accept(merged_pod(0, 0, flat(errors=2)))
    assert refused.missing is MissingReason.OVER_LIMIT
    assert refused.detail.startswith("with its 2 errors the run would exceed the limit of 1; ")


def test_a_smaller_report_is_accepted_after_a_larger_one_was_not() -> None:
    budget = SampleBudget(max_samples=4)
    large, small = flat({"A": [0.1] * 5}), flat({"A": [0.1] * 4})
    assert budget.accept(merged_pod(0, 0, large)).missing is MissingReason.OVER_LIMIT
    assert budget.accept(merged_pod(0, 1, small)).missing is None


def test_a_report_without_raw_data_uses_nothing_of_the_budget() -> None:
    pod = merged_pod(0, 0, flat(raw=False))
    assert SampleBudget(max_samples=0).accept(pod) == pod


def test_accept_all_passes_every_outcome_through_the_budget_in_order() -> None:
    outcomes = [
        merged_pod(0, 0, flat()),
        missing_pod(0, 1, MissingReason.FAILED),
        merged_pod(0, 2, flat()),
    ]
    accepted = list(SampleBudget(max_samples=5).accept_all(outcomes))
    assert accepted[:2] == outcomes[:2]
    assert (accepted[2].pod, accepted[2].missing) == (outcomes[2].pod, MissingReason.OVER_LIMIT)


def test_accept_all_reads_an_outcome_only_after_the_one_before_was_accepted() -> None:
    read: list[int] = []

    def outcomes() -> Iterator[PodOutcome]:
        for index in range(3):
            read.append(index)
            yield merged_pod(0, index, flat())

    accepted = SampleBudget().accept_all(outcomes())
    assert read == []
    next(accepted)
    assert read == [0]


def test_a_report_of_too_many_bytes_is_refused_before_it_is_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = printed(flat())
    monkeypatch.setattr(strict_json, "MAX_DOCUMENT_BYTES", len(raw))
    assert parse_report(raw).samples == 3
    with pytest.raises(UnusableReportError) as caught:
        parse_report(raw + b" ")
    assert caught.value.problem is MissingReason.TOO_LARGE
    assert caught.value.detail == (
        f"the report has {len(raw) + 1} bytes; the maximum is {len(raw)}"
    )
