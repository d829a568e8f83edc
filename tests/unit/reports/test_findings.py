"""What a person is told about a run: whole sentences, the most serious first, never hostile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mrunners.reports.analysis.finding import Finding, FindingKind, Severity
from mrunners.reports.analysis.nodes import NodeSummary
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.merge import merge
from mrunners.reports.outcomes import MissingReason, PodOutcome
from tests.unit.reports.build import RUN, error, flat, merged_pod, missing_pod, percentiles


def findings(outcomes: list[PodOutcome], **asked: TargetLoad) -> list[tuple[str, str, str]]:
    loads = {name.replace("_", "-"): load for name, load in asked.items()}
    found = merge(RUN, outcomes, asked=loads).findings
    return [(finding.severity.value, finding.kind.value, finding.text) for finding in found]


def failing(key: str, count: int, *, of: int, index: int = 0) -> PodOutcome:
    document = flat({"LIST a": [0.01] * (of - count)}, errors=count)
    document["errorStats"] = {key: count}
    document["errors"] = [error() for _ in range(count)]
    return merged_pod(0, index, document)


def test_a_run_in_which_all_went_well_has_no_finding() -> None:
    pods = [merged_pod(0, index, flat({"LIST a": [0.01] * 100})) for index in range(6)]
    assert findings(pods, mrunners_0=TargetLoad(10.0, 1)) == []


@pytest.mark.parametrize(
    ("failed", "severity", "share"),
    [(1, "info", "0.1%"), (9, "info", "0.9%"), (10, "warning", "1.0%"), (500, "error", "50%")],
)
def test_errors_weigh_by_their_share(failed: int, severity: str, share: str) -> None:
    assert findings([failing("http/429", failed, of=1000)]) == [
        (
            severity,
            "errors",
            f"{failed} of 1,000 requests failed ({share}), all with http/429, in 1 pod on 1 node",
        )
    ]


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
        ("http/403", "--service-account"),
        ("http/429", "Priority and Fairness"),
        ("http/418", "audit log"),
        ("connection/reset", "load balancers"),
        ("http2-protocol/GOAWAY", "HTTP/2"),
        ("unknown/timeout", "60 s"),
    ],
)
def test_each_class_of_errors_has_its_advice(key: str, advice: str) -> None:
    assert advice in merge(RUN, [failing(key, 1, of=10)]).findings[0].advice


def test_runners_that_were_the_limit_are_told_once_for_all_jobs() -> None:
    pods = [merged_pod(job, 0, flat({"LIST a": [0.01] * 50})) for job in range(5)]
    loads = {f"mrunners_{job}": TargetLoad(10.0, 2) for job in range(5)}
    assert findings(pods, **loads) == [
        (
            "warning",
            "client-limit",
            "the runners were the limit, not the server: "
            "mrunners-0 (5.0 of 10.0 requests/s, clients 2.5% busy), "
            "mrunners-1 (5.0 of 10.0 requests/s, clients 2.5% busy), "
            "mrunners-2 (5.0 of 10.0 requests/s, clients 2.5% busy) and 2 more",
        )
    ]


def test_clients_that_all_waited_are_a_warning_beside_a_rate_and_a_note_without() -> None:
    pods = [merged_pod(job, 0, flat({"LIST a": [0.1] * 95})) for job in range(2)]
    found = findings(pods, mrunners_0=TargetLoad(None, 1), mrunners_1=TargetLoad(20.0, 1))
    assert found == [
        (
            "warning",
            "answers-limit",
            "the rate was not reached, for all clients waited for answers: "
            "mrunners-1 (9.5 of 20.0 requests/s, clients 95% busy)",
        ),
        (
            "info",
            "answers-limit",
            "no rate was asked, so the number of clients set the pace: "
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


def test_a_host_whose_pods_all_stand_out_is_named_before_the_pods() -> None:
    assert findings(slow_run()) == [
        (
            "warning",
            "slow-node",
            "on 1 node most pods stand out from their siblings elsewhere: node-2 (2 of 2 pods)",
        ),
        (
            "warning",
            "straggler",
            "2 pods stand out from siblings by p99 latency: "
            "mrunners-0 index 2 on node-2 (100ms, median 10ms), "
            "mrunners-1 index 2 on node-2 (100ms, median 10ms)",
        ),
    ]


def test_each_host_has_exact_figures_over_its_pods() -> None:
    slow = [0.1] * 200
    assert merge(RUN, slow_run()).nodes[2] == NodeSummary(
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


def test_a_host_with_missing_pods_alone_is_listed_and_one_never_assigned_is_not() -> None:
    gone = missing_pod(0, 1, MissingReason.POD_GONE)
    nowhere = replace(missing_pod(0, 2, MissingReason.NOT_STARTED), node=None)
    assert merge(RUN, [gone, nowhere]).nodes == (
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


@pytest.mark.parametrize(("second", "told"), [(1, False), (2, True), (20, True)])
def test_a_late_start_is_told_when_it_is_a_fair_part_of_the_load(second: int, told: bool) -> None:
    pods = [merged_pod(0, 0, flat()), merged_pod(0, 1, flat(), second=second)]
    report = merge(RUN, pods)
    assert report.overlap_seconds == max(10 - second, 0)
    assert [pod.start_lag_seconds for pod in report.runners[0].pods] == [0, second]
    text = f"pods started within {second}s and loaded for about 10s; all of them together for "
    expected = [("warning", "start-skew", f"{text}{max(10 - second, 0)}s")] if told else []
    assert findings(pods) == expected


def test_the_overlap_is_unknown_when_an_end_is() -> None:
    pod = replace(merged_pod(0, 0, flat()), finished_at=None)
    assert merge(RUN, [pod]).overlap_seconds is None
    assert merge(RUN, [missing_pod(0, 0, MissingReason.FAILED)]).overlap_seconds is None


def test_a_skew_of_clocks_alone_makes_no_negative_overlap() -> None:
    late = merged_pod(0, 1, flat(), second=60)
    early = merged_pod(0, 0, flat())
    backwards = replace(late, finished_at=late.started_at and late.started_at - timedelta(1))
    assert merge(RUN, [early, backwards]).overlap_seconds == 0.0


def test_the_most_serious_finding_comes_first() -> None:
    pods = [failing("http/500", 60, of=100), failing("http/500", 60, of=100, index=1)]
    pods[1] = replace(
        pods[1], started_at=pods[1].started_at and pods[1].started_at + timedelta(0, 9)
    )
    kinds = [kind for _, kind, _ in findings(pods)]
    assert kinds == ["errors", "start-skew"]


def test_hostile_names_are_shown_and_not_obeyed() -> None:
    evil = "\x1b[2J\n" + "x" * 1_000_000
    pods = [
        replace(pod, node=evil, job=f"{pod.job_index}{evil}")
        for pod in [*slow_run(), failing(evil, 1, of=2, index=9)]
    ]
    found = merge(RUN, pods, asked={f"0{evil}": TargetLoad(1000.0, 5)}).findings
    assert {finding.kind for finding in found} >= {FindingKind.ERRORS, FindingKind.CLIENT_LIMIT}
    assert all(f.text.isprintable() and len(f.text) < 2000 for f in found)


def test_a_finding_is_a_record_of_two_lines() -> None:
    assert merge(RUN, [failing("http/429", 1, of=1000)]).findings == (
        Finding(
            severity=Severity.INFO,
            kind=FindingKind.ERRORS,
            text="1 of 1,000 requests failed (0.1%), all with http/429, in 1 pod on 1 node",
            advice="the API server shed load (API Priority and Fairness): that is its answer, "
            "and their latencies are not in the percentiles",
        ),
    )
