"""Summarize one flat report, so that each spec of a profile can be judged without its samples."""

from __future__ import annotations

import math

from mrunners.reports.flat_report import FlatReport
from mrunners.reports.samples import SpecFigures

__all__ = ["spec_figures"]


def spec_figures(report: FlatReport, *, alone: bool) -> SpecFigures:
    """Return the figures of the spec that a flat report is about.

    Args:
        report: The spec's report.
        alone: Whether it is the only spec. A later one may have stopped before its total.
    """
    shortest, longest = _extremes(report)
    return SpecFigures(
        requests=_requests(report, alone=alone),
        duration_ns=report.duration_ns,
        busy_seconds=_busy_seconds(report),
        shortest_seconds=shortest,
        longest_seconds=longest,
    )


def _requests(report: FlatReport, *, alone: bool) -> int | None:
    if report.samples is not None:
        return report.samples + report.error_count
    # Without raw data only the configured total is known; 0 means that a duration decided.
    return report.total or None if alone else None


def _busy_seconds(report: FlatReport) -> float | None:
    if report.latencies_by_url is None:
        return None
    successes = math.fsum(map(math.fsum, report.latencies_by_url.values()))
    return successes + math.fsum(error.duration_seconds for error in report.errors)


def _extremes(report: FlatReport) -> tuple[float | None, float | None]:
    """Return the shortest and the longest wait for an answer."""
    if report.latencies_by_url is None:
        # kperf's percentiles include the minimum and the maximum, but no failed request.
        at = {} if report.error_count else dict(report.percentiles)
        return at.get(0.0), at.get(1.0)
    # kperf's samples are sorted, and the parser requires it.
    pools = [pool for pool in report.latencies_by_url.values() if pool]
    errors = [error.duration_seconds for error in report.errors]
    shortest = min([*(pool[0] for pool in pools), *errors], default=None)
    longest = max([*(pool[-1] for pool in pools), *errors], default=None)
    return shortest, longest
