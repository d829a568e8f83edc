"""The merged report as Prefect artifacts show it: markdown, and one table row per Job.

It must not compute what the report does not say.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mrunners.formatting import grouped, milliseconds, percentile_name
from mrunners.render.small_plot import small_plot
from mrunners.render.text import safe_text
from mrunners.render.urls import shared_server, without_server
from mrunners.reports.merged import MergedReport, RunnerSummary

__all__ = ["WholeReport", "job_rows", "render_markdown"]

# An artifact is a page in a browser, not an archive: the JSON has all.
_MAX_ROWS = 50

_Pairs = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class WholeReport:
    """Where the same report was saved as a page.

    Attributes:
        path: of the HTML file.
        host: the machine that has it.
        url: under which people reach it, with nothing in it that would end a link; None when
            nobody said so.
    """

    path: str
    host: str
    url: str | None = None


def job_rows(report: MergedReport) -> list[dict[str, str | int | float | None]]:
    """One row per Job: what it is, where it ran, what came home."""
    return [_job_row(runner) for runner in report.runners]


def render_markdown(report: MergedReport, whole: WholeReport | None = None) -> str:
    """The report in markdown: the verdict first, then latencies, errors and what is missing.

    Args:
        report: the merged one.
        whole: the page to refer to, if one was saved.
    """
    return "\n".join(_lines(report, whole)) + "\n"


def _job_row(runner: RunnerSummary) -> dict[str, str | int | float | None]:
    percentiles = dict(runner.report.percentile_latencies or ())
    return {
        "job": runner.job,
        "uri": safe_text(runner.uri),
        "state": _state(runner),
        "pods": len(runner.pods),
        "reports": sum(pod.missing is None for pod in runner.pods),
        "hosts": len({pod.node for pod in runner.pods if pod.node is not None}),
        "samples": sum(pod.samples or 0 for pod in runner.pods),
        "errors": sum(pod.errors or 0 for pod in runner.pods),
        "p50 ms": _ms(percentiles.get(0.5)),
        "p99 ms": _ms(percentiles.get(0.99)),
    }


def _state(runner: RunnerSummary) -> str:
    """`complete`, or why how many reports are missing, such as `2 not-started, 1 failed`."""
    reasons = Counter(pod.missing.value for pod in runner.pods if pod.missing is not None)
    return ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "complete"


def _lines(report: MergedReport, whole: WholeReport | None) -> Iterable[str]:
    yield f"# {_cell(report.verdict)}"
    yield ""
    yield (
        f"Run `{report.run}` of tracker `{report.tracker}` in namespace `{report.namespace}`, "
        f"{report.duration}; {grouped(report.total)} samples, "
        f"{grouped(sum(report.error_stats.values()))} errors."
    )
    if whole is not None:
        yield ""
        yield _reference(whole)
    for note in report.notes:
        yield f"\n> {_cell(note)}"
    yield "\n## Latency of successes, ms\n"
    yield from _latencies(report)
    if plot := small_plot(report.latency_distribution):
        # A data URI is the one image that an artifact can carry with it.
        encoded = base64.b64encode(plot.encode()).decode()
        yield f"\n![Share of requests by latency](data:image/svg+xml;base64,{encoded})"
    if report.error_stats:
        yield "\n## Errors\n"
        yield "| class | count |"
        yield "|---|---:|"
        for name, count in sorted(report.error_stats.items(), key=lambda i: -i[1])[:_MAX_ROWS]:
            yield f"| {_cell(name)} | {grouped(count)} |"
    if report.coverage.missing:
        yield "\n## Missing reports\n"
        yield "| job | index | pod | host | reason |"
        yield "|---|---:|---|---|---|"
        for pod in report.coverage.missing[:_MAX_ROWS]:
            reason = f"{pod.reason.value}: {pod.detail}" if pod.detail else pod.reason.value
            cells = (pod.job, str(pod.index), pod.pod or "", pod.node or "", reason)
            yield f"| {' | '.join(_cell(cell) for cell in cells)} |"
        if len(report.coverage.missing) > _MAX_ROWS:
            yield f"\nand {len(report.coverage.missing) - _MAX_ROWS} more."


def _reference(whole: WholeReport) -> str:
    """A browser opens no file of the worker's machine: without a URL there is no link."""
    if whole.url is None:
        return f"The whole report is a page on {_cell(whole.host)}: {_cell(whole.path)}"
    return f"[The whole report, with all plots and tables]({whole.url})"


def _latencies(report: MergedReport) -> Iterable[str]:
    if report.percentile_latencies is None:
        yield "Not to be had without raw data."
        return
    by_url = dict(sorted((report.percentile_latencies_by_url or {}).items())[:_MAX_ROWS])
    server = shared_server(list(by_url))
    samples = report.samples_by_url
    rows = [("all requests", report.samples, report.percentile_latencies)]
    # The server's name on every line would push the figures under Prefect's side bar.
    rows += [(without_server(url, server), samples.get(url), by_url[url]) for url in by_url]
    names = [percentile_name(p) for p, _ in report.percentile_latencies] or ["p50"]
    yield f"| request | samples | {' | '.join(names)} |"
    yield f"|---|---:|{'---:|' * len(names)}"
    for url, count, pairs in rows:
        values = [milliseconds(seconds) for _, seconds in pairs] or ["-"] * len(names)
        yield f"| {_cell(url)} | {grouped(count)} | {' | '.join(values)} |"


def _cell(text: str) -> str:
    """Text of a pod in a table cell: no markup, no line breaks, not too long."""
    escaped = safe_text(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_[]|#":
        escaped = escaped.replace(mark, f"&#{ord(mark)};")
    # Else Prefect makes it a link, and shows the escapes in it.
    return escaped.replace("://", "&#58;//")


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
