"""The merged report, schema `mrunners.report/v1`: kperf's keys, and which pods they are about.

`merge` fills it; docs/report.md explains each field.
"""

from __future__ import annotations

import json
from typing import Literal

from pydantic import AwareDatetime, Field
from pydantic_core import PydanticSerializationError

from mrunners.errors import (
    IncompleteError,
    InDoubtError,
    InvalidInputError,
    SloViolatedError,
)
from mrunners.formatting import PERCENTILES, counted
from mrunners.records import Record
from mrunners.refs import RunRef
from mrunners.reports.analysis.error_classes import NO_ERRORS, ErrorClasses
from mrunners.reports.analysis.error_timeline import ErrorTimeline
from mrunners.reports.analysis.finding import Finding, Severity, lines_of
from mrunners.reports.analysis.node_summaries import NodeSummary
from mrunners.reports.analysis.stragglers import Straggler
from mrunners.reports.analysis.throughput import NO_THROUGHPUT, Throughput
from mrunners.reports.conclusion import Conclusion, FailOn, conclude
from mrunners.reports.coverage import Coverage
from mrunners.reports.distribution import LatencyDistribution
from mrunners.reports.outcomes import MissingReason
from mrunners.reports.provenance import Provenance
from mrunners.reports.request_lookup import find_request
from mrunners.reports.resource_summaries import ResourceSummary
from mrunners.reports.slo import SloResult, SloStatus, unmet_lines
from mrunners.reports.traffic import Traffic
from mrunners.text import printable

__all__ = [
    "SCHEMA",
    "FlatSummary",
    "MergedError",
    "MergedReport",
    "PodSummary",
    "RunnerSummary",
    "to_json",
]

SCHEMA: Literal["mrunners.report/v1"] = "mrunners.report/v1"

_PercentileList = tuple[tuple[float, float], ...]


class MergedError(Record):
    """One failed request, with kperf's keys (`duration` is in seconds)."""

    method: str
    url: str
    timestamp: str
    duration_seconds: float = Field(alias="duration")
    type: str
    code: int
    message: str


class FlatSummary(Record):
    """kperf's flat report without raw data, over a set of pods.

    `total` is the number of latency samples, as in kperf's own merge; null when it is unknown.
    Percentiles are null when a report without raw data makes them impossible to compute.
    """

    total: int | None
    duration: str
    error_stats: dict[str, int] = Field(alias="errorStats")
    received_bytes: int = Field(alias="totalReceivedBytes")
    percentile_latencies: _PercentileList | None = Field(alias="percentileLatencies")
    percentile_latencies_by_url: dict[str, _PercentileList] | None = Field(
        alias="percentileLatenciesByURL"
    )

    @property
    def error_count(self) -> int:
        """Number of failed requests."""
        return sum(self.error_stats.values())


class PodSummary(Record):
    """One planned pod: when and where it ran, and what it measured, if its report is merged."""

    index: int
    name: str | None
    node: str | None
    started_at: AwareDatetime | None = Field(alias="startedAt")
    finished_at: AwareDatetime | None = Field(alias="finishedAt")
    exit_code: int | None = Field(alias="exitCode")
    missing: MissingReason | None
    samples: int | None
    errors: int | None
    duration: str | None
    received_bytes: int | None = Field(alias="totalReceivedBytes")
    percentile_latencies: _PercentileList | None = Field(alias="percentileLatencies")
    start_lag_seconds: float | None = Field(default=None, alias="startLagSeconds")
    requests_per_second: float | None = Field(default=None, alias="requestsPerSecond")

    @property
    def nothing_succeeded(self) -> bool:
        """Whether the report is merged and no request of the pod succeeded."""
        return self.missing is None and self.samples == 0


class RunnerSummary(Record):
    """One runner URI: its Job, its pods in the order of their index, and their merged report."""

    uri: str
    job: str
    pods: tuple[PodSummary, ...]
    report: FlatSummary


class MergedReport(FlatSummary):
    """The merged report of a run."""

    # `schema` would hide a method of pydantic's.
    schema_name: Literal["mrunners.report/v1"] = Field(default=SCHEMA, alias="schema")
    tracker: str
    namespace: str
    run: str
    provenance: Provenance | None = None
    coverage: Coverage
    notes: tuple[str, ...]
    start_skew_seconds: float | None = Field(alias="startSkewSeconds")
    requests_by_us: int | None = Field(alias="requestsByUs")
    traffic_by_us: Traffic | None = Field(default=None, alias="trafficByUs")
    overlap_seconds: float | None = Field(default=None, alias="overlapSeconds")
    objectives: tuple[SloResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    throughput: Throughput = NO_THROUGHPUT
    stragglers: tuple[Straggler, ...] = ()
    nodes: tuple[NodeSummary, ...] = ()
    error_classes: ErrorClasses = Field(default=NO_ERRORS, alias="errorClasses")
    errors_by_url: dict[str, int] | None = Field(default=None, alias="errorsByURL")
    error_timeline: ErrorTimeline | None = Field(default=None, alias="errorTimeline")
    resources: tuple[ResourceSummary, ...] | None = None
    runners: tuple[RunnerSummary, ...]
    latency_distribution: LatencyDistribution | None = Field(
        default=None, alias="latencyDistribution"
    )
    latencies_by_url: dict[str, list[float]] | None = Field(default=None, alias="latenciesByURL")
    errors: tuple[MergedError, ...] | None = None

    @property
    def samples(self) -> int | None:
        """Number of samples that the percentiles are computed from; None without raw data."""
        return None if self.latency_distribution is None else self.latency_distribution.samples

    @property
    def samples_by_url(self) -> dict[str, int]:
        """Number of samples of each request in the latency distribution."""
        return {} if self.latency_distribution is None else self.latency_distribution.samples_by_url

    @property
    def ref(self) -> RunRef:
        """The run's name."""
        return RunRef(self.namespace, self.tracker)

    @property
    def complete(self) -> bool:
        """Whether every planned report is merged, every pod had a success, and no error is found.

        An error is a finding of that severity: the figures are not about the configured load.
        """
        return self.conclusion() is Conclusion.COMPLETE

    @property
    def objectives_met(self) -> bool:
        """Whether every objective is met."""
        return all(result.status is SloStatus.MET for result in self.objectives)

    @property
    def in_doubt(self) -> bool:
        """Whether a finding of severity `error` puts the figures in doubt."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def verdict(self) -> str:
        """One short, printable line for people, such as `6 of 6 reports merged`."""
        unmet = sum(result.status is not SloStatus.MET for result in self.objectives)
        slo = f"; {unmet} of {counted(len(self.objectives), 'objective')} not met" if unmet else ""
        doubt = "; the figures are in doubt" if self.in_doubt else ""
        return f"{self.coverage.verdict}{slo}{doubt}"

    @property
    def problems(self) -> tuple[str, ...]:
        """Objectives that are not met, and the errors and warnings found, line by line."""
        return (*unmet_lines(self.objectives), *lines_of(self.findings))

    def conclusion(self, fail_on: FailOn = FailOn.ERROR) -> Conclusion:
        """Return whether the report can be relied on, and whether its objectives are met.

        Args:
            fail_on: From which severity on a finding puts it in doubt.
        """
        return conclude(
            complete=self.coverage.complete,
            findings=self.findings,
            objectives_met=self.objectives_met,
            fail_on=FailOn(fail_on),
        )

    def require_complete(self, fail_on: FailOn = FailOn.ERROR) -> None:
        """Raise an error unless the report can be relied on, and its objectives are met.

        Args:
            fail_on: From which severity on a finding puts it in doubt.

        Raises:
            IncompleteError: Reports are missing, or a pod had no success at all.
            SloViolatedError: An objective is violated or cannot be judged.
            InDoubtError: Findings put the figures in doubt.
        """
        conclusion = self.conclusion(fail_on)
        text = "\n".join((self.verdict, *self.problems))
        if conclusion is Conclusion.INCOMPLETE:
            raise IncompleteError(text)
        if conclusion is Conclusion.SLO_VIOLATED:
            raise SloViolatedError(text)
        if conclusion is Conclusion.IN_DOUBT:
            raise InDoubtError(text)

    def percentile(self, p: float, *, url: str | None = None) -> float:
        """Return a percentile of the latencies of all merged reports, in seconds.

        Args:
            p: One of kperf's percentiles: 0 (the minimum), 0.5, 0.9, 0.95, 0.99 or 1.
            url: The request, as the report names it or shorter: without the server
                (`LIST /api/v1/pods`), without the query, or with `…` for any text
                (`LIST …/pods`). None means all requests together.

        Raises:
            InvalidInputError: kperf has no such percentile, or `url` does not name exactly one
                request.
            IncompleteError: The report has no samples, or a merged report has no raw data.
        """
        if p not in PERCENTILES:
            known = ", ".join(f"{percentile:g}" for percentile in PERCENTILES)
            raise InvalidInputError(f"{p} is not one of kperf's percentiles: {known}")
        report = f"the report of tracker {self.namespace}/{self.tracker}"
        pairs, by_url = self.percentile_latencies, self.percentile_latencies_by_url
        if pairs is None or by_url is None:
            raise IncompleteError(
                f"{report} has no percentiles: some of the merged reports have no raw data; run "
                "kperf with --raw-data"
            )
        of_request = ""
        if url is not None and (by_url or self.errors_by_url):
            # A request of which every one failed is known too; it has no samples.
            request = find_request(url, {**by_url, **(self.errors_by_url or {})})
            pairs, of_request = by_url.get(request, ()), f" of {printable(request)}"
            if failed := (self.errors_by_url or {}).get(request):
                of_request += f", which failed {counted(failed, 'time')}"
        seconds = dict(pairs).get(p)
        if seconds is None:
            raise IncompleteError(f"{report} has no samples{of_request}: {self.verdict}")
        return seconds


def to_json(report: MergedReport) -> str:
    """Return the report as JSON: stable, indented, every float at full precision.

    The text is ASCII, because a URL or an error's message may have characters that a terminal
    interprets.

    Returns:
        One JSON object and a newline; `latenciesByURL` and `errors` only when the merge kept raw
        data.
    """
    absent = {name for name in ("latencies_by_url", "errors") if getattr(report, name) is None}
    try:
        text = report.model_dump_json(by_alias=True, indent=2, ensure_ascii=True, exclude=absent)
    except PydanticSerializationError:
        # A lone surrogate, which Python makes of an argument that is not UTF-8. JSON cannot hold
        # it, and the report must not be lost over one character: it becomes U+FFFD.
        loose = json.dumps(
            report.model_dump(mode="json", by_alias=True, exclude=absent), ensure_ascii=False
        )
        # UTF-16 pairs surrogates, so that only lone ones are left to replace.
        whole = loose.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        text = json.dumps(json.loads(whole), indent=2)
    return text + "\n"
