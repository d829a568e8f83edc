"""The merged report as Prefect artifacts show it: a Markdown page, and one table row per Job."""

from __future__ import annotations

import base64
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mrunners.durations import format_duration, parse_go_duration
from mrunners.formatting import counted, grouped, milliseconds, per_second, percentile_name
from mrunners.render.request_rows import MAX_QUOTED, error_times, request_rows
from mrunners.reports.coverage import Coverage, PodRef
from mrunners.reports.distribution import LatencyDistribution
from mrunners.reports.merged import MergedReport, RunnerSummary
from mrunners.text import printable

__all__ = ["SavedPage", "figures", "job_rows", "render_markdown", "small_plot"]

# An artifact is a page in a browser, not an archive: the JSON report has every row.
_MAX_ROWS = 50

# A finding may quote keys and node names of any length, which others chose.
_LINE_CHARACTERS = 1000

# In one pass, or the escapes would be escaped. By backslashes: of Prefect's two designs, one shows
# character references as they are.
_ESCAPES = str.maketrans({mark: f"\\{mark}" for mark in "&<>\\`*_[]|#~@"})

# Where a text would become a link in Prefect, which then shows the escapes in it.
_INSIDE_LINKS = re.compile(r"(?=://)|(?<=www)(?=\.)", re.IGNORECASE)

# A request in a line of figures; a longer one is shortened in its middle.
_NAME_CHARACTERS = 90

# The small plot, in pixels: its size, the margins around its axes, and a long label.
_WIDTH, _HEIGHT = 560, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 12, 36
_LABEL_WIDTH = 80
_GRID_PERCENTS = (0, 50, 90, 100)

# The percentiles that a sentence and the plot name.
_NAMED_PERCENTILES = (0.5, 0.99)

# Readable on white and on black: Prefect shows artifacts in light and dark mode.
_TEXT_COLOR, _GRID_COLOR, _CURVE_COLOR = "#808080", "#80808055", "#2a7ae2"


@dataclass(frozen=True, slots=True)
class SavedPage:
    """The HTML file that the same report was written to.

    Attributes:
        path: Path of the file.
        machine: Name of the machine that has it.
        url: The URL under which people can open it, without characters that would end a Markdown
            link; None when none is configured.
    """

    path: str
    machine: str
    url: str | None = None


def job_rows(report: MergedReport) -> list[dict[str, str | int | float | None]]:
    """Return one row per Job: how fast it was, which reports are merged, and what it ran.

    The figures come first: Prefect's table does not wrap, and a URI would push them out of sight.
    """
    return [_job_row(runner) for runner in report.runners]


def render_markdown(report: MergedReport, page: SavedPage | None = None) -> str:
    """Return the report as Markdown: verdict, findings, latencies, errors, and what is missing.

    Args:
        report: The merged report; its strings may be hostile.
        page: The HTML file to refer to, if one was written.
    """
    return "\n".join(_lines(report, page)) + "\n"


def figures(report: MergedReport) -> str:
    """Return the figures to quote, in one line of Markdown.

    As on the page: of several requests, each of the most frequent ones has a latency of its own,
    because that of all together mixes cheap and expensive ones.
    """
    facts = _quoted_latencies(report)
    if (rate := report.throughput.successes_per_second) is not None:
        facts.append(f"{per_second(rate)} successes/s from the first start to the last answer")
    merged = report.total
    samples = "an unknown number of samples" if merged is None else counted(merged, "sample")
    facts.append(f"{samples} and {counted(report.error_count, 'error')}")
    return "; ".join(facts)


def _quoted_latencies(report: MergedReport) -> list[str]:
    rows = request_rows(report).by_frequency()
    shown = _NAMED_PERCENTILES if len(rows) == 1 else (0.99,)
    texts = [
        f"{_cell(row.name, _NAME_CHARACTERS)}: "
        + ", ".join(
            f"{percentile_name(p)} {milliseconds(row.percentiles.get(p))} ms" for p in shown
        )
        for row in rows[:MAX_QUOTED]
    ]
    if more := len(rows) - len(texts):
        texts[-1] += f" ({counted(more, 'more request')} in the table)"
    return texts


def small_plot(
    distribution: LatencyDistribution | None, percentiles: Mapping[float, float] | None = None
) -> str:
    """Plot the share of all requests that was answered within a time, on a logarithmic time axis.

    Args:
        distribution: Of all requests.
        percentiles: Seconds by percentile; the median and the p99 are marked.

    Returns:
        An `svg` element; empty when there are no samples.
    """
    if distribution is None or distribution.samples == 0:
        return ""
    return "".join(_plot_elements(distribution, percentiles or {}))


def _job_row(runner: RunnerSummary) -> dict[str, str | int | float | None]:
    percentiles = dict(runner.report.percentile_latencies or ())
    return {
        "job": runner.job,
        "state": _state(runner),
        "p50 ms": _rounded_ms(percentiles.get(0.5)),
        "p99 ms": _rounded_ms(percentiles.get(0.99)),
        "pods": len(runner.pods),
        "reports": sum(pod.missing is None for pod in runner.pods),
        "nodes": len({pod.node for pod in runner.pods if pod.node is not None}),
        "samples": sum(pod.samples or 0 for pod in runner.pods),
        "errors": sum(pod.errors or 0 for pod in runner.pods),
        "uri": printable(runner.uri),
    }


def _state(runner: RunnerSummary) -> str:
    """Return `complete`, or how many pods are not, such as `2 not-started, 1 nothing succeeded`."""
    reasons = Counter(
        "nothing succeeded" if pod.missing is None else pod.missing.value
        for pod in runner.pods
        if pod.missing is not None or pod.nothing_succeeded
    )
    return ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "complete"


def _rounded_ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _lines(report: MergedReport, page: SavedPage | None) -> Iterable[str]:
    yield f"# {_cell(report.verdict, _LINE_CHARACTERS)}"
    yield ""
    yield f"**{figures(report)}**"
    yield ""
    for finding in report.findings:
        yield f"- **{finding.severity.value}:** {_cell(finding.text, _LINE_CHARACTERS)}  "
        yield f"  {_cell(finding.advice, _LINE_CHARACTERS)}"
    if report.findings:
        yield ""
    yield (
        f"Run `{report.run}` of tracker `{report.tracker}` in namespace `{report.namespace}`, "
        f"{format_duration(parse_go_duration(report.duration) / 1e9)}."
    )
    if page is not None:
        yield ""
        yield _reference(page)
    for note in report.notes:
        yield f"\n> {_cell(note, _LINE_CHARACTERS)}"
    yield "\n## Latency of successes, ms\n"
    yield from _latency_lines(report)
    if plot := small_plot(report.latency_distribution, dict(report.percentile_latencies or ())):
        # An artifact cannot refer to a file, so the image is in the text itself, as a data URI.
        encoded = base64.b64encode(plot.encode()).decode()
        yield f"\n![Share of requests by latency](data:image/svg+xml;base64,{encoded})"
    if report.error_stats:
        yield "\n## Errors\n"
        yield "| class | count |"
        yield "|---|---:|"
        for name, count in sorted(report.error_stats.items(), key=lambda i: -i[1])[:_MAX_ROWS]:
            yield f"| {_cell(name)} | {grouped(count)} |"
        if report.error_timeline is not None:
            yield f"\n{error_times(report.error_timeline)}."
    yield from _missing_lines(report.coverage)


def _missing_lines(coverage: Coverage) -> Iterable[str]:
    rows: list[tuple[PodRef, str]] = [
        (pod, f"{pod.reason.value}: {pod.detail}" if pod.detail else pod.reason.value)
        for pod in coverage.missing
    ]
    rows += [(pod, "nothing succeeded") for pod in coverage.nothing_succeeded]
    if not rows:
        return
    yield "\n## Missing or failed reports\n"
    yield "| job | index | pod | node | reason |"
    yield "|---|---:|---|---|---|"
    for pod, reason in rows[:_MAX_ROWS]:
        cells = (pod.job, str(pod.index), pod.pod or "", pod.node or "", reason)
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |"
    if len(rows) > _MAX_ROWS:
        yield f"\nand {len(rows) - _MAX_ROWS} more."


def _reference(page: SavedPage) -> str:
    # A browser cannot open a file of the worker's machine: without a URL there is no link.
    if page.url is None:
        return f"The whole report is a page on {_cell(page.machine)}: {_cell(page.path)}"
    return f"[The whole report, with all plots and tables]({page.url})"


def _latency_lines(report: MergedReport) -> Iterable[str]:
    requests = request_rows(report)
    if report.percentile_latencies is None:
        yield "Not available without raw data."
        return
    if requests.server is not None:
        yield f"Server: {_cell(requests.server)}."
    if requests.left_out:
        yield f"Requests are shown without {_cell(requests.left_out)}."
    if requests.server is not None or requests.left_out:
        yield ""
    # The request last: Prefect's page does not wrap it, and the numbers would be out of sight.
    rows = (requests.total, *requests.first(_MAX_ROWS))
    names = [percentile_name(p) for p, _ in report.percentile_latencies] or ["p50"]
    yield f"| {' | '.join(names)} | samples | errors | request |"
    yield f"|{'---:|' * len(names)}---:|---:|---|"
    for row in rows:
        values = list(map(milliseconds, row.percentiles.values())) or ["-"] * len(names)
        counts = f"{grouped(row.samples)} | {grouped(row.errors)}"
        yield f"| {' | '.join(values)} | {counts} | {_cell(row.name)} |"


def _cell(text: str, limit: int = 200) -> str:
    """Return text of others for a table cell: no markup, no line breaks, not too long."""
    return _INSIDE_LINKS.sub(r"\\", printable(text, limit).translate(_ESCAPES))


def _plot_elements(
    distribution: LatencyDistribution, percentiles: Mapping[float, float]
) -> Iterator[str]:
    bounds, total = distribution.seconds, distribution.samples
    first, last = math.log10(bounds[0]), math.log10(bounds[-1])

    def x(seconds: float) -> float:
        share = (math.log10(seconds) - first) / ((last - first) or 1)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(percent: float) -> float:
        return _HEIGHT - _BOTTOM - percent / 100 * (_HEIGHT - _TOP - _BOTTOM)

    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="11" '
        f'fill="{_TEXT_COLOR}">'
    )
    for percent in _GRID_PERCENTS:
        yield _line(_LEFT, y(percent), _WIDTH - _RIGHT, y(percent))
        yield _text(_LEFT - 6, y(percent) + 4, "end", f"{percent}%")
    for decade in range(math.ceil(first), math.floor(last) + 1):
        yield _line(x(10**decade), _TOP, x(10**decade), _HEIGHT - _BOTTOM)
        # What ends at the right edge would be cut off.
        anchor = "end" if x(10**decade) > _WIDTH - _RIGHT - _LABEL_WIDTH / 2 else "middle"
        yield _text(x(10**decade), _HEIGHT - 20, anchor, f"{milliseconds(10**decade)} ms")
    points = " ".join(
        f"{x(bound):.1f},{y(100 * count / total):.1f}"
        for bound, count in zip(bounds, distribution.counts, strict=True)
    )
    yield f'<polyline points="{points}" fill="none" stroke="{_CURVE_COLOR}" stroke-width="2"/>'
    for p in _NAMED_PERCENTILES:
        if (seconds := percentiles.get(p)) is not None:
            at, up = min(max(x(seconds), _LEFT), _WIDTH - _RIGHT), y(100 * p)
            yield f'<circle cx="{at:.1f}" cy="{up:.1f}" r="3.5" fill="{_CURVE_COLOR}"/>'
            # Right of a rising curve and below it there is room.
            label = f"{percentile_name(p)} {milliseconds(seconds)} ms"
            yield _text(min(at + 8, _WIDTH - _RIGHT - _LABEL_WIDTH), up + 18, "start", label)
    yield _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 4, "middle", "answered within")
    yield "</svg>"


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{_GRID_COLOR}" '
        'stroke-width="1"/>'
    )


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
