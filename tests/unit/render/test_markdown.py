"""The report in Prefect's artifacts: the table of Jobs, and the plot in the Markdown page."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from mrunners.render.markdown import figures, job_rows, render_markdown
from mrunners.render.small_plot import small_plot
from mrunners.reports.distribution import LatencyDistribution
from mrunners.reports.merge import merge
from mrunners.reports.outcomes import MissingReason
from tests.factories import RUN, RUN_ID, failures, flat, merged_pod, missing_pod
from tests.unit.render.guide_report import guide_report

SVG = "{http://www.w3.org/2000/svg}"


def test_each_row_says_whether_the_job_is_complete_or_what_is_missing() -> None:
    assert [(row["job"], row["state"]) for row in job_rows(guide_report())] == [
        ("mrunners-0", "1 truncated"),
        ("mrunners-1", "complete"),
        ("mrunners-2", "complete"),
    ]


def test_pods_without_a_success_are_neither_complete_nor_left_out() -> None:
    pods = [merged_pod(0, 0, flat({}, errors=10)), merged_pod(0, 1, flat({}))]
    report = merge(RUN, RUN_ID, pods)
    assert [row["state"] for row in job_rows(report)] == ["2 nothing succeeded"]
    page = render_markdown(report)
    assert "| mrunners-0 | 0 | mrunners-0-0-abcde | node-0 | nothing succeeded |" in page
    assert "| mrunners-0 | 1 | mrunners-0-1-abcde | node-1 | nothing succeeded |" in page


def test_the_figures_stand_above_the_table_and_the_findings_under_them() -> None:
    pods = [merged_pod(0, 0, flat({"LIST https://api/pods": [0.001] * 34}, errors=266))]
    report = merge(RUN, RUN_ID, pods)
    lines = render_markdown(report).splitlines()
    assert lines[:4] == [
        "# 1 of 1 reports merged; the figures are in doubt",
        "",
        f"**{figures(report)}**",
        "",
    ]
    assert lines[4].startswith("- **error:** 266 of 300 requests failed")
    assert figures(report) == (
        "LIST /pods: p50 1.00 ms, p99 1.00 ms; "
        "3.4 successes/s from the first start to the last answer; 34 samples and 266 errors"
    )


def test_of_several_requests_the_most_frequent_are_quoted_and_never_all_together() -> None:
    cheap, large = "GET https://api/a_b", "LIST https://api/pods"
    rare = {f"GET https://api/{name}": [0.5] for name in "cde"}
    report = merge(
        RUN, RUN_ID, [merged_pod(0, 0, flat({cheap: [0.001] * 90, large: [2.0] * 7} | rare))]
    )
    assert figures(report) == (
        "GET /a\\_b: p99 1.00 ms; LIST /pods: p99 2,000 ms; GET /c: p99 500 ms (2 more requests in "
        "the table); 10.0 successes/s from the first start to the last answer; "
        "100 samples and 0 errors"
    )
    page = render_markdown(report)
    assert page.count("successes/s") == 1


def test_without_a_latency_and_a_rate_neither_is_quoted() -> None:
    report = merge(RUN, RUN_ID, [missing_pod(0, 0, MissingReason.FAILED)])
    assert figures(report) == "0 samples and 0 errors"


def test_what_does_not_wrap_comes_last_in_the_table_of_jobs() -> None:
    (row, *_) = job_rows(guide_report())
    assert list(row)[:4] == ["job", "state", "p50 ms", "p99 ms"]
    assert list(row)[-1] == "uri"


def test_marks_of_markdown_are_escaped_once() -> None:
    pod = merged_pod(0, 0, flat(errors=1), node="specs[1] #2 | `a` & <b>")
    page = render_markdown(
        merge(RUN, RUN_ID, [replace(pod, report=None, missing=MissingReason.FAILED)])
    )
    assert r"| specs\[1\] \#2 \| \`a\` \& \<b\> |" in page


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("https://a_b.example", r"https\://a\_b.example"),
        ("WWW.a_b.example", r"WWW\.a\_b.example"),
        ("a_b@c.example", r"a\_b\@c.example"),
    ],
)
def test_no_text_of_others_becomes_a_link(text: str, escaped: str) -> None:
    report = merge(RUN, RUN_ID, [missing_pod(0, 0, MissingReason.FAILED, text)])
    assert f"| failed: {escaped} |" in render_markdown(report)


def test_the_artifact_says_which_server_and_parameters_its_requests_are_shown_without() -> None:
    names = [f"LIST https://api:6443/{name}?limit=500&timeout=1m0s" for name in ("pods", "nodes")]
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, flat({name: [0.1] for name in names}))])
    lines = render_markdown(report).splitlines()
    heading = lines.index("## Latency of successes, ms")
    assert lines[heading + 1 : heading + 5] == [
        "",
        r"Server: https\://api:6443.",
        r"Requests are shown without limit=500\&timeout=1m0s.",
        "",
    ]
    assert [line.rpartition("| LIST ")[2] for line in lines if "| LIST " in line] == [
        "/nodes |",
        "/pods |",
    ]


def distribution(seconds: tuple[float, ...], counts: tuple[int, ...]) -> LatencyDistribution:
    return LatencyDistribution.model_validate(
        {"seconds": seconds, "counts": counts, "countsByURL": {}}
    )


def test_the_curve_goes_from_the_bottom_left_to_the_top_right() -> None:
    plot = ET.fromstring(small_plot(distribution((0.001, 0.01, 0.1), (0, 9, 10))))
    (curve,) = plot.iter(f"{SVG}polyline")
    assert curve.get("points") == "46.0,184.0 296.0,29.2 546.0,12.0"
    assert [text.text for text in plot.iter(f"{SVG}text")] == [
        "0%",
        "50%",
        "90%",
        "100%",
        "1.00 ms",
        "10.0 ms",
        "100 ms",
        "answered within",
    ]


def test_the_median_and_the_p99_are_marked_on_the_curve() -> None:
    spread = distribution((0.001, 0.01, 0.1), (0, 5, 10))
    plot = ET.fromstring(small_plot(spread, {0: 0.001, 0.5: 0.01, 0.99: 0.1}))
    marks = [(mark.get("cx"), mark.get("cy")) for mark in plot.iter(f"{SVG}circle")]
    assert marks == [("296.0", "98.0"), ("546.0", "13.7")]
    texts = {text.text: text for text in plot.iter(f"{SVG}text")}
    assert texts["p50 10.0 ms"].get("x") == "304.0"
    # Whole, although the curve ends at the edge.
    assert texts["p99 100 ms"].get("x") == "466.0"
    assert texts["100 ms"].get("text-anchor") == "end"


def test_a_single_bound_is_a_point() -> None:
    plot = ET.fromstring(small_plot(distribution((0.001,), (3,))))
    (curve,) = plot.iter(f"{SVG}polyline")
    assert curve.get("points") == "46.0,12.0"


def test_without_samples_there_is_no_plot() -> None:
    assert small_plot(None) == ""
    assert small_plot(distribution((), ())) == ""


def test_the_requests_have_their_errors_and_one_without_a_success_has_a_row() -> None:
    pods, secrets = "LIST https://api/pods", "LIST https://api/secrets"
    document = flat({pods: [0.1, 0.1]}, errors=5)
    document["errors"] = [*failures(pods, "http/403", 1), *failures(secrets, "http/403", 4)]
    lines = render_markdown(merge(RUN, RUN_ID, [merged_pod(0, 0, document)])).splitlines()
    values = " | ".join(["100"] * 6)
    assert [line for line in lines if line.endswith(("requests |", "s |", "| request |"))] == [
        "| min | p50 | p90 | p95 | p99 | max | samples | errors | request |",
        f"| {values} | 2 | 5 | all requests |",
        f"| {values} | 2 | 1 | LIST /pods |",
        f"| {' | '.join('-' * 6)} | 0 | 4 | LIST /secrets |",
    ]
    assert lines[-1] == "errors from 0s to 1s after the first pod's start, most (5) from 0s to 1s."


def test_of_a_run_without_a_success_the_errors_are_shown_by_request() -> None:
    lines = render_markdown(merge(RUN, RUN_ID, [merged_pod(0, 0, flat({}, errors=2))])).splitlines()
    assert "| - | 0 | 2 | LIST /pods |" in lines
