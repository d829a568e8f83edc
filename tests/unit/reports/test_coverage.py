"""The coverage and its verdict: every planned pod is merged or missing with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mrunners.reports.coverage import MissingPod, PodRef
from mrunners.reports.merge import merge
from mrunners.reports.outcomes import MissingReason
from tests.factories import (
    RUN,
    RUN_ID,
    START,
    flat,
    merged_pod,
    missing_pod,
)

FAILED = missing_pod(1, 0, MissingReason.KPERF_FAILED, "exit 1")


def test_a_pod_without_any_success_is_merged_counted_and_named() -> None:
    pods = [merged_pod(0, 0, flat()), merged_pod(0, 1, flat({}, errors=4))]
    report = merge(RUN, RUN_ID, pods)
    assert report.coverage.merged == 2
    assert report.error_stats == {"http/403": 4}
    assert report.coverage.nothing_succeeded == (
        PodRef(job="mrunners-0", index=1, pod="mrunners-0-1-abcde", node="node-1"),
    )
    assert not report.complete
    assert report.verdict == (
        "2 of 2 reports merged; nothing succeeded in 1 pod: mrunners-0 index 1; "
        "the figures are in doubt"
    )


def test_a_pod_that_sent_no_request_has_no_success_either() -> None:
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, flat()), merged_pod(0, 1, flat({}))])
    assert [pod.index for pod in report.coverage.nothing_succeeded] == [1]
    assert not report.complete


def test_the_verdict_of_a_complete_run_is_one_clause() -> None:
    pods = [merged_pod(job, index, flat()) for job in range(3) for index in range(2)]
    report = merge(RUN, RUN_ID, pods)
    assert (report.verdict, report.complete) == ("6 of 6 reports merged", True)


def test_the_verdict_names_the_missing_pod_and_the_reason() -> None:
    pods = [merged_pod(0, index, flat()) for index in range(5)]
    assert merge(RUN, RUN_ID, [*pods, FAILED]).verdict == (
        "5 of 6 reports merged; 1 missing: mrunners-1 index 0 (kperf-failed: exit 1)"
    )


def test_the_verdict_stays_one_line_whatever_is_missing() -> None:
    pods = [
        missing_pod(0, index, MissingReason.NOT_STARTED, f"\x1b[2J\n{index}" + "x" * 10**6)
        for index in range(50)
    ]
    verdict = merge(RUN, RUN_ID, pods).verdict
    assert verdict.isprintable()
    assert len(verdict) < 700
    assert verdict.endswith(" and 47 more")


def test_the_verdict_gives_a_reason_once_however_many_pods_have_it() -> None:
    pods = [
        missing_pod(0, 0, MissingReason.NOT_STARTED, "ErrImagePull"),
        FAILED,
        *(missing_pod(0, index, MissingReason.NOT_STARTED, "ErrImagePull") for index in (1, 2, 3)),
        missing_pod(2, 0, MissingReason.TRUNCATED),
        missing_pod(2, 1, MissingReason.DISRUPTED),
    ]
    assert merge(RUN, RUN_ID, pods).verdict == (
        "0 of 7 reports merged; 7 missing: mrunners-0 index 0, mrunners-0 index 1, mrunners-0 "
        "index 2 and 1 more (not-started: ErrImagePull), mrunners-1 index 0 (kperf-failed: exit "
        "1), mrunners-2 index 0 (truncated) and 1 more"
    )


def test_missing_pods_are_listed_with_job_and_index() -> None:
    assert merge(RUN, RUN_ID, [FAILED]).coverage.missing == (
        MissingPod(
            job="mrunners-1",
            index=0,
            pod="mrunners-1-0-abcde",
            node="node-0",
            reason=MissingReason.KPERF_FAILED,
            detail="exit 1",
        ),
    )


def test_an_outcome_has_either_a_report_or_a_reason() -> None:
    pod = merged_pod(0, 0, flat())
    with pytest.raises(ValueError, match="not both"):
        replace(pod, missing=MissingReason.TRUNCATED)
    with pytest.raises(ValueError, match="not both"):
        replace(pod, report=None)


def test_the_times_of_an_outcome_need_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        replace(FAILED, started_at=(START + timedelta(1)).replace(tzinfo=None))


def test_the_end_of_a_single_reason_is_not_cut_off() -> None:
    detail = (
        'FailedCreate: Error creating: Pod "mrunners-0-0-xw2lq" is invalid: '
        'spec.containers[0].resources.requests: Invalid value: "128Mi": must be less than or equal '
        "to memory limit of 64Mi"
    )
    pods = [missing_pod(0, index, MissingReason.NOT_STARTED, detail) for index in range(2)]
    assert merge(RUN, RUN_ID, pods).verdict == (
        "0 of 2 reports merged; 2 missing: mrunners-0 index 0, mrunners-0 index 1 "
        f"(not-started: {detail})"
    )
