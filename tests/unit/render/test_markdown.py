"""The report in Prefect's artifacts: the table of Jobs, and the plot in the Markdown page."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from mrunners.render.markdown import job_rows, render_markdown, small_plot
from mrunners.reports.distribution import LatencyDistribution
from mrunners.reports.merge import merge
from mrunners.reports.outcomes import MissingReason
from tests.factories import RUN, RUN_ID, failures, flat, merged_pod
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


def test_marks_of_markdown_are_escaped_once() -> None:
    pod = merged_pod(0, 0, flat(errors=1), node="specs[1] #2 | `a` & <b>")
    page = render_markdown(
        merge(RUN, RUN_ID, [replace(pod, report=None, missing=MissingReason.FAILED)])
    )
    assert "| specs&#91;1&#93; &#35;2 &#124; &#96;a&#96; &#38; &#60;b&#62; |" in page


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
    assert [line for line in lines if line.startswith(("| all", "| LIST", "| request"))] == [
        "| request | samples | errors | min | p50 | p90 | p95 | p99 | max |",
        f"| all requests | 2 | 5 | {values} |",
        f"| LIST /pods | 2 | 1 | {values} |",
        f"| LIST /secrets | 0 | 4 | {' | '.join('-' * 6)} |",
    ]
    assert lines[-1] == "errors from 0s to 1s after the first pod's start, most (5) from 0s to 1s."


def test_of_a_run_without_a_success_the_errors_are_shown_by_request() -> None:
    lines = render_markdown(merge(RUN, RUN_ID, [merged_pod(0, 0, flat({}, errors=2))])).splitlines()
    assert "| LIST /pods | 0 | 2 | - |" in lines
