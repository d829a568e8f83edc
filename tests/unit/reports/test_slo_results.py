"""Objectives are judged by the merged report, and what cannot be judged is not met."""

from __future__ import annotations

import pytest

from mrunners.errors import SloViolatedError
from mrunners.render.html.page import render_html
from mrunners.render.markdown import render_markdown
from mrunners.render.terminal.report_table import render_table
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.conclusion import Conclusion
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason
from mrunners.reports.slo import SloResult, SloStatus, parse_objective
from mrunners.reports.slo_results import judge, with_slo_results
from tests.factories import RUN, RUN_ID, flat, merged_pod, missing_pod

PODS = "LIST https://10.0.0.1:6443/api/v1/pods?limit=500"
PODS_OF_ONE = "LIST https://10.0.0.1:6443/api/v1/namespaces/load/pods"
GET = "GET https://10.0.0.1:6443/api/v1/namespaces/load/configmaps/x"


def report(*, missing: int = 0, target: float | None = 40.0) -> MergedReport:
    """Return 200 LISTs of all pods of up to 2 s, 80 of one namespace, and 1,000 GETs."""
    samples = {
        PODS: [0.01 * (number + 1) for number in range(200)],
        PODS_OF_ONE: [3.0] * 80,
        GET: [0.005] * 1000,
    }
    pods = [
        merged_pod(0, 0, flat(samples, errors=20), lasting=40),
        *(missing_pod(1, index, MissingReason.TRUNCATED) for index in range(missing)),
    ]
    return merge(RUN, RUN_ID, pods, targets={"mrunners-0": TargetLoad(target, 10)})


def judged(text: str, **changes: float | None) -> SloResult:
    return judge(parse_objective(text), report(**changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "status", "value"),
    [
        ("LIST …/api/v1/pods?limit=500: p99 < 2s", SloStatus.MET, 1.98),
        ("LIST …/api/v1/pods?limit=500: p99 < 1.9s", SloStatus.VIOLATED, 1.98),
        ("GET configmaps: p99 < 5ms", SloStatus.VIOLATED, 0.005),
        ("GET configmaps: p99 <= 5ms", SloStatus.MET, 0.005),
        ("max < 3s", SloStatus.VIOLATED, 3.0),
        ("LIST pods: p99 < 1s", SloStatus.VIOLATED, 1.98),
        ("LIST …/load/pods: p99 < 5s", SloStatus.NOT_ENOUGH_DATA, 3.0),
        ("LIST …/load/pods: p95 < 5s", SloStatus.MET, 3.0),
        ("LIST pods cluster: p99 < 2s", SloStatus.MET, 1.98),
        ("LIST pods namespace: p90 < 2s", SloStatus.VIOLATED, 3.0),
        ("LIST secrets: p50 < 5s", SloStatus.NOT_ENOUGH_DATA, None),
        ("coverage = 100%", SloStatus.MET, 1.0),
    ],
)
def test_an_objective_is_met_violated_or_not_judged(
    text: str, status: SloStatus, value: float | None
) -> None:
    result = judged(text)
    assert result.status is status, result.text
    assert result.value == pytest.approx(value) if value is not None else result.value is None


def test_of_several_requests_the_worst_one_decides_and_is_named() -> None:
    result = judged("LIST pods: p50 < 2s")
    group = "LIST pods namespace"
    assert (result.status, result.request, result.samples) == (SloStatus.VIOLATED, group, 80)
    assert result.text == f"LIST pods: p50 < 2s: violated: 3s (80 samples; {group})"


def test_the_samples_of_all_requests_about_a_resource_are_pooled() -> None:
    samples = {f"{GET}{number}": [0.001 * (number + 1)] * 2 for number in range(60)}
    merged = merge(RUN, RUN_ID, [merged_pod(0, 0, flat(samples))])
    result = judge(parse_objective("GET configmaps: p99 < 59ms"), merged)
    assert (result.status, result.value, result.samples) == (SloStatus.VIOLATED, 0.06, 120)
    assert "(120 samples; GET configmaps resource)" in result.text
    whole = judge(parse_objective("GET configmaps resource: p99 < 59ms"), merged)
    assert whole.text.endswith("violated: 60 ms (120 samples)")


def test_too_few_samples_are_said_with_their_number() -> None:
    result = judged("LIST …/load/pods: p99 < 5s")
    assert result.text == (
        f"LIST …/load/pods: p99 < 5s: not enough data: 80 samples, and it takes 100 ({PODS_OF_ONE})"
    )


def test_errors_are_a_share_or_a_number() -> None:
    assert judged("errors < 2%").status is SloStatus.MET
    result = judged("errors < 1%")
    assert result.status is SloStatus.VIOLATED
    assert result.value == 20 / 1300
    assert "20 of 1,300 requests" in result.text
    assert judged("errors = 0").status is SloStatus.VIOLATED
    assert judged("errors <= 20").status is SloStatus.MET


def test_throughput_is_compared_with_the_target_or_a_rate() -> None:
    result = judged("throughput >= 50%")
    assert result.status is SloStatus.MET, result.text
    assert judged("throughput >= 99%", target=200.0).status is SloStatus.VIOLATED
    assert judged("throughput > 20/s").status is SloStatus.MET
    without = judged("throughput >= 50%", target=None)
    assert without.status is SloStatus.NOT_ENOUGH_DATA
    assert "not every load profile sets a rate" in without.text


def test_missing_reports_break_the_coverage() -> None:
    result = judged("coverage = 100%", missing=1)
    assert (result.status, result.value) == (SloStatus.VIOLATED, 0.5)
    assert result.text == "coverage = 100%: violated: 50% (1 of 2 reports)"


def test_a_report_with_an_unmet_objective_says_so_first_and_is_not_relied_on() -> None:
    merged = with_slo_results(report(), ["p99 < 1ms", "errors < 50%", "p99  <  1ms"])
    again = with_slo_results(merged, ["errors < 50%", "coverage = 100%"])
    assert [result.objective for result in again.objectives] == [
        "p99 < 1ms",
        "errors < 50%",
        "coverage = 100%",
    ]
    assert again.verdict.startswith("1 of 1 reports merged; 1 of 3 objectives not met")
    assert again.conclusion() is Conclusion.SLO_VIOLATED
    with pytest.raises(SloViolatedError, match=r"\nobjective p99 < 1ms: violated: ") as raised:
        again.require_complete()
    assert int(raised.value.exit_code) == 8
    assert "p99 < 1ms: violated: 3s (1,280 samples)" in render_table(again)
    assert "p99 \\< 1ms: violated: " in render_markdown(again)
    page = render_html(again)
    assert "<strong>Violated:</strong> <bdi>p99 &lt; 1ms</bdi>" in page
    assert "<strong>Met:</strong> <bdi>coverage = 100%</bdi></p>" in page
    assert '<p class="advice"><bdi>100% (1 of 1 reports)</bdi>' in page


def test_a_preset_stands_for_an_objective_for_each_verb_resource_and_scope() -> None:
    merged = with_slo_results(report(), ["GET configmaps resource: p99 <= 1s", "kubernetes"])
    assert [(result.objective, result.status.value) for result in merged.objectives] == [
        ("GET configmaps resource: p99 <= 1s", "met"),
        ("LIST pods cluster: p99 <= 30s", "met"),
        ("LIST pods namespace: p99 <= 30s", "not-enough-data"),
    ]


def test_a_preset_that_says_nothing_about_a_report_is_not_met() -> None:
    custom = {"LIST https://10.0.0.1/apis/example.com/v1/widgets": [0.1] * 100}
    merged = merge(RUN, RUN_ID, [merged_pod(0, 0, flat(custom))])
    (result,) = with_slo_results(merged, ["kubernetes"]).objectives
    assert (result.objective, result.status) == ("kubernetes", SloStatus.NOT_ENOUGH_DATA)
    assert result.text == (
        "kubernetes: not enough data: none of its objectives is about a request of this report"
    )


def test_resources_of_other_groups_are_not_taken_for_those_of_the_core() -> None:
    samples = {
        "LIST https://10.0.0.1/api/v1/pods": [0.1] * 100,
        "LIST https://10.0.0.1/apis/metrics.k8s.io/v1beta1/pods": [40.0] * 100,
    }
    merged = merge(RUN, RUN_ID, [merged_pod(0, 0, flat(samples))])
    (result,) = with_slo_results(merged, ["kubernetes"]).objectives
    assert (result.status, result.value) == (SloStatus.MET, 0.1)
    assert judge(parse_objective("LIST pods: p50 < 1s"), merged).status is SloStatus.MET
    metrics = judge(parse_objective("LIST pods.metrics.k8s.io: p50 < 1s"), merged)
    assert metrics.status is SloStatus.VIOLATED


def test_requests_without_a_method_leave_a_resource_without_enough_data() -> None:
    samples = {
        "LIST https://10.0.0.1/api/v1/pods": [0.1] * 100,
        "https://10.0.0.1/api/v1/pods": [40.0] * 100,  # as kperf before 0.3.5 names it
    }
    merged = merge(RUN, RUN_ID, [merged_pod(0, 0, flat(samples))])
    why = "not enough data: 1 request has no method, as kperf before 0.3.5 prints it"
    for text in ("LIST pods: p50 < 1s", "LIST pods: errors = 0", "kubernetes"):
        results = with_slo_results(merged, [text]).objectives
        assert [result.text.partition(": not")[2] for result in results] == [why[3:]] * len(results)
        assert results
    whole = judge(parse_objective("LIST https://10.0.0.1/api/v1/pods: p50 < 1s"), merged)
    assert whole.status is SloStatus.MET


def test_a_throughput_is_not_known_while_reports_are_missing() -> None:
    result = judged("throughput >= 10%", missing=3)
    assert result.status is SloStatus.NOT_ENOUGH_DATA
    assert result.text.endswith("reports are missing, and their requests with them")


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("max < 1s", 1.0004, "1000.4 ms"),
        ("max < 1s", 0.9999, "999.9 ms"),
        ("max < 1s", 1.5, "1.5s"),
        ("max < 1s", 0.2, "200 ms"),
        ("max <= 1s", 1.0, "1s"),
    ],
)
def test_a_figure_does_not_look_like_a_limit_that_it_is_not(
    text: str, seconds: float, shown: str
) -> None:
    merged = merge(RUN, RUN_ID, [merged_pod(0, 0, flat({GET: [seconds]}))])
    assert f": {shown} (1 sample)" in judge(parse_objective(text), merged).text.replace(",", "")


def test_shares_are_exact() -> None:
    merged = merge(RUN, RUN_ID, [merged_pod(0, 0, flat({GET: [0.1] * 989}, errors=11))])
    assert judge(parse_objective("errors < 1.1%"), merged).status is SloStatus.VIOLATED
    assert judge(parse_objective("errors <= 1.1%"), merged).status is SloStatus.MET


def test_hostile_names_are_shown_and_not_interpreted() -> None:
    request = "LIST https://10.0.0.1/api/v1/po\x1b[2Jds\u202e"
    merged = merge(RUN, RUN_ID, [merged_pod(0, 0, flat({request: [0.1] * 100}))])
    (result,) = with_slo_results(merged, ["kubernetes"]).objectives
    assert result.status is SloStatus.MET
    assert result.text.isprintable()
    assert result.objective.isprintable()
