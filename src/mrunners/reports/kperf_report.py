"""Parse the report of one kperf runner, of any release, and refuse one that does not add up.

The text is untrusted, and nothing in it is repaired. Source of the formats: kperf,
api/types/metric.go, v0.0.1 to v0.3.5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from mrunners.reports import json_fields as fields
from mrunners.reports.columnar_json import parse_document
from mrunners.reports.flat_report import FlatReport, parse_flat
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from mrunners.reports.samples import KperfReport, SpecFigures
from mrunners.reports.strict_json import JsonObject

__all__ = ["FIRST_READABLE_RELEASE", "parse_report"]

# v0.1.5 and v0.1.6 already print latencies per URL, but the older object of error statistics.
FIRST_READABLE_RELEASE = "0.1.7"

# errorStats of v0.1.6 and before: always all four, from a Go struct without omitempty.
_LEGACY_ERROR_KEYS = {"unknownErrors", "netErrors", "responseCodes", "http2Errors"}

_MULTI_KEYS = {"perSpecResults", "aggregated"}


def parse_report(raw: bytes) -> KperfReport:
    """Parse one runner's report.

    Args:
        raw: The JSON as kperf wrote it: a flat report (up to v0.3.4), or `perSpecResults` with
            `aggregated` (since v0.3.5), of which `aggregated` is used.

    Returns:
        The report; every float is the double nearest to the number in the text.

    Raises:
        UnusableReportError: With the reason `invalid-json`, `legacy-report`, or `invalid-report`
            and the facts that contradict each other.
    """
    document = parse_document(raw)
    if not fields.items(document, "perSpecResults"):
        return _from_specs([_flat(document)])
    specs: list[FlatReport] = []
    for spec in fields.items(document, "perSpecResults"):
        if not isinstance(spec, dict):
            raise fields.invalid("perSpecResults has an element that is not an object")
        specs.append(_flat(spec))
    aggregated = _flat(fields.mapping(document, "aggregated"))
    _require_agreement(specs, aggregated)
    if len(specs) == 1:
        aggregated = _with_columns_of(specs[0], aggregated)
    unknown = tuple(sorted(set(document) - _MULTI_KEYS))
    return _from_specs(specs, aggregated, unknown)


def _with_columns_of(spec: FlatReport, aggregated: FlatReport) -> FlatReport:
    """Return the aggregate of a single spec with its columns: kperf prints them twice."""
    whole = aggregated.latencies_by_url
    same = whole is not None and whole == spec.latencies_by_url
    return replace(aggregated, latencies_by_url=spec.latencies_by_url) if same else aggregated


def _flat(document: JsonObject) -> FlatReport:
    stats = document.get("errorStats")
    if "latencies" in document or (isinstance(stats, dict) and set(stats) >= _LEGACY_ERROR_KEYS):
        raise UnusableReportError(
            MissingReason.LEGACY_REPORT,
            "the report is of kperf 0.1.6 or earlier; "
            f"use an image of {FIRST_READABLE_RELEASE} or later",
        )
    return parse_flat(document)


def _from_specs(
    specs: Sequence[FlatReport],
    aggregated: FlatReport | None = None,
    unknown: tuple[str, ...] = (),
) -> KperfReport:
    for number, spec in enumerate(specs):
        _require_total(spec, number)
    whole = specs[0] if aggregated is None else aggregated
    return KperfReport(
        total=whole.total,
        duration_ns=whole.duration_ns,
        samples=_samples(specs, whole),
        error_stats=whole.error_stats,
        errors=whole.errors,
        received_bytes=whole.received_bytes,
        latencies_by_url=whole.latencies_by_url,
        percentiles=whole.percentiles or None,
        percentiles_by_url=whole.percentiles_by_url,
        unknown_keys=tuple(sorted({*unknown, *whole.unknown_keys})),
        specs=tuple(_spec_figures(spec, alone=len(specs) == 1) for spec in specs),
    )


def _samples(specs: Sequence[FlatReport], whole: FlatReport) -> int | None:
    """Return the number of successes: counted, or else the configured total less the errors."""
    if whole.samples is not None:
        return whole.samples
    # A later spec may have stopped before its total (see _require_total): nothing is known then.
    if len(specs) == 1 and whole.total > 0:
        return whole.total - whole.error_count
    return None


def _require_total(spec: FlatReport, number: int) -> None:
    """Require as many requests as `total` configures.

    kperf ignores `duration` beside `total` in the first spec only (runner.go, loadConfig). A later
    spec that has both stops at whichever comes first, so it may have sent fewer.
    """
    if spec.total == 0:
        return
    if spec.samples is None:
        if spec.error_count > spec.total:
            raise fields.invalid(f"total is {spec.total}, but there are {spec.error_count} errors")
        return
    attempts = spec.samples + spec.error_count
    if attempts > spec.total or (number == 0 and attempts != spec.total):
        raise fields.invalid(
            f"total is {spec.total}, but {spec.samples} samples and {spec.error_count} errors "
            f"make {attempts}"
        )


def _require_agreement(specs: Sequence[FlatReport], whole: FlatReport) -> None:
    """Require that `aggregated` is the sum of the specs (kperf, runner.go, aggregateResults)."""
    sums: tuple[tuple[str, int, int], ...] = (
        ("total", sum(s.total for s in specs), whole.total),
        ("duration", sum(s.duration_ns for s in specs), whole.duration_ns),
        ("errors", sum(s.error_count for s in specs), whole.error_count),
        ("totalReceivedBytes", sum(s.received_bytes for s in specs), whole.received_bytes),
    )
    if whole.latencies_by_url is not None:
        samples = sum(s.samples or 0 for s in specs)
        sums += (("samples", samples, whole.samples or 0),)
    for field, summed, aggregated in sums:
        if summed != aggregated:
            raise fields.invalid(
                f"{field}: the specs have {summed} together, aggregated has {aggregated}"
            )


def _spec_figures(report: FlatReport, *, alone: bool) -> SpecFigures:
    """Return the figures of the spec that a flat report is about.

    Args:
        report: The spec's report.
        alone: Whether it is the only spec. A later one may have stopped before its total.
    """
    shortest, longest = _extremes(report)
    return SpecFigures(
        requests=_request_count(report, alone=alone),
        duration_ns=report.duration_ns,
        busy_seconds=_busy_seconds(report),
        shortest_seconds=shortest,
        longest_seconds=longest,
    )


def _request_count(report: FlatReport, *, alone: bool) -> int | None:
    if report.samples is not None:
        return report.samples + report.error_count
    # Without raw data only the configured total is known; 0 means that a duration decided.
    return report.total or None if alone else None


def _busy_seconds(report: FlatReport) -> float | None:
    if report.latencies_by_url is None:
        return None
    successes = math.fsum(column.sum for column in report.latencies_by_url.values())
    return successes + math.fsum(error.duration_seconds for error in report.errors)


def _extremes(report: FlatReport) -> tuple[float | None, float | None]:
    """Return the shortest and the longest wait for an answer."""
    if report.latencies_by_url is None:
        # kperf's percentiles include the minimum and the maximum, but no failed request.
        at = {} if report.error_count else dict(report.percentiles)
        return at.get(0.0), at.get(1.0)
    # kperf's samples are sorted, and the parser requires it.
    columns = [column for column in report.latencies_by_url.values() if len(column)]
    errors = [error.duration_seconds for error in report.errors]
    shortest = min([*(column.first for column in columns), *errors], default=None)
    longest = max([*(column.last for column in columns), *errors], default=None)
    return shortest, longest
