"""Logs and reports for the tests, built by hand and not by the code under test."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from datetime import UTC, datetime, timedelta

from mrunners.reports.frame import FrameAddress
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.outcomes import MissingReason, PodOutcome, RunIdentity

RUN_ID = "0b6a1e5e-8f43-5f1b-9a53-0d0f8a3f1c11"
ADDRESS = FrameAddress(run_id=RUN_ID, job="mrunners-1", index=2, pod="mrunners-1-2-abcde")
RUN = RunIdentity(namespace="load", tracker="mrunners", run_id=RUN_ID)
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Json = dict[str, object]


def begin_line(raw: bytes, body: bytes, **changes: object) -> bytes:
    facts: dict[str, object] = {
        "run": ADDRESS.run_id,
        "job": ADDRESS.job,
        "index": ADDRESS.index,
        "pod": ADDRESS.pod,
        "bytes": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "encoding": "gzip+base64",
        "encoded": len(body),
    }
    facts.update(changes)
    return b"mrunners-report begin v1 " + _words(facts)


def end_line(raw: bytes, **changes: object) -> bytes:
    facts: dict[str, object] = {
        "run": ADDRESS.run_id,
        "job": ADDRESS.job,
        "index": ADDRESS.index,
        "sha256": hashlib.sha256(raw).hexdigest(),
    }
    facts.update(changes)
    return b"mrunners-report end v1 " + _words(facts)


def _words(facts: dict[str, object]) -> bytes:
    return " ".join(f"{key}={value}" for key, value in facts.items()).encode()


def body_of(raw: bytes) -> bytes:
    return base64.b64encode(gzip.compress(raw, mtime=0))


def folded(body: bytes, width: int = 4000) -> list[bytes]:
    return [body[at : at + width] for at in range(0, len(body), width)]


def framed(raw: bytes, *, body: bytes | None = None, **changes: object) -> bytes:
    """A log with one frame; `changes` alter the begin line alone."""
    body = body_of(raw) if body is None else body
    lines = [b"", begin_line(raw, body, **changes), *folded(body), end_line(raw), b""]
    return b"\n".join(lines)


def percentiles(samples: list[float]) -> list[list[float]]:
    """kperf's rule, written again the plain way."""
    ordered = sorted(samples)
    result = []
    for p in (0, 0.5, 0.9, 0.95, 0.99, 1):
        product = len(ordered) * p
        index = int(product) if product == int(product) else int(product) + 1
        result.append([p, ordered[max(index - 1, 0)]])
    return result


def flat(
    latencies: dict[str, list[float]] | None = None,
    *,
    errors: int = 0,
    total: int | None = None,
    duration: str = "10s",
    received: int = 1000,
    raw: bool = True,
) -> Json:
    """A flat report as kperf prints it."""
    latencies = {"LIST https://api/pods": [0.001, 0.002, 0.25]} if latencies is None else latencies
    pooled = [sample for samples in latencies.values() for sample in samples]
    document: Json = {
        "total": len(pooled) + errors if total is None else total,
        "duration": duration,
        "totalReceivedBytes": received,
    }
    if errors:
        document["errorStats"] = {"http/403": errors}
        if raw:
            document["errors"] = [error() for _ in range(errors)]
    if pooled:
        document["percentileLatencies"] = percentiles(pooled)
        document["percentileLatenciesByURL"] = {u: percentiles(s) for u, s in latencies.items()}
        if raw:
            document["latenciesByURL"] = {url: sorted(s) for url, s in latencies.items()}
    return document


def error(**changes: object) -> Json:
    return {
        "method": "LIST",
        "url": "https://api/pods",
        "timestamp": "2026-01-02T03:04:05.123456789Z",
        "duration": 0.01,
        "type": "http",
        "code": 403,
        "message": "",
        **changes,
    }


def multi(*specs: Json, aggregated: Json) -> Json:
    return {"perSpecResults": list(specs), "aggregated": aggregated}


def printed(document: Json) -> bytes:
    return json.dumps(document, indent=2).encode() + b"\n"


def merged_pod(
    job_index: int,
    index: int,
    document: Json,
    *,
    uri: str | None = None,
    node: str | None = None,
    second: float = 0,
    lasting: float = 10,
) -> PodOutcome:
    return PodOutcome(
        job=f"mrunners-{job_index}",
        job_index=job_index,
        uri=uri or f"file:///load/{job_index}.yaml?numbers=2",
        index=index,
        pod=f"mrunners-{job_index}-{index}-abcde",
        node=node or f"node-{index}",
        started_at=START + timedelta(seconds=second),
        finished_at=START + timedelta(seconds=second + lasting),
        exit_code=0,
        report=parse_report(printed(document)),
    )


def missing_pod(
    job_index: int, index: int, reason: MissingReason, detail: str = "", exit_code: int | None = 1
) -> PodOutcome:
    return PodOutcome(
        job=f"mrunners-{job_index}",
        job_index=job_index,
        uri=f"file:///load/{job_index}.yaml?numbers=2",
        index=index,
        pod=f"mrunners-{job_index}-{index}-abcde",
        node=f"node-{index}",
        started_at=START,
        finished_at=START + timedelta(seconds=1),
        exit_code=exit_code,
        missing=reason,
        detail=detail,
    )
