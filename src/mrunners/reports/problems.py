"""Why a planned pod's report is not in the merged report: one enum, and the error that carries it.

It must not judge anything itself: the frame, the parser and the collector decide which one it is.
"""

from __future__ import annotations

from enum import StrEnum

from mrunners.errors import IncompleteError

__all__ = ["MissingReason", "UnusableReportError"]


class MissingReason(StrEnum):
    """Every reason a report can be missing for; docs/report.md says what to do about each.

    One enum for what a log shows and for what the cluster shows, because a reader of the coverage
    asks one question only: why is this report not in?
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
    NOT_CREATED = "not-created"
    DISRUPTED = "disrupted"
    FAILED = "failed"
    POD_GONE = "pod-gone"
    LOG_UNAVAILABLE = "log-unavailable"
    LOG_FORBIDDEN = "log-forbidden"


class UnusableReportError(IncompleteError):
    """A pod's log or report was read and must not be merged.

    Attributes:
        problem: which of the reasons it is.
        detail: the facts, in one line, without text that the pod could have chosen freely.
    """

    def __init__(self, problem: MissingReason, detail: str) -> None:
        self.problem = problem
        self.detail = detail
        super().__init__(f"{problem.value}: {detail}")
