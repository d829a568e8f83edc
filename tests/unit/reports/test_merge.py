"""The merge, compared with a computation that shares no code with it."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.coverage import MissingPod, PodRef
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport, to_json
from mrunners.reports.outcomes import MissingReason, PodOutcome
from tests.factories import (
    RUN,
    START,
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
    document = as_json(merge(RUN, outcomes, raw=True))
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


def test_the_whole_document_is_the_documented_one() -> None:
    pod = merged_pod(0, 0, flat({"LIST a": [0.25]}, errors=1))
    pairs = [[p, 0.25] for p in (0, 0.5, 0.9, 0.95, 0.99, 1)]
    summary = {
        "total": 1,
        "duration": "10s",
        "errorStats": {"http/403": 1},
        "totalReceivedBytes": 1000,
        "percentileLatencies": pairs,
        "percentileLatenciesByURL": {"LIST a": pairs},
    }
    nothing = {
        "total": 0,
        "duration": "0s",
        "errorStats": {},
        "totalReceivedBytes": 0,
        "percentileLatencies": [],
        "percentileLatenciesByURL": {},
    }
    targets = {"mrunners-0": TargetLoad(requests_per_second=40.0, clients=2)}
    assert as_json(merge(RUN, [FAILED, pod], targets=targets, requests_by_us=12)) == {
        **summary,
        "schema": "mrunners.report/v1",
        "tracker": "mrunners",
        "namespace": "load",
        "run": RUN.run_id,
        "coverage": {
            "expected": 2,
            "merged": 1,
            "missing": [
                {
                    "job": "mrunners-1",
                    "index": 0,
                    "pod": "mrunners-1-0-abcde",
                    "node": "node-0",
                    "reason": "kperf-failed",
                    "detail": "exit 1",
                }
            ],
            "nothingSucceeded": [],
        },
        "notes": [],
        "startSkewSeconds": 0.0,
        "requestsByUs": 12,
        "overlapSeconds": 10.0,
        "findings": [
            {
                "severity": "error",
                "kind": "errors",
                "text": "1 of 2 requests failed (50%), all with http/403, in 1 pod on 1 node",
                "advice": "grant the runners' ServiceAccount these requests (examples/rbac.yaml), "
                "or choose another with --service-account",
            },
            {
                "severity": "warning",
                "kind": "client-limit",
                "text": "the runners were the limit, not the server: mrunners-0 (0.2 of 40.0 "
                "requests/s, clients 1.3% busy)",
                "advice": "use more pods (?numbers=) or nodes with more CPU; this rate says nothing "
                "about the server",
            },
        ],
        "throughput": {
            "targetPerSecond": None,
            "achievedPerSecond": 0.2,
            "jobs": [
                {
                    "job": "mrunners-0",
                    "pods": 1,
                    "targetPerSecond": 40.0,
                    "achievedPerSecond": 0.2,
                    "clientsPerPod": 2,
                    "meanLatencySeconds": 0.13,
                    "clientsBusy": 0.26 / 20,
                    "limit": "runners",
                },
                {
                    "job": "mrunners-1",
                    "pods": 0,
                    "targetPerSecond": None,
                    "achievedPerSecond": 0.0,
                    "clientsPerPod": None,
                    "meanLatencySeconds": None,
                    "clientsBusy": None,
                    "limit": "unknown",
                },
            ],
        },
        "stragglers": [],
        "nodes": [
            {
                "node": "node-0",
                "pods": 2,
                "merged": 1,
                "stragglers": 0,
                "samples": 1,
                "errors": 1,
                "requestsPerSecond": 0.2,
                "totalReceivedBytes": 1000,
                "percentileLatencies": pairs,
            }
        ],
        "errorClasses": {
            "total": 1,
            "classes": [
                {
                    "name": "http/403",
                    "count": 1,
                    "messages": 1,
                    "example": "http/403",
                    "pods": 1,
                    "nodes": 1,
                }
            ],
            "moreClasses": 0,
            "moreErrors": 0,
        },
        "runners": [
            {
                "uri": "file:///load/0.yaml?numbers=2",
                "job": "mrunners-0",
                "pods": [
                    {
                        "index": 0,
                        "name": "mrunners-0-0-abcde",
                        "node": "node-0",
                        "startedAt": "2026-01-02T03:04:05Z",
                        "finishedAt": "2026-01-02T03:04:15Z",
                        "exitCode": 0,
                        "missing": None,
                        "samples": 1,
                        "errors": 1,
                        "duration": "10s",
                        "totalReceivedBytes": 1000,
                        "percentileLatencies": pairs,
                        "startLagSeconds": 0.0,
                        "requestsPerSecond": 0.2,
                    }
                ],
                "report": summary,
            },
            {
                "uri": "file:///load/1.yaml?numbers=2",
                "job": "mrunners-1",
                "pods": [
                    {
                        "index": 0,
                        "name": "mrunners-1-0-abcde",
                        "node": "node-0",
                        "startedAt": "2026-01-02T03:04:05Z",
                        "finishedAt": "2026-01-02T03:04:06Z",
                        "exitCode": 1,
                        "missing": "kperf-failed",
                        "samples": None,
                        "errors": None,
                        "duration": None,
                        "totalReceivedBytes": None,
                        "percentileLatencies": None,
                        "startLagSeconds": 0.0,
                        "requestsPerSecond": None,
                    }
                ],
                "report": nothing,
            },
        ],
        "latencyDistribution": {
            "seconds": [0.2239, 0.2371, 0.2512, 0.2661],
            "counts": [0, 0, 1, 1],
            "countsByURL": {"LIST a": [0, 0, 1, 1]},
        },
    }


def test_the_order_of_the_outcomes_does_not_matter() -> None:
    outcomes = [
        merged_pod(job, index, flat({f"GET {job}{index}": [0.1 * (index + 1)]}, errors=job))
        for job in range(12)
        for index in range(3)
    ]
    shuffled = random.Random(1).sample(outcomes, len(outcomes))
    assert to_json(merge(RUN, shuffled, raw=True)) == to_json(merge(RUN, outcomes, raw=True))
    # By position in the plan; a sort by name would put mrunners-10 before mrunners-2.
    jobs = [runner.job for runner in merge(RUN, shuffled).runners]
    assert jobs == [f"mrunners-{n}" for n in range(12)]


def test_a_report_can_be_read_back_from_its_json() -> None:
    report = merge(RUN, [merged_pod(0, 0, flat(errors=2)), FAILED], raw=True)
    assert MergedReport.model_validate_json(to_json(report)) == report


def test_raw_data_is_left_out_unless_requested() -> None:
    document = as_json(merge(RUN, [merged_pod(0, 0, flat(errors=1))]))
    assert not {"latenciesByURL", "errors"} & set(document)


def test_the_json_ends_with_a_newline_and_is_ascii() -> None:
    text = to_json(merge(RUN, [merged_pod(0, 0, flat({"GET \u202e\x9b\u00e9": [0.1]}))]))
    assert text.endswith("}\n")
    assert text.isascii()
    assert "\x1b" not in text


def test_a_lone_surrogate_from_a_command_line_does_not_lose_the_report() -> None:
    pod = merged_pod(0, 0, flat(), uri="file:///caf\udce9?numbers=1", node="\U0001f600")
    document = to_json(merge(RUN, [pod]))
    assert document == to_json(merge(RUN, [replace(pod, uri="file:///caf\ufffd?numbers=1")]))
    assert document.isascii()


def test_without_raw_data_counts_merge_and_percentiles_are_null_with_a_note() -> None:
    one, two = flat(errors=1, raw=False), flat({"GET b": [1.0]}, errors=2)
    report = merge(RUN, [merged_pod(0, 0, one), merged_pod(0, 1, two)], raw=True)
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
    report = merge(RUN, [pod, merged_pod(0, 1, flat())])
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
    assert merge(RUN, [unknown, merged_pod(0, 1, flat())]).total is None


def test_keys_of_a_later_kperf_are_in_the_notes() -> None:
    report = merge(RUN, [merged_pod(0, 0, {**flat(), "news\x1b[2J": 1})])
    assert len(report.notes) == 1
    assert "1 key that this release of mrunners does not know" in report.notes[0]
    assert "news\\x1b[2J" in report.notes[0]


def test_a_run_without_pods_merges_to_an_empty_report() -> None:
    report = merge(RUN, [])
    assert (report.total, report.duration, report.complete) == (0, "0s", True)
    assert report.verdict == "0 of 0 reports merged"


def test_only_missing_pods_merge_to_an_empty_report_that_is_not_complete() -> None:
    report = merge(RUN, [FAILED])
    assert (report.total, report.percentile_latencies, report.complete) == (0, (), False)


def test_the_start_skew_is_from_the_first_to_the_last_start() -> None:
    pods = [merged_pod(0, index, flat(), second=second) for index, second in enumerate([3, 0.5, 1])]
    assert merge(RUN, pods).start_skew_seconds == 2.5


def test_the_start_skew_is_null_when_no_pod_started() -> None:
    pod = replace(FAILED, started_at=None, finished_at=None)
    assert merge(RUN, [pod]).start_skew_seconds is None


def test_a_pod_without_any_success_is_merged_counted_and_named() -> None:
    pods = [merged_pod(0, 0, flat()), merged_pod(0, 1, flat({}, errors=4))]
    report = merge(RUN, pods)
    assert report.coverage.merged == 2
    assert report.error_stats == {"http/403": 4}
    assert report.coverage.nothing_succeeded == (
        PodRef(job="mrunners-0", index=1, pod="mrunners-0-1-abcde", node="node-1"),
    )
    assert not report.complete
    assert report.verdict == (
        "2 of 2 reports merged; nothing succeeded in 1 pod: mrunners-0 index 1"
    )


def test_the_verdict_of_a_complete_run_is_one_clause() -> None:
    pods = [merged_pod(job, index, flat()) for job in range(3) for index in range(2)]
    report = merge(RUN, pods)
    assert (report.verdict, report.complete) == ("6 of 6 reports merged", True)


def test_the_verdict_names_the_missing_pod_and_the_reason() -> None:
    pods = [merged_pod(0, index, flat()) for index in range(5)]
    assert merge(RUN, [*pods, FAILED]).verdict == (
        "5 of 6 reports merged; 1 missing: mrunners-1 index 0 (kperf-failed: exit 1)"
    )


def test_the_verdict_stays_one_line_whatever_is_missing() -> None:
    pods = [
        missing_pod(0, index, MissingReason.NOT_STARTED, "\x1b[2J\n" + "x" * 10**6)
        for index in range(50)
    ]
    verdict = merge(RUN, pods).verdict
    assert verdict.isprintable()
    assert len(verdict) < 600
    assert verdict.endswith(" and 47 more")


def test_missing_pods_are_listed_with_job_and_index() -> None:
    assert merge(RUN, [FAILED]).coverage.missing == (
        MissingPod(
            job="mrunners-1",
            index=0,
            pod="mrunners-1-0-abcde",
            node="node-0",
            reason=MissingReason.KPERF_FAILED,
            detail="exit 1",
        ),
    )


def test_two_outcomes_for_one_index_are_a_bug() -> None:
    with pytest.raises(ValueError, match="same completion index"):
        merge(RUN, [FAILED, FAILED])


def test_an_outcome_has_either_a_report_or_a_reason() -> None:
    pod = merged_pod(0, 0, flat())
    with pytest.raises(ValueError, match="not both"):
        replace(pod, missing=MissingReason.TRUNCATED)
    with pytest.raises(ValueError, match="not both"):
        replace(pod, report=None)


def test_the_times_of_an_outcome_need_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        replace(FAILED, started_at=(START + timedelta(1)).replace(tzinfo=None))


def test_percentiles_of_many_samples_are_exact() -> None:
    rng = random.Random(5)
    pods: list[PodOutcome] = []
    pooled: list[float] = []
    for index in range(20):
        samples = [rng.lognormvariate(-5, 1) for _ in range(2_000)]
        pooled += samples
        pods.append(merged_pod(0, index, flat({"LIST a": samples})))
    merged = merge(RUN, pods).percentile_latencies
    assert merged is not None
    assert [list(pair) for pair in merged] == percentiles(pooled)


def test_the_factories_print_reports_as_kperf_does() -> None:
    assert printed(flat()).startswith(b'{\n  "total": 3,\n  "duration": "10s",\n')
