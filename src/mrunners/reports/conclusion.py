"""Decides whether a run can be relied on: complete, in doubt, incomplete or unfinished.

Exit codes, states, events and colors follow the conclusion; none of them decides anew. Nothing
heavy is imported here, because the table of options needs `FailOn`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from mrunners.errors import ExitCode

if TYPE_CHECKING:
    from mrunners.reports.analysis.finding import Finding, Severity

__all__ = ["Conclusion", "FailOn", "conclude"]


class FailOn(StrEnum):
    """From which severity on a finding makes a run fail whose reports are all merged."""

    ERROR = "error"
    """The figures are not about the configured load."""

    WARNING = "warning"
    """The figures need a second look."""

    NEVER = "never"

    def includes(self, severity: Severity) -> bool:
        """Whether a finding of this severity makes a run fail."""
        return severity.value in _FAILING[self]


class Conclusion(StrEnum):
    """Whether a run can be relied on."""

    COMPLETE = "complete"
    """Every planned report is merged, and no finding makes the run fail."""

    SLO_VIOLATED = "slo-violated"
    """Every planned report is merged, and an objective is violated or cannot be judged."""

    IN_DOUBT = "in-doubt"
    """Every planned report is merged, but a finding says that the figures may mislead."""

    INCOMPLETE = "incomplete"
    """Jobs failed, reports are missing, or pods had no success at all."""

    UNFINISHED = "unfinished"
    """Jobs can still finish."""

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a command that ends with it."""
        return _EXIT_CODES[self]


_EXIT_CODES: Final = {
    Conclusion.COMPLETE: ExitCode.DONE,
    Conclusion.SLO_VIOLATED: ExitCode.SLO_VIOLATED,
    Conclusion.IN_DOUBT: ExitCode.IN_DOUBT,
    Conclusion.INCOMPLETE: ExitCode.INCOMPLETE,
    Conclusion.UNFINISHED: ExitCode.STILL_RUNNING,
}

# The severities by value: the enumeration of them imports pydantic.
_FAILING: Final = {
    FailOn.ERROR: frozenset({"error"}),
    FailOn.WARNING: frozenset({"error", "warning"}),
    FailOn.NEVER: frozenset[str](),
}


def conclude(
    *,
    complete: bool,
    findings: Iterable[Finding],
    objectives_met: bool = True,
    fail_on: FailOn = FailOn.ERROR,
    finished: bool = True,
) -> Conclusion:
    """Return the conclusion about a run.

    What is unfinished or missing matters more than objectives, and those more than findings.

    Args:
        complete: Whether every Job is Complete and every planned report is merged, of pods that
            each had a success.
        findings: The findings of the merged report.
        objectives_met: Whether every objective is met.
        fail_on: From which severity on a finding matters.
        finished: Whether nothing of the run can still finish.
    """
    if not finished:
        return Conclusion.UNFINISHED
    if not complete:
        return Conclusion.INCOMPLETE
    if not objectives_met:
        return Conclusion.SLO_VIOLATED
    if any(FailOn(fail_on).includes(finding.severity) for finding in findings):
        return Conclusion.IN_DOUBT
    return Conclusion.COMPLETE
