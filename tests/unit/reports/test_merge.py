"""The merge, compared with a computation that shares no code with it."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport, to_json
from mrunners.reports.outcomes import MissingReason, PodOutcome
from tests.factories import (
    RUN,
    RUN_ID,
    Json,
    flat,
    merged_pod,
    missing_pod,
    multi,
    percentiles,
    printed,
)

FAILED = missing_pod(1, 0, MissingReason.KPERF_FAILED, "exit 1")


def as_json(report: MergedReport) -> Json:
    document = json.loads(to_json(report))
    assert isinstance(document, dict)
    return document


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["LIST a", "GET b", "WATCHLIST c"]),
            st.lists(st.floats(0, 100), min_size=1, max_size=20),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_the_flat_keys_equal_an_independent_computation(pods: list[dict[str, list[float]]]) -> None:
    outcomes = [
        merged_pod(0, index, flat(samples, errors=index, duration=f"{index}s", received=index))
        for index, samples in enumerate(pods)
    ]
    document = as_json(merge(RUN, RUN_ID, outcomes, raw=True))
    by_url: dict[str, list[float]] = {}
    for samples in pods:
        for url, values in samples.items():
            by_url.setdefault(url, []).extend(values)
    pooled = [value for values in by_url.values() for value in values]
    count = len(pods)
    errors = sum(range(count))
    assert {key: document[key] for key in list(document)[:6]} == {
        "total": len(pooled),
        "duration": f"{count - 1}s",
        "errorStats": {"http/403": errors} if errors else {},
        "totalReceivedBytes": errors,
        "percentileLatencies": percentiles(pooled) if pooled else [],
        "percentileLatenciesByURL": {url: percentiles(by_url[url]) for url in sorted(by_url)},
    }
    assert document["latenciesByURL"] == {url: sorted(by_url[url]) for url in sorted(by_url)}
    assert isinstance(document["errors"], list)
    assert len(document["errors"]) == errors


def test_the_order_of_the_outcomes_does_not_matter() -> None:
    outcomes = [
        merged_pod(job, index, flat({f"GET {job}{index}": [0.1 * (index + 1)]}, errors=job))
        for job in range(12)
        for index in range(3)
    ]
    shuffled = random.Random(1).sample(outcomes, len(outcomes))
    assert to_json(merge(RUN, RUN_ID, shuffled, raw=True)) == to_json(
        merge(RUN, RUN_ID, outcomes, raw=True)
    )
    # By position in the plan; a sort by name would put mrunners-10 before mrunners-2.
    jobs = [runner.job for runner in merge(RUN, RUN_ID, shuffled).runners]
    assert jobs == [f"mrunners-{n}" for n in range(12)]


def test_without_raw_data_counts_merge_and_percentiles_are_null_with_a_note() -> None:
    one, two = flat(errors=1, raw=False), flat({"GET b": [1.0]}, errors=2)
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, one), merged_pod(0, 1, two)], raw=True)
    assert (report.total, report.error_stats, report.received_bytes) == (4, {"http/403": 3}, 2000)
    assert report.percentile_latencies is None
    assert report.percentile_latencies_by_url is None
    assert report.latencies_by_url is None
    assert len(report.notes) == 1
    assert "1 of 2 reports have no raw data" in report.notes[0]
    assert "--raw-data" in report.notes[0]
    kept = report.runners[0].pods[0].percentile_latencies
    assert kept is not None
    assert kept[-1] == (1.0, 0.25)


def test_several_specs_without_raw_data_keep_their_counts_and_each_pods_percentiles() -> None:
    one, two = flat(errors=1, raw=False), flat({"GET b": [1.0]}, raw=False)
    whole = flat(
        {"LIST a": [0.5], "GET b": [1.0]},
        errors=1,
        total=5,
        duration="20s",
        received=2000,
        raw=False,
    )
    pod = merged_pod(0, 0, multi(one, two, aggregated=whole))
    report = merge(RUN, RUN_ID, [pod, merged_pod(0, 1, flat())])
    assert (report.total, report.error_stats, report.received_bytes, report.duration) == (
        None,
        {"http/403": 1},
        3000,
        "20s",
    )
    assert report.percentile_latencies is None
    kept = [summary.percentile_latencies for summary in report.runners[0].pods]
    assert [pairs and pairs[-1] for pairs in kept] == [(1.0, 1.0), (1.0, 0.25)]


def test_an_unknown_number_of_samples_makes_the_total_null() -> None:
    unknown = merged_pod(0, 0, flat(total=0, raw=False))
    assert merge(RUN, RUN_ID, [unknown, merged_pod(0, 1, flat())]).total is None


def test_keys_of_a_later_kperf_are_in_the_notes() -> None:
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, {**flat(), "news\x1b[2J": 1})])
    assert len(report.notes) == 1
    assert "1 key that this release of mrunners does not know" in report.notes[0]
    assert "news\\x1b[2J" in report.notes[0]


def test_a_run_without_pods_merges_to_an_empty_report() -> None:
    report = merge(RUN, RUN_ID, [])
    assert (report.total, report.duration, report.complete) == (0, "0s", True)
    assert report.verdict == "0 of 0 reports merged"


def test_only_missing_pods_merge_to_an_empty_report_that_is_not_complete() -> None:
    report = merge(RUN, RUN_ID, [FAILED])
    assert (report.total, report.percentile_latencies, report.complete) == (0, (), False)


def test_the_start_skew_is_from_the_first_to_the_last_start() -> None:
    pods = [merged_pod(0, index, flat(), second=second) for index, second in enumerate([3, 0.5, 1])]
    assert merge(RUN, RUN_ID, pods).start_skew_seconds == 2.5


def test_the_start_skew_is_null_when_no_pod_started() -> None:
    pod = replace(FAILED, started_at=None, finished_at=None)
    assert merge(RUN, RUN_ID, [pod]).start_skew_seconds is None


def test_two_outcomes_for_one_index_are_a_bug() -> None:
    with pytest.raises(ValueError, match="same completion index"):
        merge(RUN, RUN_ID, [FAILED, FAILED])


def test_percentiles_of_many_samples_are_exact() -> None:
    rng = random.Random(5)
    pods: list[PodOutcome] = []
    pooled: list[float] = []
    for index in range(20):
        samples = [rng.lognormvariate(-5, 1) for _ in range(2_000)]
        pooled += samples
        pods.append(merged_pod(0, index, flat({"LIST a": samples})))
    merged = merge(RUN, RUN_ID, pods).percentile_latencies
    assert merged is not None
    assert [list(pair) for pair in merged] == percentiles(pooled)


def test_the_factories_print_reports_as_kperf_does() -> None:
    assert printed(flat()).startswith(b'{\n  "total": 3,\n  "duration": "10s",\n')
