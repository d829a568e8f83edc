"""The guide in docs/report.md shows exactly what the table prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mrunners.render.terminal.report_table import render_table
from mrunners.reports.analysis.finding import FindingKind
from tests.unit.render.guide_report import guide_report

DOCS = (Path(__file__).parents[3] / "docs" / "report.md").read_text(encoding="utf-8")
GUIDE = DOCS.split("## How to read it\n")[1].split("\n## ")[0]
EXAMPLES = re.findall(r"\n\n((?:    .+\n)+)", GUIDE)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_each_example_is_part_of_the_table(example: str) -> None:
    expected = re.sub(r"^    ", "", example, flags=re.MULTILINE)
    assert expected in render_table(guide_report())


def test_the_guide_has_an_example_of_each_part() -> None:
    assert len(EXAMPLES) >= 9


@pytest.mark.parametrize("kind", FindingKind)
def test_the_guide_explains_each_kind_of_finding(kind: FindingKind) -> None:
    assert re.search(rf"^\*\*.*`{kind.value}`.*\*\*$", GUIDE, re.MULTILINE)
