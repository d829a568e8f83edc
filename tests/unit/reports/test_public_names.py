"""The public names of the room, pinned: who renames one breaks somebody."""

from __future__ import annotations

import importlib

import pytest

PUBLIC = {
    "coverage": ["Coverage", "MissingPod", "PodRef"],
    "distribution": ["MOST_URLS", "LatencyDistribution", "latency_distribution"],
    "frame": ["FrameAddress", "extract_report"],
    "kperf_report": ["FIRST_READABLE_RELEASE", "parse_report"],
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
