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
    assert "the load profiles set no rate" in without.text


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
    for render in (render_table, render_markdown, render_html):
        text = render(again)
        assert (
            "p99 &lt; 1ms: violated" in text
            or "p99 \\< 1ms: violated" in text
            or ("p99 < 1ms: violated" in text)
        )
        assert "coverage = 100%: met" in text


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
