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
        # In the label and in the values, of both plots.
        assert svg.count(text) == 4


def test_without_data_there_is_no_plot() -> None:
    empty = LatencyDistribution(seconds=(), counts=(), counts_by_url={})
    with plot_settings():
        assert draw_ecdf(empty, "words") == ""
        assert draw_ranges([Range("a", {})], name="x", description="words") == ""
        assert draw_timeline([Lane("a", "p", [])], description="words") == ""
        assert draw_error_strip(None, description="words") == ""


def test_a_single_sample_and_a_single_moment_can_be_drawn() -> None:
    one = LatencyDistribution(seconds=(0.1,), counts=(1,), counts_by_url={"a": (1,)})
    with plot_settings():
        assert "<svg" in draw_ecdf(one, "words")
        assert "<svg" in draw_ranges(
            [Range("a", dict.fromkeys(AT, 0.0))], name="x", description="words"
        )
        lane = Lane("a", "p", [Span(START, None, "accent"), Span(START, START, "bad")])
        assert "<svg" in draw_timeline([lane], description="words")


def test_a_thousand_pods_of_a_color_are_one_element() -> None:
    spans = [Span(START + timedelta(seconds=n), None, "accent") for n in range(1000)]
    with plot_settings():
        svg = draw_timeline([Lane("a", "p", spans)], description="words")
    assert svg.count("s-accent") == 2
    assert len(svg) < 100_000


def timeline(*spans: Span) -> str:
    """Return the plot for wide screens."""
    with plot_settings():
        plots = draw_timeline([Lane("mrunners-0", "list.yaml", spans)], description="words")
    return plots.partition("</svg>")[0]


def texts(svg: str) -> list[str]:
    return re.findall(r">([^<]+)</text>", svg)


def values(svg: str) -> list[str]:
    return re.findall(r"<title>([^<]*)</title>", svg)


TEN_SECONDS = START + timedelta(seconds=10)


def test_the_timeline_names_each_pod_and_its_node_and_why_a_report_is_missing() -> None:
    svg = timeline(
        Span(None, None, "bad", "2 node-2", "not-started", "c: not-started, did not start"),
        Span(START, TEN_SECONDS, "accent", "0 node-0", "", "a: 0s to 10s"),
        Span(START, None, "bad", "1 node-1", "pod-gone", "b: pod-gone, 0s to an unknown end"),
    )
    # The broken lines begin at the left edge, and leave no room for a reason beside them.
    assert texts(svg)[-4:] == [
        "mrunners-0 list.yaml",
        "0 node-0",
        "1 node-1: pod-gone",
        "2 node-2: not-started",
    ]
    assert values(svg) == [
        "a: 0s to 10s",
        "b: pod-gone, 0s to an unknown end",
        "c: not-started, did not start",
    ]


def test_a_pod_that_was_killed_has_its_reason_beside_its_short_bar() -> None:
    killed = Span(START, START + timedelta(seconds=3), "bad", "1 node-1", "disrupted", "b")
    svg = timeline(Span(START, TEN_SECONDS, "accent", "0 node-0"), killed)
    assert texts(svg)[-4:] == ["mrunners-0 list.yaml", "0 node-0", "1 node-1", "disrupted"]


def test_a_line_is_broken_where_a_start_or_the_end_of_a_missing_pod_is_unknown() -> None:
    running = Span(START, None, "accent", "0")
    known = Span(START, TEN_SECONDS, "bad", "1", "truncated")
    assert "s-bad" in timeline(known)
    assert "stroke-dasharray" not in timeline(running, known)
    for broken in (
        Span(None, None, "bad", "1", "not-started"),
        Span(START, None, "bad", "1", "pod-gone"),
    ):
        assert timeline(running, broken).count("stroke-dasharray") == 1


def test_of_many_pods_each_mark_can_be_hit_and_begins_with_those_that_failed() -> None:
    spans = [Span(START, TEN_SECONDS, "accent", "", "", f"pod {n}") for n in range(999)]
    spans.append(Span(START, TEN_SECONDS, "bad", "", "truncated", "pod 999: truncated"))
    svg = timeline(*spans)
    heights = [float(height) for height in re.findall(r' height="([\d.]+)"><title>', svg)]
    # The last one has the pods that are left.
    assert min(heights[:-1]) >= 5
    assert values(svg)[0] == "pod 0; pod 1; pod 2; and 8 more here"
    assert values(svg)[-1].startswith("pod 999: truncated; ")


def test_each_plot_tells_its_values() -> None:
    assert (
        values(ranges("LIST a"))
        == ["LIST a: min 1.00, p50 2.00, p90 3.00, p95 4.00, p99 100, max 2,000 ms"] * 2
    )
    counts = LatencyDistribution(
        seconds=(0.001, 0.01, 0.1),
        counts=(0, 60, 100),
        counts_by_url={"LIST https://x/a": (0, 10, 50), "GET b": (0, 50, 50)},
    )
    with plot_settings():
        ecdf = draw_ecdf(counts, "words", {"LIST https://x/a": "LIST /a"})
        strip = draw_error_strip(
            ErrorTimeline(start=START, bucket_seconds=5, counts=(0, 1, 1000), undated=0),
            description="words",
        )
    assert values(ecdf)[:3] == [
        "Within 1.00 ms: 0% of all requests; 0% of GET b; 0% of LIST /a",
        "Within 10.0 ms: 60% of all requests; 100% of GET b; 20% of LIST /a",
        "Within 100 ms: 100% of all requests; 100% of GET b; 100% of LIST /a",
    ]
    assert values(strip) == ["5s to 10s: 1 error", "10s to 15s: 1,000 errors"] * 2


def test_marks_are_where_their_values_are_drawn() -> None:
    svg = ranges("a", "b").partition("</svg>")[0]
    marks = re.findall(r'class="mark" x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"', svg)
    # 8 pixels above the rows of 44 pixels, 14 on the left of 960 and 22 on the right.
    assert marks == [("14", "8", "924", "44"), ("14", "52", "924", "44")]


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
