"""Failed requests are counted by request, named as the latencies are, in every format of kperf."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.analysis.error_classes import errors_by_request, requests_by_key
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.samples import KperfReport
from tests.factories import (
    RUN,
    RUN_ID,
    Json,
    error,
    failures,
    flat,
    merged_pod,
    printed,
    random_reports,
)

PODS = "LIST https://api/api/v1/pods?timeout=1m0s"
SECRETS = "LIST https://api/api/v1/namespaces/kube-system/secrets?timeout=1m0s"


def report_with(*errors: Json, latencies: dict[str, list[float]] | None = None) -> KperfReport:
    document = flat({} if latencies is None else latencies, errors=len(errors))
    document["errors"] = list(errors)
    keys = [
        f"{one['type']}/{one['code'] if one['type'] == 'http' else one['message']}"
        for one in errors
    ]
    document["errorStats"] = dict(Counter(keys))
    return parse_report(printed(document))


def test_a_request_has_the_same_name_as_in_the_latencies_and_one_without_success_is_there() -> None:
    report = report_with(
        *failures(PODS, "http/429", 2),
        *failures(SECRETS, "http/403", 3),
        *failures(SECRETS, "unknown/context deadline exceeded", 1),
        latencies={PODS: [0.1]},
    )
    assert errors_by_request([report, report]) == {SECRETS: 8, PODS: 4}
    assert requests_by_key(report) == {
        "http/429": {PODS: 2},
        "http/403": {SECRETS: 3},
        "unknown/context deadline exceeded": {SECRETS: 1},
    }


def test_up_to_kperf_0_3_4_a_request_is_its_url_alone_as_in_the_latencies() -> None:
    url = "https://api/api/v1/pods?timeout=1m0s"
    old = error(url=url)
    del old["method"]
    assert errors_by_request([report_with(old, latencies={url: [0.1]})]) == {url: 1}


def test_of_kperf_0_1_7_errors_have_no_request_and_are_counted_all_the_same() -> None:
    old = error()
    for key in ("method", "url", "message"):
        del old[key]
    report = report_with(old | {"message": ""})
    assert (report.error_count, errors_by_request([report])) == (1, None)
    assert requests_by_key(report) == {}


def test_without_errors_there_are_none_by_request_and_without_raw_data_they_are_unknown() -> None:
    whole = parse_report(printed(flat()))
    unknown = parse_report(printed(flat(errors=2, raw=False)))
    assert errors_by_request([]) == {}
    assert errors_by_request([whole]) == {}
    assert errors_by_request([whole, unknown]) is None


@given(st.lists(st.integers(0, 19), max_size=5))
def test_each_failed_request_is_counted_once(numbers: list[int]) -> None:
    reports = [parse_report(REPORTS[number]) for number in numbers]
    by_request = errors_by_request(reports)
    assert by_request is not None
    assert sum(by_request.values()) == sum(report.error_count for report in reports)
    for report in reports:
        counts = {key: sum(by.values()) for key, by in requests_by_key(report).items()}
        assert counts == report.error_stats


REPORTS = random_reports(20)


def failing() -> MergedReport:
    document = flat({PODS: [0.1] * 68}, errors=532)
    document["errors"] = [*failures(SECRETS, "http/403", 530), *failures(PODS, "http/403", 2)]
    return merge(RUN, RUN_ID, [merged_pod(0, 0, document)])


def test_the_finding_names_the_request_that_failed_most() -> None:
    finding = failing().findings[0]
    assert finding.text == (
        "532 of 600 requests failed (89%), all with http/403, in 1 pod on 1 node; 530 of these "
        "were LIST /api/v1/namespaces/kube-system/secrets"
    )


def test_the_report_counts_the_errors_of_each_request_without_raw_data_too() -> None:
    report = failing()
    assert report.errors is None
    assert report.errors_by_url == {SECRETS: 530, PODS: 2}
