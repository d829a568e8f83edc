"""The merged report in Markdown, for Prefect's artifacts and CI jobs, and a table row per Job."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mrunners.durations import format_duration, parse_go_duration
from mrunners.formatting import counted, grouped, milliseconds, per_second, percentile_name
from mrunners.render.request_rows import MAX_QUOTED, error_times, request_rows
from mrunners.render.run_details import run_details
from mrunners.render.small_plot import small_plot
from mrunners.reports.coverage import Coverage, PodRef
from mrunners.reports.merged import MergedReport, RunnerSummary
from mrunners.text import printable

__all__ = ["SavedPage", "figures", "job_rows", "render_markdown"]

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

# The percentiles that a sentence names; of several requests, the last one alone.
_NAMED_PERCENTILES = (0.5, 0.99)


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


def render_markdown(
    report: MergedReport, page: SavedPage | None = None, *, plot: bool = True
) -> str:
    """Return the report as Markdown: verdict, findings, latencies, errors, and what is missing.

    Args:
        report: The merged report; its strings may be hostile.
        page: The HTML file to refer to, if one was written.
        plot: Whether the latencies are plotted too, as a data URI, which GitHub does not show.
    """
    return "\n".join(_lines(report, page, plot=plot)) + "\n"


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


def _lines(report: MergedReport, page: SavedPage | None, *, plot: bool) -> Iterable[str]:
    yield f"# {_cell(report.verdict, _LINE_CHARACTERS)}"
    yield ""
    yield f"**{figures(report)}**"
    yield ""
    for result in report.objectives:
        yield f"- **objective** {_cell(result.text, _LINE_CHARACTERS)}"
    for finding in report.findings:
        yield f"- **{finding.severity.value}:** {_cell(finding.text, _LINE_CHARACTERS)}  "
        yield f"  {_cell(finding.advice, _LINE_CHARACTERS)}"
    if report.findings or report.objectives:
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
    percentiles = dict(report.percentile_latencies or ())
    if plot and (image := small_plot(report.latency_distribution, percentiles)):
        # An artifact cannot refer to a file, so the image is in the text itself, as a data URI.
        encoded = base64.b64encode(image.encode()).decode()
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
    if details := run_details(report.provenance):
        yield "\n## What was run\n"
        for name, text in details:
            yield f"- **{name}:** {_cell(text, _LINE_CHARACTERS)}"


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
