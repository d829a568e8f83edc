"""What each fault cost on each kind of hosts, for the table in docs/reliability.md."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.commands import Finished

__all__ = ["RESULTS", "Cost", "FaultRow", "Figure", "add_rows", "merged_rows", "record_row"]

# Written at the end of `make test-faults` and `make test-kubelet`, over the rows of the same faults
# of an earlier one. `make test`, which has only some of them, writes none.
RESULTS = Path(__file__).parents[2] / "build" / "faults" / "results.json"

_VARIABLE = "MRUNNERS_TEST_FAULT_RESULTS"
_PROPERTY = "fault row"

Figure = Callable[[str], None]
"""Adds a line to the figures that are printed at the end."""

Cost = Callable[[str, Finished], None]
"""Adds a row: the fault, and what `result` printed after it."""


@dataclass(frozen=True)
class FaultRow:
    """What a fault cost the runs that met it.

    Attributes:
        fault: What happened.
        hosts: `process` or `kubelet`.
        runs: How many runs met it.
        expected: How many reports were planned.
        fetched: How many reports are in the merged ones.
        missing: How many are not, by the reason that is given.
        lost: Reports without a stated reason that can never be fetched.
        twice: Jobs or completion indexes that were made once more.
        false_success: Successes that were claimed and were none.
    """

    fault: str
    hosts: str
    runs: int
    expected: int
    fetched: int
    missing: Mapping[str, int]
    lost: int = 0
    twice: int = 0
    false_success: int = 0


def record_row(request: pytest.FixtureRequest, row: FaultRow) -> None:
    """Keep a row with the report of a test, which may run in another process."""
    request.node.user_properties.append((_PROPERTY, asdict(row)))


def merged_rows(rows: Iterable[FaultRow]) -> list[FaultRow]:
    """Return one row for each fault and kind of hosts, in the order of their first rows."""
    groups: dict[tuple[str, str], list[FaultRow]] = {}
    for row in rows:
        groups.setdefault((row.fault, row.hosts), []).append(row)
    return [
        FaultRow(
            fault=fault,
            hosts=hosts,
            runs=sum(row.runs for row in group),
            expected=sum(row.expected for row in group),
            fetched=sum(row.fetched for row in group),
            missing=dict(sum((Counter(row.missing) for row in group), Counter[str]())),
            lost=sum(row.lost for row in group),
            twice=sum(row.twice for row in group),
            false_success=sum(row.false_success for row in group),
        )
        for (fault, hosts), group in groups.items()
    ]


def add_rows(reports: Iterable[pytest.TestReport]) -> None:
    """Write the rows of finished tests into the results; those of other faults stay."""
    values: list[Any] = [
        value
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == _PROPERTY
    ]
    new = merged_rows(FaultRow(**value) for value in values)
    if not new or _VARIABLE not in os.environ:
        return
    known = {(row.fault, row.hosts) for row in new}
    old = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    kept = [row for row in old if (row["fault"], row["hosts"]) not in known]
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps([*kept, *map(asdict, new)], indent=1) + "\n")
