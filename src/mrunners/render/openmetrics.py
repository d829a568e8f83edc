"""The figures of a merged report as OpenMetrics text, for Prometheus and what reads its format.

All are gauges: a run is over, and its figures are those of one moment. See
https://prometheus.io/docs/specs/om/open_metrics_spec/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from mrunners.reports.analysis.finding import Severity
from mrunners.reports.merged import MergedReport
from mrunners.reports.slo import SloStatus
from mrunners.text import printable

__all__ = ["render_openmetrics"]

_PREFIX: Final = "mrunners"
_VALUE_CHARACTERS: Final = 1_000
_NO_LABEL_NAME: Final = re.compile(r"[^a-zA-Z0-9_]")


def render_openmetrics(report: MergedReport) -> str:
    """Return the metrics; those that are not known are left out.

    Args:
        report: The merged report; its strings may be hostile.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(report))
    text: bytes = generate_latest(registry)
    return text.decode()


class _Figures(Collector):
    """The metrics of one report, each with the labels that name its run."""

    def __init__(self, report: MergedReport) -> None:
        self._report = report
        self._labels = {
            "namespace": report.namespace,
            "tracker": report.tracker,
            "run": report.run,
        }

    def collect(self) -> Iterator[Metric]:
        """Yield the metric families; the registry calls it."""
        yield self._info()
        for name, help_text, value in _single_figures(self._report):
            if value is not None:
                yield self._gauge(name, help_text, [({}, value)])
        for name, help_text, values in _figures_with_labels(self._report):
            yield self._gauge(name, help_text, values)

    def _gauge(
        self, name: str, help_text: str, values: Iterable[tuple[Mapping[str, str], float]]
    ) -> Metric:
        family = GaugeMetricFamily(f"{_PREFIX}_{name}", help_text)
        for labels, value in values:
            family.add_sample(family.name, _safe({**self._labels, **labels}), value)
        return family

    def _info(self) -> Metric:
        # Not an info metric, which Prometheus' own text format does not have.
        family = GaugeMetricFamily(f"{_PREFIX}_run_info", "What was run.")
        labels = dict(self._labels)
        if (provenance := self._report.provenance) is not None:
            labels |= {
                "image": provenance.image,
                "kperf_release": provenance.kperf_release or "",
                "server_version": provenance.server_version or "",
                "mrunners_version": provenance.mrunners_version,
                # As kube-state-metrics names labels of objects.
                **{f"label_{key}": value for key, value in provenance.labels.items()},
            }
        family.add_sample(family.name, _safe(labels), 1)
        return family


def _safe(labels: Mapping[str, str]) -> dict[str, str]:
    return {
        _NO_LABEL_NAME.sub("_", name): printable(value, _VALUE_CHARACTERS)
        for name, value in labels.items()
    }


def _single_figures(report: MergedReport) -> Iterator[tuple[str, str, float | None]]:
    provenance, throughput = report.provenance, report.throughput
    for edge, moment in (
        ("started", None if provenance is None else provenance.started_at),
        ("finished", None if provenance is None else provenance.finished_at),
    ):
        value = None if moment is None else moment.timestamp()
        yield f"run_{edge}_timestamp_seconds", f"When the load {edge}.", value
    yield "reports_expected", "Reports of the plan.", report.coverage.expected
    yield "reports_merged", "Reports that are merged.", report.coverage.merged
    yield "successes", "Requests that succeeded.", report.total
    yield "failures", "Requests that failed.", report.error_count
    yield "received_bytes", "Bytes that runners received.", report.received_bytes
    yield (
        "start_skew_seconds",
        "From the first pod's start to the last's.",
        report.start_skew_seconds,
    )
    yield (
        "achieved_requests_per_second",
        "Requests of all pods, by wall time.",
        throughput.achieved_per_second,
    )
    yield (
        "target_requests_per_second",
        "What the load profiles ask for.",
        throughput.target_per_second,
    )


def _figures_with_labels(
    report: MergedReport,
) -> Iterator[tuple[str, str, list[tuple[Mapping[str, str], float]]]]:
    yield (
        "latency_seconds",
        "Latency of successes of all requests.",
        [({"quantile": f"{p:g}"}, value) for p, value in report.percentile_latencies or ()],
    )
    yield (
        "request_latency_seconds",
        "Latency of successes, by request.",
        [
            ({"request": request, "quantile": f"{p:g}"}, value)
            for request, percentiles in (report.percentile_latencies_by_url or {}).items()
            for p, value in percentiles
        ],
    )
    yield (
        "request_failures",
        "Requests that failed, by request.",
        [({"request": request}, count) for request, count in (report.errors_by_url or {}).items()],
    )
    yield (
        "error_failures",
        "Requests that failed, by kperf's class of error.",
        [({"class": name}, count) for name, count in report.error_stats.items()],
    )
    yield (
        "objective_met",
        "Whether an objective is met.",
        [
            ({"objective": result.objective}, float(result.status is SloStatus.MET))
            for result in report.objectives
        ],
    )
    yield (
        "findings",
        "Findings, by severity.",
        [
            (
                {"severity": severity.value},
                sum(finding.severity is severity for finding in report.findings),
            )
            for severity in Severity
        ],
    )
