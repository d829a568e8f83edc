"""Which pods' reports are merged, which are missing and why, and the verdict in one line."""

from __future__ import annotations

from pydantic import Field

from mrunners.formatting import counted
from mrunners.records import Record
from mrunners.reports.outcomes import MissingReason
from mrunners.text import listed, printable

__all__ = ["Coverage", "MissingPod", "PodRef"]

_DETAIL_CHARACTERS = 100


class PodRef(Record):
    """A planned pod, by Job and completion index, and where it ran."""

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
        """Whether every planned report is merged and every pod had at least one success."""
        return not self.missing and not self.nothing_succeeded

    @property
    def verdict(self) -> str:
        """One printable line that says how complete the report is.

        For example: `5 of 6 reports merged; 1 missing: mrunners-1 index 2 (kperf-failed: exit 1)`.
        """
        parts = [f"{self.merged} of {self.expected} reports merged"]
        if self.missing:
            reasons = listed([_pod_and_reason(pod) for pod in self.missing])
            parts.append(f"{len(self.missing)} missing: {reasons}")
        if self.nothing_succeeded:
            names = listed([_pod(pod) for pod in self.nothing_succeeded])
            count = counted(len(self.nothing_succeeded), "pod")
            parts.append(f"nothing succeeded in {count}: {names}")
        return "; ".join(parts)


def _pod(pod: PodRef) -> str:
    return f"{printable(pod.job)} index {pod.index}"


def _pod_and_reason(pod: MissingPod) -> str:
    detail = printable(pod.detail, _DETAIL_CHARACTERS)
    return f"{_pod(pod)} ({pod.reason.value}{': ' if detail else ''}{detail})"
