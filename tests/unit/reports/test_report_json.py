"""The JSON of a merged report: every key, and text that any terminal can print."""

from __future__ import annotations

import json
from dataclasses import replace

from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport, to_json
from mrunners.reports.outcomes import MissingReason
from tests.factories import (
    RUN,
    RUN_ID,
    Json,
    flat,
    merged_pod,
    missing_pod,
    traffic,
)

FAILED = missing_pod(1, 0, MissingReason.KPERF_FAILED, "exit 1")


def as_json(report: MergedReport) -> Json:
    document = json.loads(to_json(report))
    assert isinstance(document, dict)
    return document


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
    assert as_json(
        merge(RUN, RUN_ID, [FAILED, pod], targets=targets, traffic_by_us=traffic(12))
    ) == {
        **summary,
        "schema": "mrunners.report/v1",
        "tracker": "mrunners",
        "namespace": "load",
        "run": RUN_ID,
        "provenance": None,
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
        "trafficByUs": {"list": {"requests": 12, "sentBytes": 0, "receivedBytes": 24000}},
        "overlapSeconds": 10.0,
        "objectives": [],
        "findings": [
            {
                "severity": "error",
                "kind": "errors",
                "text": "1 of 2 requests failed (50%), all with http/403, in 1 pod on 1 node; all "
                "of these were LIST /pods",
                "advice": "grant the runners' ServiceAccount these requests (examples/rbac.yaml), "
                "or choose another one",
            },
            {
                "severity": "warning",
                "kind": "client-limit",
                "text": "the runners were the limit, not the server: mrunners-0 (0.2 of 40.0 "
                "requests/s, clients 1.3% busy)",
                "advice": "use more pods (?numbers=) or nodes with more CPU; this rate says "
                "nothing about the server",
            },
        ],
        "throughput": {
            "wallSeconds": 10.0,
            "successesPerSecond": 0.1,
            "targetPerSecond": None,
            "achievedPerSecond": 0.2,
            "jobs": [
                {
                    "job": "mrunners-0",
                    "pods": 1,
                    "targetPerSecond": 40.0,
                    "wallSeconds": 10.0,
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
                    "wallSeconds": None,
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
                    "requests": [{"request": "LIST https://api/pods", "count": 1}],
                    "moreRequests": 0,
                }
            ],
            "moreClasses": 0,
            "moreErrors": 0,
        },
        "errorsByURL": {"LIST https://api/pods": 1},
        "errorTimeline": {
            "start": "2026-01-02T03:04:05Z",
            "bucketSeconds": 1,
            "counts": [1, *[0] * 9],
            "undated": 0,
        },
        "resources": [],
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


def test_a_report_can_be_read_back_from_its_json() -> None:
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, flat(errors=2)), FAILED], raw=True)
    assert MergedReport.model_validate_json(to_json(report)) == report


def test_raw_data_is_left_out_unless_requested() -> None:
    document = as_json(merge(RUN, RUN_ID, [merged_pod(0, 0, flat(errors=1))]))
    assert not {"latenciesByURL", "errors"} & set(document)


def test_the_json_ends_with_a_newline_and_is_ascii() -> None:
    text = to_json(merge(RUN, RUN_ID, [merged_pod(0, 0, flat({"GET \u202e\x9b\u00e9": [0.1]}))]))
    assert text.endswith("}\n")
    assert text.isascii()
    assert "\x1b" not in text


def test_a_lone_surrogate_from_a_command_line_does_not_lose_the_report() -> None:
    pod = merged_pod(0, 0, flat(), uri="file:///caf\udce9?numbers=1", node="\U0001f600")
    document = to_json(merge(RUN, RUN_ID, [pod]))
    assert document == to_json(
        merge(RUN, RUN_ID, [replace(pod, uri="file:///caf\ufffd?numbers=1")])
    )
    assert document.isascii()
