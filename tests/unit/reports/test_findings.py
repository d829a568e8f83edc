"""Findings: whole sentences, the most serious first, printable whatever the input."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mrunners.reports.analysis.finding import Finding, FindingKind, Severity
from mrunners.reports.analysis.node_summaries import NodeSummary
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.merge import merge
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.reports.provenance import RunFacts
from tests.factories import RUN, RUN_ID, error, flat, merged_pod, missing_pod, percentiles


def findings(outcomes: list[PodOutcome], **targets: TargetLoad) -> list[tuple[str, str, str]]:
    by_job = {name.replace("_", "-"): target for name, target in targets.items()}
    report = merge(RUN, RUN_ID, outcomes, targets=by_job)
    return [(f.severity.value, f.kind.value, f.text) for f in report.findings]


def failing(key: str, count: int, *, of: int, index: int = 0) -> PodOutcome:
    document = flat({"LIST a": [0.01] * (of - count)}, errors=count)
    document["errorStats"] = {key: count}
    document["errors"] = [error() for _ in range(count)]
    return merged_pod(0, index, document)


def test_a_run_without_problems_has_no_finding() -> None:
    pods = [merged_pod(0, index, flat({"LIST a": [0.01] * 100})) for index in range(6)]
    assert findings(pods, mrunners_0=TargetLoad(10.0, 1)) == []


@pytest.mark.parametrize(
    ("failed", "severity", "share"),
    [(1, "info", "0.1%"), (9, "info", "0.9%"), (10, "warning", "1.0%"), (500, "error", "50%")],
)
def test_the_severity_of_errors_depends_on_their_share(
    failed: int, severity: str, share: str
) -> None:
    assert findings([failing("http/429", failed, of=1000)]) == [
        (
            severity,
            "errors",
            f"{failed} of 1,000 requests failed ({share}), all with http/429, in 1 pod on 1 node",
        )
    ]


def test_a_small_job_that_fails_is_not_hidden_by_a_large_one() -> None:
    large = merged_pod(0, 0, flat({"LIST a": [0.01] * 10_000}))
    document = flat({"LIST a": [0.01] * 11}, errors=89)
    assert findings([large, merged_pod(1, 0, document)]) == [
        (
            "error",
            "errors",
            "89 of 10,100 requests failed (0.88%), all with http/403, in 1 pod on 1 node; all of "
            "these were LIST /pods; in mrunners-1, 89 of 100 failed (89%)",
        )
    ]


def test_a_request_that_never_succeeds_is_a_warning_however_rare_it_is() -> None:
    document = flat({"LIST a": [0.01] * 9_990}, errors=10)
    assert findings([merged_pod(0, 0, document)]) == [
        (
            "warning",
            "errors",
            "10 of 10,000 requests failed (0.1%), all with http/403, in 1 pod on 1 node; all of "
            "these were LIST /pods, which never succeeded",
        )
    ]
    with_success = flat({"LIST a": [0.01] * 9_989, f"LIST {error()['url']}": [0.01]}, errors=10)
    assert [severity for severity, _, _ in findings([merged_pod(0, 0, with_success)])] == ["info"]


def test_of_several_classes_the_most_frequent_is_named_with_its_count() -> None:
    pods = [failing("http/429", 3, of=10), failing("unknown/i/o timeout 7", 2, of=10, index=1)]
    assert findings(pods)[0][2] == (
        "5 of 20 requests failed (25%), most often with http/429 (3), in 1 pod on 1 node"
    )


def test_where_the_number_of_requests_is_unknown_errors_are_a_warning_without_a_share() -> None:
    pod = merged_pod(0, 0, flat(errors=3, raw=False, total=0))
    assert findings([pod]) == [
        ("warning", "errors", "3 requests failed, all with http/403, in 1 pod on 1 node")
    ]


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        ("http/403", "ServiceAccount"),
        ("http/429", "Priority and Fairness"),
        ("http/418", "audit log"),
        ("connection/reset", "load balancers"),
        ("http2-protocol/GOAWAY", "HTTP/2"),
        ("unknown/timeout", "60 s"),
    ],
)
def test_each_class_of_errors_has_its_own_advice(key: str, advice: str) -> None:
    assert advice in merge(RUN, RUN_ID, [failing(key, 1, of=10)]).findings[0].advice


def test_runners_that_were_the_limit_are_one_finding_for_all_jobs() -> None:
    pods = [merged_pod(job, 0, flat({"LIST a": [0.01] * 50})) for job in range(5)]
    targets = {f"mrunners_{job}": TargetLoad(10.0, 2) for job in range(5)}
    assert findings(pods, **targets) == [
        (
            "warning",
            "client-limit",
            "the runners were the limit, not the server: "
            "mrunners-0 (5.0 of 10.0 requests/s, clients 2.5% busy), "
            "mrunners-1 (5.0 of 10.0 requests/s, clients 2.5% busy), "
            "mrunners-2 (5.0 of 10.0 requests/s, clients 2.5% busy) and 2 more",
        )
    ]


def test_clients_that_all_waited_are_a_warning_with_a_rate_limit_and_an_info_without() -> None:
    pods = [merged_pod(job, 0, flat({"LIST a": [0.1] * 95})) for job in range(2)]
    targets = {"mrunners_0": TargetLoad(None, 1), "mrunners_1": TargetLoad(20.0, 1)}
    assert findings(pods, **targets) == [
        (
            "warning",
            "answers-limit",
            "the target rate was not reached because all clients were waiting for answers: "
            "mrunners-1 (9.5 of 20.0 requests/s, clients 95% busy)",
        ),
        (
            "info",
            "answers-limit",
            "no rate limit was set, so the number of clients set the pace: "
            "mrunners-0 (9.5 requests/s, clients 95% busy)",
        ),
    ]


def slow_run() -> list[PodOutcome]:
    """Two Jobs of six pods on three nodes; what runs on node-2 is ten times slower."""
    return [
        merged_pod(
            job,
            index,
            flat({"LIST a": [(0.1 if index % 3 == 2 and index < 3 else 0.01 + index / 1e4)] * 100}),
            node=f"node-{index % 3 if index < 3 else index % 2}",
        )
        for job in range(2)
        for index in range(6)
    ]


def test_a_node_whose_pods_are_all_stragglers_is_named_before_the_pods() -> None:
    assert findings(slow_run()) == [
        (
            "warning",
            "slow-node",
            "most pods on 1 node are stragglers: node-2 (2 of 2 pods)",
        ),
        (
            "warning",
            "straggler",
            "2 pods have a much higher p99 latency than their siblings: "
            "mrunners-0 index 2 on node-2 (100ms, median 10ms), "
            "mrunners-1 index 2 on node-2 (100ms, median 10ms)",
        ),
    ]


def test_each_node_has_exact_figures_over_its_pods() -> None:
    slow = [0.1] * 200
    assert merge(RUN, RUN_ID, slow_run()).nodes[2] == NodeSummary(
        node="node-2",
        pods=2,
        merged=2,
        stragglers=2,
        samples=200,
        errors=0,
        requests_per_second=20.0,
        received_bytes=2000,
        percentile_latencies=tuple((p, s) for p, s in percentiles(slow)),
    )


def test_a_node_with_only_missing_pods_is_listed_and_a_pod_never_scheduled_is_on_none() -> None:
    gone = missing_pod(0, 1, MissingReason.POD_GONE)
    nowhere = replace(missing_pod(0, 2, MissingReason.NOT_STARTED), node=None)
    assert merge(RUN, RUN_ID, [gone, nowhere]).nodes == (
        NodeSummary(
            node="node-1",
            pods=1,
            merged=0,
            stragglers=0,
            samples=0,
            errors=0,
            requests_per_second=0.0,
            received_bytes=0,
            percentile_latencies=(),
        ),
    )


@pytest.mark.parametrize(
    ("second", "severity"),
    [(1, None), (2, "warning"), (7, "warning"), (8, "error"), (20, "error")],
)
def test_a_late_start_is_serious_by_how_much_of_the_load_the_pods_did_not_send_together(
    second: int, severity: str | None
) -> None:
    pods = [merged_pod(0, 0, flat()), merged_pod(0, 1, flat(), second=second)]
    report = merge(RUN, RUN_ID, pods)
    assert report.overlap_seconds == max(10 - second, 0)
    assert [pod.start_lag_seconds for pod in report.runners[0].pods] == [0, second]
    text = (
        f"pods started within {second}s of each other and sent load for about 10s; all of them at "
        f"the same time for {max(10 - second, 0)}s"
    )
    assert findings(pods) == ([(severity, "start-skew", text)] if severity else [])


def lasting(job: int, index: int, *, second: int, seconds: int) -> PodOutcome:
    """Return a merged pod that starts at a second and loads for so many."""
    pod = merged_pod(job, index, flat(duration=f"{seconds}s"), second=second)
    assert pod.started_at is not None
    return replace(pod, finished_at=pod.started_at + timedelta(0, seconds))


@pytest.mark.parametrize(
    ("pods", "severity"),
    [
        # A short Job within a long one has its whole load beside it.
        ([(0, 0, 0, 100), (1, 0, 20, 10)], "warning"),
        # A short Job before a long one has not.
        ([(0, 0, 12, 100), (1, 0, 0, 10)], "error"),
        # The pods of one Job are apart, although a short Job ran beside both.
        ([(0, 0, 0, 60), (0, 1, 50, 60), (1, 0, 52, 5)], "error"),
        # The pods of a short Job are apart, by little of what the long Job's pods take.
        ([(0, 0, 0, 600), (0, 1, 0, 600), (1, 0, 0, 20), (1, 1, 40, 20)], "error"),
        # All start together, and one ends long before the others.
        ([(0, 0, 0, 10), (0, 1, 0, 60), (0, 2, 0, 60)], "error"),
    ],
)
def test_the_overlap_is_compared_with_the_load_that_could_overlap(
    pods: list[tuple[int, int, int, int]], severity: str
) -> None:
    outcomes = [lasting(job, index, second=at, seconds=long) for job, index, at, long in pods]
    skews = [found for found in findings(outcomes) if found[1] == "start-skew"]
    assert [found[0] for found in skews] == [severity]


@pytest.mark.parametrize("seconds", [1, 3, 4])
def test_a_load_that_is_short_against_whole_seconds_is_not_said_to_have_run_apart(
    seconds: int,
) -> None:
    pods = [lasting(0, index, second=2 * index, seconds=seconds) for index in range(3)]
    assert [found[0] for found in findings(pods) if found[1] == "start-skew"] == ["warning"]


def test_a_pod_that_started_after_the_start_timeout_is_an_error() -> None:
    late = replace(
        missing_pod(0, 1, MissingReason.STARTED_LATE),
        detail="it started 6m after its Job; the start timeout is 5m",
        started_at=merged_pod(0, 0, flat(), second=360).started_at,
    )
    assert findings([merged_pod(0, 0, flat()), late]) == [
        (
            "error",
            "start-skew",
            "1 pod loaded the cluster after the start timeout, and its report is not merged: "
            f"{late.job} index 1 (it started 6m after its Job; the start timeout is 5m)",
        )
    ]


def test_the_overlap_is_unknown_when_an_end_time_is() -> None:
    pod = replace(merged_pod(0, 0, flat()), finished_at=None)
    assert merge(RUN, RUN_ID, [pod]).overlap_seconds is None
    assert merge(RUN, RUN_ID, [missing_pod(0, 0, MissingReason.FAILED)]).overlap_seconds is None


def test_clock_skew_never_makes_the_overlap_negative() -> None:
    late = merged_pod(0, 1, flat(), second=60)
    early = merged_pod(0, 0, flat())
    backwards = replace(late, finished_at=late.started_at and late.started_at - timedelta(1))
    assert merge(RUN, RUN_ID, [early, backwards]).overlap_seconds == 0.0


def test_pods_that_ran_different_images_are_a_warning() -> None:
    old, new = (f"ghcr.io/azure/kperf@sha256:{digit * 64}" for digit in "12")
    pods = [
        replace(merged_pod(0, index, flat()), image_id=new if index else old) for index in range(3)
    ]
    text = f"pods ran 2 different images: {new} in 2 pods, {old} in 1 pod"
    assert findings(pods) == [("warning", "several-images", text)]
    same = [replace(pod, image_id=old) for pod in pods]
    assert findings([*same, replace(missing_pod(0, 3, MissingReason.FAILED), image_id=new)]) == []


def test_pods_that_came_too_late_to_start_with_the_others_are_named() -> None:
    facts = RunFacts(image="kperf", start_at=merged_pod(0, 0, flat()).started_at)
    pods = [lasting(0, index, second=second, seconds=600) for index, second in enumerate((0, 1, 5))]
    report = merge(RUN, RUN_ID, pods, facts=facts)
    (finding,) = report.findings
    assert (finding.severity, finding.kind) == (Severity.INFO, FindingKind.START_SKEW)
    assert finding.text == (
        "1 of 3 pods began after the common start at 03:04:05 UTC: mrunners-0 index 2 on node-2 "
        "(5s late)"
    )
    assert merge(RUN, RUN_ID, pods[:2], facts=facts).findings == ()
    assert merge(RUN, RUN_ID, pods).findings == ()


def test_the_most_serious_finding_comes_first() -> None:
    pods = [failing("http/500", 60, of=100), failing("http/500", 60, of=100, index=1)]
    pods[1] = replace(
        pods[1], started_at=pods[1].started_at and pods[1].started_at + timedelta(0, 9)
    )
    kinds = [kind for _, kind, _ in findings(pods)]
    assert kinds == ["errors", "start-skew"]


def test_hostile_names_are_shown_but_not_interpreted() -> None:
    evil = "\x1b[2J\n" + "x" * 1_000_000
    pods = [
        replace(pod, node=evil, job=f"{pod.job_index}{evil}")
        for pod in [*slow_run(), failing(evil, 1, of=2, index=9)]
    ]
    report = merge(RUN, RUN_ID, pods, targets={f"0{evil}": TargetLoad(1000.0, 5)})
    kinds = {finding.kind for finding in report.findings}
    assert kinds >= {FindingKind.ERRORS, FindingKind.CLIENT_LIMIT}
    assert all(f.text.isprintable() and len(f.text) < 2000 for f in report.findings)


def test_a_finding_is_a_record_of_two_lines() -> None:
    assert merge(RUN, RUN_ID, [failing("http/429", 1, of=1000)]).findings == (
        Finding(
            severity=Severity.INFO,
            kind=FindingKind.ERRORS,
            text="1 of 1,000 requests failed (0.1%), all with http/429, in 1 pod on 1 node",
            advice="the API server rejected them to shed load (API Priority and Fairness); their "
            "latencies are not in the percentiles",
        ),
    )
