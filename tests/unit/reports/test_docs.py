"""docs/report.md explains every key and every reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from mrunners.render.html.missing import REASONS
from mrunners.reports import log_size
from mrunners.reports.analysis.error_classes import ErrorClass, ErrorClasses, RequestErrors
from mrunners.reports.analysis.error_timeline import ErrorTimeline
from mrunners.reports.analysis.finding import Finding, FindingKind
from mrunners.reports.analysis.node_summaries import NodeSummary
from mrunners.reports.analysis.stragglers import Straggler
from mrunners.reports.analysis.throughput import JobThroughput, Throughput, ThroughputLimit
from mrunners.reports.coverage import Coverage, MissingPod
from mrunners.reports.distribution import LatencyDistribution
from mrunners.reports.merged import (
    FlatSummary,
    MergedError,
    MergedReport,
    PodSummary,
    RunnerSummary,
)
from mrunners.reports.outcomes import MissingReason
from mrunners.reports.provenance import ProfileCopy, Provenance, RunnerImage
from mrunners.reports.resource_summaries import ResourceSummary

DOCS = (Path(__file__).parents[3] / "docs" / "report.md").read_text(encoding="utf-8")


def test_the_table_has_every_missing_reason_and_no_other() -> None:
    section = DOCS.split("## Why a report is missing")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE)
    assert rows == [reason.value for reason in MissingReason]


def test_the_page_says_what_each_reason_means_in_the_same_words() -> None:
    section = DOCS.split("## Why a report is missing")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.*?) \|", section, re.MULTILINE)
    assert {reason.value: meaning for reason, (meaning, _) in REASONS.items()} == {
        name: meaning.replace("`", "") for name, meaning in rows
    }


@pytest.mark.parametrize(
    "model",
    [
        Coverage,
        ErrorClass,
        ErrorClasses,
        ErrorTimeline,
        Finding,
        FlatSummary,
        NodeSummary,
        JobThroughput,
        LatencyDistribution,
        MergedError,
        MergedReport,
        ProfileCopy,
        Provenance,
        RunnerImage,
        MissingPod,
        PodSummary,
        RequestErrors,
        ResourceSummary,
        RunnerSummary,
        Straggler,
        Throughput,
    ],
)
def test_every_key_is_explained(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        assert re.search(rf"[`.]{re.escape(field.alias or name)}\b", DOCS), name


def test_every_kind_of_finding_and_every_limit_is_explained() -> None:
    for word in (*FindingKind, *ThroughputLimit):
        assert f"`{word.value}`" in DOCS, word


def test_the_documented_sizes_are_those_of_the_script() -> None:
    assert f"{log_size.LINE_OVERHEAD_BYTES} bytes for each line" in DOCS
    assert f"{-(-log_size.FRAME_MARGIN_BYTES // 1024)} KiB for the rest" in DOCS
    assert f"the last {log_size.OUTPUT_LINES} lines of what kperf writes" in DOCS
    assert f"at most {log_size.OUTPUT_BYTES // 1024} KiB" in DOCS
