"""The outcome of each planned pod: its report, or the reason why its report is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from mrunners.errors import IncompleteError

if TYPE_CHECKING:  # what only names a reason does not import numpy
    from mrunners.reports.samples import KperfReport

__all__ = ["MissingReason", "PodOutcome", "UnusableReportError"]


class MissingReason(StrEnum):
    """Every reason why a report can be missing; docs/report.md says what to do about each.

    What a log shows and what the cluster shows is in one enum, because the coverage answers one
    question only: why is this report not merged?
    """

    # What the pod's log shows.
    EMPTY_LOG = "empty-log"
    NO_FRAME = "no-frame"
    KUBELET_ERROR = "kubelet-error"
    TRUNCATED = "truncated"
    GARBLED = "garbled"
    DUPLICATE_FRAME = "duplicate-frame"
    FOREIGN_FRAME = "foreign-frame"
    UNSUPPORTED_FRAME_VERSION = "unsupported-frame-version"
    BAD_BASE64 = "bad-base64"
    BAD_GZIP = "bad-gzip"
    LENGTH_MISMATCH = "length-mismatch"
    CHECKSUM_MISMATCH = "checksum-mismatch"
    TOO_LARGE = "too-large"
    KPERF_FAILED = "kperf-failed"
    SCRIPT_FAILED = "script-failed"

    # What the report itself shows.
    INVALID_JSON = "invalid-json"
    INVALID_REPORT = "invalid-report"
    LEGACY_REPORT = "legacy-report"
    OVER_LIMIT = "over-limit"

    # What the cluster shows.
    STILL_RUNNING = "still-running"
    NOT_STARTED = "not-started"
    STARTED_LATE = "started-late"
    NOT_CREATED = "not-created"
    JOB_GONE = "job-gone"
    DISRUPTED = "disrupted"
    FAILED = "failed"
    POD_GONE = "pod-gone"
    LOG_UNAVAILABLE = "log-unavailable"
    LOG_FORBIDDEN = "log-forbidden"

    # What this machine has, when no cluster is asked.
    NOT_KEPT = "not-kept"


class UnusableReportError(IncompleteError):
    """A pod's log or report was read and must not be merged.

    Attributes:
        problem: The reason.
        detail: The facts in one printable line; of what the pod wrote it quotes a short piece.
    """

    def __init__(self, problem: MissingReason, detail: str) -> None:
        self.problem = problem
        self.detail = detail
        super().__init__(f"{problem.value}: {detail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PodOutcome:
    """One planned pod at the end of a run; exactly one of `report` and `missing` is set.

    Attributes:
        job: The Job's name.
        job_index: The Job's position in the plan, from 0.
        uri: The runner URI that the Job was created for, as the user wrote it.
        index: The completion index within the Job, from 0.
        pod: The pod's name; None when no pod was observed.
        node: The node it ran on; None when it was never scheduled.
        started_at: When its load began, by its node's clock; where its log does not say that, when
            kperf's container started, in whole seconds.
        finished_at: When it ended, by the node's clock.
        exit_code: The container's exit code; None when it is unknown.
        image_id: The image that it ran, with its digest; empty when it is unknown.
        report: What its kperf measured.
        missing: Why there is no report.
        detail: More about `missing` in one line, such as `exit 1`; may be empty.
        unread: Whether its pod exists and its log was never read, so that the report may still be
            had, whatever `missing` says.
        unseen: Whether its pod is gone and no wait on this machine has seen it, so that another
            machine may have its report.

    Raises:
        ValueError: Both or neither of `report` and `missing` are set, or a time has no time zone.
    """

    job: str
    job_index: int
    uri: str
    index: int
    pod: str | None = None
    node: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    image_id: str = ""
    report: KperfReport | None = None
    missing: MissingReason | None = None
    detail: str = ""
    unread: bool = False
    unseen: bool = False

    def __post_init__(self) -> None:
        if (self.report is None) == (self.missing is None):
            raise ValueError("a pod's outcome needs either a report or a missing reason, not both")
        for moment in (self.started_at, self.finished_at):
            if moment is not None and moment.tzinfo is None:
                raise ValueError("a pod's times need a time zone")
