"""The run that docs/report.md explains line by line: each of the usual problems, once."""

from __future__ import annotations

from dataclasses import replace

from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason, PodOutcome
from tests.factories import RUN, RUN_ID, failures, flat, merged_pod, missing_pod, traffic

LIST = "LIST https://10.0.0.1:6443/api/v1/pods?limit=500"
GET = "GET https://10.0.0.1:6443/api/v1/namespaces/load/configmaps/x"

RESET = "connection/read tcp 10.244.{n}.7:5191{n}->10.0.0.1:443: read: connection reset by peer"


def guide_report() -> MergedReport:
    """Return the report: six pods LIST, two GET without a rate, two cannot reach their rate.

    One report is missing.
    """
    lists = [_lists(index) for index in range(6)]
    gets = [_gets(index) for index in range(2)]
    slow = [_too_few(index) for index in range(2)]
    lists[5] = missing_pod(0, 5, MissingReason.TRUNCATED, "the log's head is missing")
    targets = {
        "mrunners-0": TargetLoad(20.0, 10),
        "mrunners-1": TargetLoad(None, 2),
        "mrunners-2": TargetLoad(500.0, 50),
    }
    pods = [
        replace(pod, image_id=f"ghcr.io/azure/kperf@sha256:{'5d' if pod.job_index < 2 else '91'}…")
        for pod in (*lists, *gets, *slow)
    ]
    return merge(RUN, RUN_ID, pods, targets=targets, traffic_by_us=traffic(31))


def _lists(index: int) -> PodOutcome:
    """Job 0: 20 requests a second for a minute; node-3 is slow, and the last pods start late."""
    factor = 6 if index == 3 else 1
    samples = [factor * (0.05 + 0.0001 * (n % 100)) for n in range(1200)]
    return merged_pod(
        0,
        index,
        flat({LIST: samples}, duration="1m0s", received=90_000_000),
        uri="file:///load/list.yaml?numbers=6",
        second=9 if index == 4 else 0,
        lasting=60,
    )


def _gets(index: int) -> PodOutcome:
    """Job 1: as fast as two clients can; some answers are 429, some connections break."""
    document = flat({GET: [0.012] * 9000}, errors=120 + index, duration="1m0s", received=4_000_000)
    reset = RESET.format(n=index)
    document["errorStats"] = {"http/429": 117, reset: 3 + index}
    document["errors"] = [
        *failures(GET, "http/429", 117, second=20, every=0.1, lasting=0.05),
        *failures(GET, reset, 3 + index, second=45, lasting=0.05),
    ]
    return merged_pod(1, index, document, uri="file:///load/get.yaml?numbers=2", lasting=60)


def _too_few(index: int) -> PodOutcome:
    """Job 2: 500 requests a second were the target of nodes that can send 300."""
    document = flat({GET: [0.004] * 18_000}, duration="1m0s", received=8_000_000)
    return merged_pod(2, index, document, uri="file:///load/fast.yaml?numbers=2", lasting=60)
