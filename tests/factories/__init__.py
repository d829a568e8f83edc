"""Logs, reports, outcomes and merged reports for tests and benchmarks.

`frames` and `reports` are written by hand and share no code with what they test. `outcomes` and
`merged` go through the real parser and the real merge. `real_kperf`, which is not imported here,
runs kperf against a cluster.
"""

from tests.factories.frames import (
    ADDRESS,
    RUN_ID,
    begin_line,
    body_of,
    end_line,
    folded,
    framed,
    framed_parts,
    part_fields,
)
from tests.factories.merged import HOSTILE, hostile_report, large_report
from tests.factories.outcomes import RUN, merged_pod, missing_pod, traffic
from tests.factories.random_reports import random_reports
from tests.factories.reports import START, Json, error, failures, flat, multi, percentiles, printed
from tests.factories.sampled_reports import sampled_report

__all__ = [
    "ADDRESS",
    "HOSTILE",
    "RUN",
    "RUN_ID",
    "START",
    "Json",
    "begin_line",
    "body_of",
    "end_line",
    "error",
    "failures",
    "flat",
    "folded",
    "framed",
    "framed_parts",
    "hostile_report",
    "large_report",
    "merged_pod",
    "missing_pod",
    "multi",
    "part_fields",
    "percentiles",
    "printed",
    "random_reports",
    "sampled_report",
    "traffic",
]
