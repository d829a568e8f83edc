"""Which planned pods are in the merged report, which are not and why, and that in one sentence.

It must not look at what was measured.
"""

from __future__ import annotations

from pydantic import Field

from mrunners.formatting import counted
from mrunners.records import Record
from mrunners.reports.outcomes import MissingReason
from mrunners.text import listed, printable

__all__ = ["Coverage", "MissingPod", "PodRef"]

_DETAIL_CHARACTERS = 100


class PodRef(Record):
    """A pod by its place in the plan, and where it ran."""

    job: str
    index: int
    pod: str | None
    node: str | None


class MissingPod(PodRef):
    """A planned pod whose report is not merged, and why."""

    reason: MissingReason
    detail: str


class Coverage(Record):
    """Which of the planned pods' reports are in the merged report."""

    expected: int
    merged: int
    missing: tuple[MissingPod, ...]
    nothing_succeeded: tuple[PodRef, ...] = Field(alias="nothingSucceeded")

    @property
    def complete(self) -> bool:
        """Whether every planned report is merged and each pod had at least one success."""
        return not self.missing and not self.nothing_succeeded

    @property
    def verdict(self) -> str:
        """`5 of 6 reports merged; 1 missing: mrunners-1 index 2 (kperf-failed: exit 1)`.

        One line, printable whatever the details hold.
        """
        parts = [f"{self.merged} of {self.expected} reports merged"]
        if self.missing:
            named = listed([_why(pod) for pod in self.missing])
            parts.append(f"{len(self.missing)} missing: {named}")
        if self.nothing_succeeded:
            named = listed([_place(pod) for pod in self.nothing_succeeded])
            pods = counted(len(self.nothing_succeeded), "pod")
            parts.append(f"nothing succeeded in {pods}: {named}")
        return "; ".join(parts)


def _place(pod: PodRef) -> str:
    return f"{printable(pod.job)} index {pod.index}"


def _why(pod: MissingPod) -> str:
    detail = printable(pod.detail, _DETAIL_CHARACTERS)
    return f"{_place(pod)} ({pod.reason.value}{': ' if detail else ''}{detail})"
