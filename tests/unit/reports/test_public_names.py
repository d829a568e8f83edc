"""The public names of the room, pinned: who renames one breaks somebody."""

from __future__ import annotations

import importlib

import pytest

PUBLIC = {
    "analysis.analyse": ["Analysis", "analyse"],
    "analysis.error_classes": [
        "MOST_CLASSES",
        "NO_ERRORS",
        "ErrorClass",
        "ErrorClasses",
        "error_classes",
    ],
    "analysis.error_findings": ["error_findings"],
    "analysis.figures": ["PodFigures", "pod_figures"],
    "analysis.findings": ["Finding", "FindingKind", "Severity"],
    "analysis.folding": ["fold"],
    "analysis.hosts": ["HostSummary", "host_summaries"],
    "analysis.judging": ["Judged", "findings_of"],
    "analysis.starts": [
        "first_start",
        "overlap_seconds",
        "start_lag_seconds",
        "start_skew_seconds",
    ],
    "analysis.stragglers": ["Straggler", "StragglerMetric", "modified_z_scores", "stragglers_of"],
    "analysis.throughput": [
        "NO_THROUGHPUT",
        "AskedLoad",
        "JobThroughput",
        "Throughput",
        "ThroughputLimit",
        "clients_busy",
        "throughput_of",
    ],
    "coverage": ["Coverage", "MissingPod", "PodRef"],
    "distribution": ["MOST_URLS", "LatencyDistribution", "latency_distribution"],
    "frame": ["FrameAddress", "extract_report"],
    "kperf_report": ["FIRST_READABLE_RELEASE", "parse_report"],
    "limits": ["MAX_RUN_ERRORS", "MAX_RUN_SAMPLES", "Admission"],
    "merge": ["merge"],
    "merged": [
        "SCHEMA",
        "FlatSummary",
        "MergedError",
        "MergedReport",
        "PodSummary",
        "RunnerSummary",
        "to_json",
    ],
    "outcomes": ["PodOutcome", "RunIdentity"],
    "percentiles": ["PERCENTILES", "percentile_latencies"],
    "plain_log": ["extract_plain_report"],
    "problems": ["MissingReason", "UnusableReportError"],
    "runner_script": [
        "FRAME_OVERHEAD_PER_LINE",
        "STDERR_MARGIN_BYTES",
        "ReportMode",
        "runner_command",
    ],
    "samples": ["KperfReport", "Percentiles", "RequestError"],
}


@pytest.mark.parametrize(("module", "names"), PUBLIC.items(), ids=PUBLIC)
def test_the_public_names_are_these(module: str, names: list[str]) -> None:
    found = importlib.import_module(f"mrunners.reports.{module}")
    assert sorted(found.__all__) == sorted(names)
