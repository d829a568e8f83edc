"""The report in Prefect's artifacts: the table of Jobs, and the plot in the Markdown page."""

from xml.etree import ElementTree as ET

from mrunners.render.markdown import job_rows, small_plot
from mrunners.reports.distribution import LatencyDistribution
from tests.unit.render.guide_report import guide_report

SVG = "{http://www.w3.org/2000/svg}"


def test_each_row_says_whether_the_job_is_complete_or_what_is_missing() -> None:
    assert [(row["job"], row["state"]) for row in job_rows(guide_report())] == [
        ("mrunners-0", "1 truncated"),
        ("mrunners-1", "complete"),
        ("mrunners-2", "complete"),
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


def test_a_single_bound_is_a_point() -> None:
    plot = ET.fromstring(small_plot(distribution((0.001,), (3,))))
    (curve,) = plot.iter(f"{SVG}polyline")
    assert curve.get("points") == "46.0,12.0"


def test_without_samples_there_is_no_plot() -> None:
    assert small_plot(None) == ""
    assert small_plot(distribution((), ())) == ""
