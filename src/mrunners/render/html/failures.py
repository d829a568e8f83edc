"""The section on failed requests: when they failed, how, and which of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from mrunners.durations import format_duration
from mrunners.formatting import counted, grouped, percent
from mrunners.render.html.plots.error_strip import draw_error_strip
from mrunners.render.html.tables import Cell, Column, Table, cell, number
from mrunners.render.request_rows import error_times, names_of_requests
from mrunners.reports.analysis.error_classes import ErrorClass
from mrunners.reports.merged import MergedReport

__all__ = ["Failures", "failures"]


@dataclass(frozen=True, slots=True)
class Failures:
    """The section on failed requests.

    Attributes:
        strip: The plot of how many failed at each time; empty when nothing failed or the time is
            unknown.
        bucket: The length of that plot's bars, such as `5s`.
        times: The same in a sentence.
        table: The failed requests by class.
    """

    strip: Markup
    bucket: str
    times: str
    table: Table


def failures(report: MergedReport) -> Failures:
    """Return the section on failed requests."""
    timeline = report.error_timeline
    times = "" if timeline is None else error_times(timeline)
    return Failures(
        strip=draw_error_strip(
            timeline, description=f"How many requests failed at each time: {times}."
        ),
        bucket="" if timeline is None else format_duration(timeline.bucket_seconds),
        times=times,
        table=_classes_table(report),
    )


def _classes_table(report: MergedReport) -> Table:
    """Return the failed requests by class, the most frequent first."""
    errors = report.error_classes
    names = names_of_requests(report).names
    note = (
        "Messages that differ only in addresses, numbers, IDs or times are one class; errorStats "
        "in the JSON report has every message."
    )
    if errors.more_classes:
        note += (
            f" {grouped(errors.more_errors)} errors of {grouped(errors.more_classes)} rarer "
            "classes are left out here."
        )
    return Table(
        name="errors",
        title="Failed requests by class",
        note=note,
        rows_are="classes",
        columns=(
            Column("class", numeric=False, sub="example"),
            Column("most often", numeric=False, sub="of these"),
            *map(Column, ("count", "share", "pods", "nodes")),
        ),
        rows=tuple(
            (
                cell(
                    error_class.name,
                    ""
                    if error_class.example == error_class.name
                    else f"such as {error_class.example}",
                ),
                _most_often(error_class, names),
                number(grouped(error_class.count)),
                Cell(
                    percent(error_class.count / errors.total),
                    share=error_class.count / errors.total,
                ),
                number(grouped(error_class.pods)),
                number(grouped(error_class.nodes)),
            )
            for error_class in errors.classes
        ),
    )


def _most_often(error_class: ErrorClass, names: Mapping[str, str]) -> Cell:
    """Return the request that failed most often in this way, and how many others did."""
    if not error_class.requests:
        return cell(None)
    first = error_class.requests[0]
    others = len(error_class.requests) - 1 + error_class.more_requests
    note = f"{grouped(first.count)} of {grouped(error_class.count)}"
    if others:
        note += f"; {counted(others, 'other request')}"
    return cell(names[first.request], note)
