from xml.etree import ElementTree as ET

from mrunners.render.markdown import small_plot
from mrunners.reports.distribution import LatencyDistribution

SVG = "{http://www.w3.org/2000/svg}"


def distribution(seconds: tuple[float, ...], counts: tuple[int, ...]) -> LatencyDistribution:
    return LatencyDistribution.model_validate(
        {"seconds": seconds, "counts": counts, "countsByURL": {}}
    )


def test_the_curve_goes_from_the_left_bottom_to_the_right_top() -> None:
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


def test_one_bound_is_a_point_and_nothing_is_divided_by_zero() -> None:
    plot = ET.fromstring(small_plot(distribution((0.001,), (3,))))
    (curve,) = plot.iter(f"{SVG}polyline")
    assert curve.get("points") == "46.0,12.0"


def test_without_samples_there_is_no_plot() -> None:
    assert small_plot(None) == ""
    assert small_plot(distribution((), ())) == ""
