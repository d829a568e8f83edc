"""Which pods' reports are merged, which are missing and why, and the verdict in one line."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from mrunners.formatting import counted
from mrunners.records import Record
from mrunners.reports.outcomes import MissingReason
from mrunners.text import listed, printable

__all__ = ["Coverage", "MissingPod", "PodRef"]

_REASONS = 3
# Of all reasons together. A single one is not cut where a diagnosis is not: the limit or the name
# that matters is often at its end.
_DETAIL_CHARACTERS = 500


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
            parts.append(f"{len(self.missing)} missing: {_pods_by_reason(self.missing)}")
        if self.nothing_succeeded:
            names = listed([_pod(pod) for pod in self.nothing_succeeded])
            count = counted(len(self.nothing_succeeded), "pod")
            parts.append(f"nothing succeeded in {count}: {names}")
        return "; ".join(parts)


def _pod(pod: PodRef) -> str:
    return f"{printable(pod.job)} index {pod.index}"


def _pods_by_reason(missing: Sequence[MissingPod]) -> str:
    """Return such text as `a index 0, a index 1 (truncated), b index 0 (kperf-failed: exit 1)`.

    One cause often fails many pods, and is then read once and not once for each.
    """
    pods: dict[str, list[str]] = {}
    for pod in missing:
        detail = printable(pod.detail, _DETAIL_CHARACTERS)
        reason = f"{pod.reason.value}{': ' if detail else ''}{detail}"
        pods.setdefault(reason, []).append(_pod(pod))
    limit = _DETAIL_CHARACTERS // min(len(pods), _REASONS)
    shown = [f"{listed(names)} ({printable(reason, limit)})" for reason, names in pods.items()][
        :_REASONS
    ]
    more = sum(len(names) for names in list(pods.values())[_REASONS:])
    return ", ".join(shown) + (f" and {more} more" if more else "")
