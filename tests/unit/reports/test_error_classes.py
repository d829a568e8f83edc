"""Errors are grouped by class: what varies is replaced, what distinguishes causes stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.analysis.error_classes import (
    NO_ERRORS,
    ErrorClass,
    ErrorClasses,
    RequestErrors,
    class_name,
    error_classes,
)
from mrunners.reports.analysis.pod_stats import pod_stats
from mrunners.reports.outcomes import PodOutcome
from tests.factories import failures, flat, merged_pod

CLASS_NAMES = {
    "http/403": "http/403",
    "http/429": "http/429",
    "http/0": "http/<n>",
    "http2-protocol/stream error: stream ID 1999; INTERNAL_ERROR; received from peer": (
        "http2-protocol/stream error: stream ID <n>; INTERNAL_ERROR; received from peer"
    ),
    "http2-protocol/http2: server sent GOAWAY; LastStreamID=1999, ErrCode=NO_ERROR": (
        "http2-protocol/http2: server sent GOAWAY; LastStreamID=<n>, ErrCode=NO_ERROR"
    ),
    "connection/read tcp 10.244.3.7:51914->10.0.0.1:443: read: connection reset by peer": (
        "connection/read tcp <address>-><address>: read: connection reset by peer"
    ),
    "connection/dial tcp [fe80::1%eth0]:443: connect: connection refused": (
        "connection/dial tcp <address>: connect: connection refused"
    ),
    'unknown/Get "https://10.0.0.1:443/api/v1/pods?limit=500&timeout=1m0s": context deadline': (
        'unknown/Get "https://<address>/api/v1/pods?limit=<n>&timeout=<duration>": context deadline'
    ),
    "unknown/request 0b6a1e5e-8f43-5f1b-9a53-0d0f8a3f1c11 timed out after 59.998s": (
        "unknown/request <id> timed out after <duration>"
    ),
    "unknown/at 2026-01-02T03:04:05.123456789Z on pod web-5d4f8c7b9d-x7k2p": (
        "unknown/at <time> on pod web-<id>"
    ),
    "unknown/etag deadbeef0123 and word defaced": "unknown/etag <id> and word defaced",
    "unknown/x509: certificate of node-12 has expired": (
        "unknown/x509: certificate of node-<n> has expired"
    ),
    "unknown/dial tcp: lookup api.example.com: no such node": (
        "unknown/dial tcp: lookup api.example.com: no such node"
    ),
}


@pytest.mark.parametrize(("key", "name"), CLASS_NAMES.items(), ids=range(len(CLASS_NAMES)))
def test_what_varies_becomes_a_placeholder(key: str, name: str) -> None:
    assert class_name(key) == name


@given(st.integers(0, 255), st.integers(1024, 65535), st.floats(0.001, 999).map("{:.3f}".format))
def test_errors_with_the_same_cause_are_one_class(octet: int, port: int, seconds: str) -> None:
    key = f"unknown/dial tcp 10.0.{octet}.7:{port}->10.0.0.1:443: i/o timeout after {seconds}s"
    assert class_name(key) == (
        "unknown/dial tcp <address>-><address>: i/o timeout after <duration>"
    )


@given(st.text(max_size=300))
def test_a_class_name_is_short_and_is_its_own_class_name(key: str) -> None:
    name = class_name(key)
    assert len(name) <= 10 * (len(key) + 1)
    assert class_name(name) == name


@pytest.mark.parametrize("text", ["1", "a1", "1.", "[:", "-", "9m", "0b6a1e5e-", "広", "\x1b["])
def test_the_class_of_a_megabyte_of_text_is_found_quickly(text: str) -> None:
    assert len(class_name("unknown/" + text * 1_000_000)) < 10_000


def pod(index: int, stats: dict[str, int], *, node: str | None = None) -> PodOutcome:
    document = flat(errors=sum(stats.values()))
    document["errorStats"] = stats
    document["errors"] = [
        error
        for number, (key, count) in enumerate(stats.items())
        for error in failures(f"GET https://api/{number}", key, count)
    ]
    return merged_pod(0, index, document, node=node)


def test_classes_are_counted_over_pods_and_nodes_and_the_most_frequent_comes_first() -> None:
    pods = [
        pod(0, {"http/429": 2, "unknown/stream 1": 1, "unknown/stream 2": 3}, node="a"),
        pod(1, {"unknown/stream 2": 1}, node="a"),
        pod(2, {}),
    ]
    assert error_classes(pod_stats(pods)) == ErrorClasses(
        total=7,
        classes=(
            ErrorClass(
                name="unknown/stream <n>",
                count=5,
                messages=2,
                example="unknown/stream 2",
                pods=2,
                nodes=1,
                requests=(
                    RequestErrors(request="GET https://api/2", count=3),
                    RequestErrors(request="GET https://api/0", count=1),
                    RequestErrors(request="GET https://api/1", count=1),
                ),
            ),
            ErrorClass(
                name="http/429",
                count=2,
                messages=1,
                example="http/429",
                pods=1,
                nodes=1,
                requests=(RequestErrors(request="GET https://api/0", count=2),),
            ),
        ),
        more_classes=0,
        more_errors=0,
    )


def test_a_run_without_errors_has_no_class() -> None:
    assert error_classes(pod_stats([pod(0, {})])) == NO_ERRORS


def test_only_the_twenty_most_frequent_classes_are_kept_and_the_rest_is_counted() -> None:
    stats = {f"unknown/{'x' * n}": n for n in range(1, 31)}
    errors = error_classes(pod_stats([pod(0, stats)]))
    assert len(errors.classes) == 20
    assert (errors.classes[0].count, errors.classes[-1].count) == (30, 11)
    assert (errors.more_classes, errors.more_errors, errors.total) == (10, 55, 465)


def test_the_example_of_a_huge_message_is_shortened() -> None:
    errors = error_classes(pod_stats([pod(0, {"unknown/" + "x" * 1_000_000: 1})]))
    assert len(errors.classes[0].example) == 400


def test_of_each_class_the_ten_requests_that_failed_most_are_kept_and_the_rest_is_counted() -> None:
    document = flat(errors=78)
    document["errors"] = [
        error
        for number in range(1, 13)
        for error in failures(f"LIST https://api/{number}", "http/403", number)
    ]
    (denied,) = error_classes(pod_stats([merged_pod(0, 0, document)])).classes
    assert denied.requests == tuple(
        RequestErrors(request=f"LIST https://api/{number}", count=number)
        for number in range(12, 2, -1)
    )
    assert (denied.count, denied.more_requests) == (78, 2)


def test_the_requests_of_a_class_are_unknown_without_raw_data() -> None:
    document = flat(errors=2, raw=False, total=0)
    (denied,) = error_classes(pod_stats([merged_pod(0, 0, document)])).classes
    assert (denied.count, denied.requests, denied.more_requests) == (2, (), 0)
