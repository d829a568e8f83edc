"""The record of a finding: one thing that a person should know about a run, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from mrunners.records import Record

__all__ = ["Finding", "FindingKind", "Severity", "lines_of"]


class Severity(StrEnum):
    """How serious a finding is; ERROR: the figures are not about the configured load."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """The most serious one has 0."""
        return list(Severity).index(self)


class FindingKind(StrEnum):
    """What a finding is about; docs/report.md has a section for each."""

    ERRORS = "errors"
    PROFILE = "profile"
    CLIENT_LIMIT = "client-limit"
    ANSWERS_LIMIT = "answers-limit"
    TARGET_MISSED = "target-missed"
    STRAGGLER = "straggler"
    SLOW_NODE = "slow-node"
    START_SKEW = "start-skew"
    SEVERAL_IMAGES = "several-images"


class Finding(Record):
    """One thing that a person should know about a run.

    Attributes:
        text: What was found, in one printable line with the figures.
        advice: What to do about it, in one line.
    """

    severity: Severity
    kind: FindingKind
    text: str
    advice: str


def lines_of(findings: Iterable[Finding]) -> list[str]:
    """Return the errors and warnings as lines of text, each followed by its advice, indented."""
    return [
        line
        for finding in findings
        if finding.severity is not Severity.INFO
        for line in (f"{finding.severity.value}: {finding.text}", f"  {finding.advice}")
    ]
