"""Merged reports of a large run and of one with hostile text, merged by the real merge.

The seed is fixed, so that a failure can be reproduced.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from mrunners.refs import RunRef
from mrunners.reports.latency_column import LatencyColumn
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.reports.provenance import ProfileCopy, RunFacts
from mrunners.reports.samples import KperfReport, RequestError
from tests.factories.frames import RUN_ID
from tests.factories.outcomes import RUN, traffic

SERVER = "https://kube-apiserver.example.internal:6443"
_START = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

# (request, median seconds, spread of its logarithm), by runner.
PROFILES = (
    (
        "list-pods",
        (f"LIST {SERVER}/api/v1/pods?limit=500&resourceVersion=0&timeout=1m0s", 0.085, 0.55),
        (f"LIST {SERVER}/api/v1/namespaces/default/pods?timeout=1m0s", 0.021, 0.5),
    ),
    (
        "get-configmaps",
        (f"GET {SERVER}/api/v1/namespaces/default/configmaps/kube-root-ca.crt", 0.0031, 0.4),
    ),
    (
        "churn",
        (f"PUT {SERVER}/api/v1/namespaces/load/configmaps/runner-data", 0.0088, 0.6),
        (f"PATCH {SERVER}/apis/apps/v1/namespaces/load/deployments/web/scale", 0.013, 0.7),
    ),
    (
        "watch-lists",
        (f"WATCHLIST {SERVER}/api/v1/namespaces/load/events?timeoutSeconds=30", 0.41, 0.45),
    ),
)

IMAGE_ID = f"ghcr.io/azure/kperf@sha256:{'5eed' * 16}"
_PROFILE = """\
version: 1
description: {}
spec:
  rate: 20
  total: 1200
  conns: 2
  client: 10
  contentType: json
"""

MISSING = (
    (MissingReason.TRUNCATED, "the log's head is missing"),
    (MissingReason.NOT_STARTED, "ImagePullBackOff ghcr.io/azure/kperf:0.3.5"),
    (MissingReason.DISRUPTED, "evicted: the node was low on resource: memory"),
    (MissingReason.KPERF_FAILED, "exit 1"),
    (MissingReason.POD_GONE, ""),
)


def large_report(pods: int = 1000, nodes: int = 240, samples: int = 120) -> MergedReport:
    """Return a report with slow nodes, late starts, errors of several classes and missing pods."""
    rng = random.Random(20260314)
    outcomes = []
    pods_per_job = pods // len(PROFILES)
    for number in range(pods):
        job, index = divmod(number, pods_per_job)
        outcomes.append(_pod(rng, min(job, len(PROFILES) - 1), index, number % nodes, samples))
    facts = RunFacts(
        image="ghcr.io/azure/kperf:0.3.5",
        kperf_release="v0.3.5",
        server_version="v1.37.2",
        node_count=nodes + 3,
        profiles=tuple(
            ProfileCopy(digest=str(job) * 64, jobs=(f"mrunners-{job}",), text=_PROFILE.format(name))
            for job, (name, *_) in enumerate(PROFILES)
        ),
        options={"spread": "prefer", "report": "framed", "node-log-limit": "10Mi"},
        labels={"team": "platform", "experiment": "etcd-3.7"},
    )
    return merge(RUN, RUN_ID, outcomes, facts=facts, traffic_by_us=traffic(1893))


def _pod(rng: random.Random, job: int, index: int, node_number: int, samples: int) -> PodOutcome:
    name, *requests = PROFILES[job]
    node = f"aks-runners-31942170-vmss{node_number:06x}"
    started = _START + timedelta(seconds=int(rng.expovariate(0.25)) + 2 * job)
    report: KperfReport | None = None
    missing, detail = None, ""
    draw = rng.random()
    if draw < 0.035:
        missing, detail = MISSING[int(draw / 0.035 * len(MISSING))]
    else:
        slow = 2.8 if node_number in {17, 93, 171} else 1.0
        report = _report(rng, requests, samples, started, slow=slow)
    seconds = 60 + int(rng.expovariate(0.4)) + (25 if node_number == 93 else 0)
    never_ran = missing is MissingReason.NOT_STARTED
    return PodOutcome(
        job=f"mrunners-{job}",
        job_index=job,
        uri=f"file:///etc/load/{name}.yaml?numbers=250",
        index=index,
        pod=f"mrunners-{job}-{index}-{rng.getrandbits(24):06x}",
        node=node,
        image_id="" if never_ran else IMAGE_ID,
        started_at=None if never_ran else started,
        finished_at=None if never_ran else started + timedelta(seconds=seconds),
        exit_code=None if never_ran else 1 if missing else 0,
        report=report,
        missing=missing,
        detail=detail,
    )


def _report(
    rng: random.Random,
    requests: list[tuple[str, float, float]],
    samples: int,
    started: datetime,
    *,
    slow: float,
) -> KperfReport:
    all_failed = rng.random() < 0.004
    latencies = {
        url: LatencyColumn.of(
            sorted(median * slow * rng.lognormvariate(0, spread) for _ in range(samples))
        )
        for url, median, spread in requests
        if not all_failed
    }
    errors: dict[str, int] = {}
    if all_failed:
        errors["http/403"] = samples
    elif rng.random() < 0.3:
        errors["http/429"] = rng.randint(1, 40)
        if rng.random() < 0.2:
            errors["connection/read tcp 10.244.3.7:51914->10.0.0.1:443: i/o timeout"] = 2
            errors[f"http2-protocol/stream error: stream ID {rng.randint(1, 9)}; GOAWAY"] = 1
    count = sum(map(len, latencies.values()))
    return KperfReport(
        total=count + sum(errors.values()),
        duration_ns=60_000_000_000 + rng.randint(0, 3_000_000_000),
        samples=count,
        error_stats=errors,
        errors=_errors(errors, requests, started),
        received_bytes=count * 48_123,
        latencies_by_url=latencies,
        percentiles=None,
        percentiles_by_url={},
    )


def _errors(
    stats: dict[str, int], requests: list[tuple[str, float, float]], started: datetime
) -> tuple[RequestError, ...]:
    """Return the failed requests: half a second apart, of each request in turn."""
    keys = [key for key, count in stats.items() for _ in range(count)]
    errors = []
    for number, key in enumerate(keys):
        kind, _, message = key.partition("/")
        method, _, url = requests[number % len(requests)][0].partition(" ")
        moment = started + timedelta(seconds=20 + number / 2)
        code, message = (int(message), "") if kind == "http" else (0, message)
        errors.append(RequestError(method, url, moment.isoformat(), 0.01, kind, code, message))
    return tuple(errors)


HOSTILE = (
    "<script>document.title='pwned'</script>",
    "</script><img src=https://evil.example/x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "]]> --> </style></svg></title> <!-- {{ 7*7 }} {% raw %}",
    "\x1b]0;pwned\x07\x1b[2J\r\n\x00",
    "abc\u202etxt.exe\u2066\u200b\ufeff\ud800",
    "$\\frac{1}{0}$ & ' \" ` ${x}",
    "日本語 مرحبا e\u0301\u0301\u0301\U0001f600",
    "A" * 1_000_000,
    "https://" + "x/" * 500_000,
)


def hostile_report() -> MergedReport:
    """Return a report in which every text that comes from outside is hostile."""
    outcomes = []
    for number, text in enumerate(HOSTILE):
        samples = LatencyColumn.of([0.001, 0.01 * (number + 1)])
        report = KperfReport(
            total=3,
            duration_ns=10**10,
            samples=2,
            error_stats={f"unknown/{text}": 1},
            errors=(RequestError("GET", text, "2026-01-02T03:04:05Z", 0.1, "unknown", 0, text),),
            received_bytes=10,
            latencies_by_url={f"GET https://api/{text}": samples},
            percentiles=None,
            percentiles_by_url={},
            unknown_keys=(text,),
        )
        is_missing = number % 3 == 2
        outcomes.append(
            PodOutcome(
                job=f"job-{text}",
                job_index=number,
                uri=f"file:///{text}?numbers=1",
                index=0,
                pod=f"pod-{text}",
                node=f"node-{text}",
                started_at=_START,
                finished_at=_START + timedelta(seconds=10),
                exit_code=0,
                image_id=text,
                report=None if is_missing else report,
                missing=MissingReason.NOT_STARTED if is_missing else None,
                detail=text if is_missing else "",
            )
        )
    facts = RunFacts(
        image=HOSTILE[0],
        kperf_release=HOSTILE[1],
        server_version=HOSTILE[2],
        node_count=1,
        profiles=tuple(
            ProfileCopy(digest=text, jobs=(text, text), text=f"{text}\n{text}") for text in HOSTILE
        ),
        options=dict(zip(HOSTILE, reversed(HOSTILE), strict=True)),
        labels=dict(zip(HOSTILE, HOSTILE, strict=True)),
    )
    return merge(RunRef(HOSTILE[0], HOSTILE[2]), HOSTILE[1], outcomes, facts=facts)
