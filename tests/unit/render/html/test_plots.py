"""What the plots consist of: classes for colors, few elements, and hostile text as plain text."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from markupsafe import Markup

from mrunners.render.html.plots.axes import short_latency
from mrunners.render.html.plots.ecdf import draw_ecdf
from mrunners.render.html.plots.error_strip import draw_error_strip
from mrunners.render.html.plots.ranges import Range, draw_ranges
from mrunners.render.html.plots.svg import COLORS, plot_settings
from mrunners.render.html.plots.timeline import Lane, Span, draw_timeline
from mrunners.reports.analysis.error_timeline import ErrorTimeline
from mrunners.reports.distribution import LatencyDistribution
from tests.factories import START

AT = {0.0: 0.001, 0.5: 0.002, 0.9: 0.003, 0.95: 0.004, 0.99: 0.1, 1.0: 2.0}


def ranges(*labels: str) -> Markup:
    with plot_settings():
        return draw_ranges([Range(x, AT) for x in labels], name="urls", description="words")


def test_a_plot_has_classes_for_colors_and_no_style() -> None:
    svg = ranges("LIST a")
    assert "style" not in svg
    assert not [color for color in COLORS.values() if color in svg]
    assert not re.search(r"#[0-9a-f]{6}", svg)
    assert {"f-ink", "f-accent", "s-soft", "s-muted", "s-rule"} <= set(
        re.findall(r"[fs]-[a-z0-9]+", svg)
    )


def test_a_plot_is_drawn_for_wide_and_for_narrow_screens() -> None:
    assert re.findall(r'class="plot (\w+)" viewBox="0 0 (\d+)', ranges("a")) == [
        ("wide", "960"),
        ("narrow", "340"),
    ]


@pytest.mark.parametrize("text", ["$x^2$ & <b>", "@0@ @1@", "日本語", "\x1b[2J", "a" * 1_000_000])
def test_a_hostile_label_stays_plain_text(text: str, recwarn: pytest.WarningsRecorder) -> None:
    svg = ranges(text)
    assert len(svg) < 30_000
    assert "<b>" not in svg
    assert "\x1b" not in svg
    assert not recwarn.list
    if text == "@0@ @1@":
        assert svg.count(text) == 2


def test_without_data_there_is_no_plot() -> None:
    empty = LatencyDistribution(seconds=(), counts=(), counts_by_url={})
    with plot_settings():
        assert draw_ecdf(empty, "words") == ""
        assert draw_ranges([Range("a", {})], name="x", description="words") == ""
        assert draw_timeline([Lane("a", [])], description="words") == ""
        assert draw_error_strip(None, description="words") == ""


def test_a_single_sample_and_a_single_moment_can_be_drawn() -> None:
    one = LatencyDistribution(seconds=(0.1,), counts=(1,), counts_by_url={"a": (1,)})
    with plot_settings():
        assert "<svg" in draw_ecdf(one, "words")
        assert "<svg" in draw_ranges(
            [Range("a", dict.fromkeys(AT, 0.0))], name="x", description="words"
        )
        lane = Lane("a", [Span(START, None, "accent"), Span(START, START, "bad")])
        assert "<svg" in draw_timeline([lane], description="words")


def test_a_thousand_pods_of_a_color_are_one_element() -> None:
    spans = [Span(START + timedelta(seconds=n), None, "accent") for n in range(1000)]
    with plot_settings():
        svg = draw_timeline([Lane("a", spans)], description="words")
    assert svg.count("s-accent") == 2
    assert len(svg) < 100_000


def test_errors_are_bars_over_their_time_as_high_as_their_number_and_never_invisible() -> None:
    errors = ErrorTimeline(start=START, bucket_seconds=5, counts=(0, 1, 1000, 0, 500, 0), undated=0)
    with plot_settings():
        wide, _, _ = draw_error_strip(errors, description="words").partition("</svg>")
    (outline,) = re.findall(r'<path id="error-strip-wide-\w+" d="([^"]*)"', wide)
    points = [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", outline)]
    # The outline is relative to the plot's lower edge: the axis is 30 pixels above it, and the
    # highest bar 90 pixels higher. The time axis has 30 s and a hundredth more on 860 pixels.
    five_seconds = 860 / 30.3 * 5
    tops = [0, 2, 90, 0, 45, 0]
    assert [y for _, y in points[1:13]] == [-30 - top for top in tops for _ in range(2)]
    edges = [number + after for number in range(len(tops)) for after in (0, 1)]
    assert [x for x, _ in points[1:13]] == pytest.approx(
        [70 + edge * five_seconds for edge in edges], abs=0.1
    )
    assert wide.count("f-bad") == 1
    assert re.findall(r">([^<]+)</text>", wide) == [
        "0 s", "5 s", "10 s", "15 s", "20 s", "25 s", "30 s", "0", "1,000",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1e-6, "1 µs"),
        (0.0002, "200 µs"),
        (0.001, "1 ms"),
        (0.5, "500 ms"),
        (2.0, "2 s"),
        (1000.0, "1,000 s"),
    ],
)
def test_round_latencies_have_their_unit(seconds: float, text: str) -> None:
    assert short_latency(seconds) == text
