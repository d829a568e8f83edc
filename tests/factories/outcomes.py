"""Outcomes of planned pods, whose reports go through the real parser."""

from __future__ import annotations

from datetime import timedelta

from mrunners.refs import RunRef
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.reports.traffic import Traffic, VerbTraffic
from tests.factories.reports import START, Json, printed

RUN = RunRef("load", "mrunners")


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
    """Return the outcome of a pod with a report.

    Its container started `second` seconds after START and ran for `lasting` seconds.
    """
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
    """Return the outcome of a pod whose report is missing."""
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


def traffic(requests: int) -> Traffic:
    """Return so many LISTs, each answered with 2,000 bytes."""
    lists = VerbTraffic(requests=requests, sent_bytes=0, received_bytes=2000 * requests)
    return {"list": lists}
