"""What a person should know about a run, most serious first: sentences, each with what to do.

It must not measure: it reads the other analyses. What is missing is the verdict's to say.
"""

from __future__ import annotations

from enum import StrEnum

from mrunners.records import Record

__all__ = ["Finding", "FindingKind", "Severity"]


class Severity(StrEnum):
    """How much a finding weighs; ERROR: the figures do not say what was asked."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class FindingKind(StrEnum):
    """What a finding is about; docs/report.md has a section for each."""

    ERRORS = "errors"
    CLIENT_LIMIT = "client-limit"
    ANSWERS_LIMIT = "answers-limit"
    STRAGGLER = "straggler"
    SLOW_NODE = "slow-node"
    START_SKEW = "start-skew"


class Finding(Record):
    """One thing to know.

    Attributes:
        text: what was found, in one printable line with the figures.
        advice: what to do about it, in one line.
    """

    severity: Severity
    kind: FindingKind
    text: str
    advice: str
