"""What became of each planned pod: its report, or the reason why there is none.

It must not ask the cluster: the collector fills these records, the merge reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mrunners.errors import IncompleteError
from mrunners.reports.samples import KperfReport

__all__ = ["MissingReason", "PodOutcome", "RunIdentity", "UnusableReportError"]


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Which run a merged report is about.

    Attributes:
        namespace: where the tracker and the Jobs are.
        tracker: the tracker ConfigMap's name.
        run_id: the run's UUID, as in the labels.
    """

    namespace: str
    tracker: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PodOutcome:
    """One planned pod at the end of a run; exactly one of `report` and `missing` is set.

    Attributes:
        job: the Job's name.
        job_index: the Job's place in the plan, from 0.
        uri: the runner URI that the Job stands for, as the user gave it.
        index: the completion index within the Job, from 0.
        pod: the pod's name; None when no pod was seen.
        node: the node it ran on; None when it was never scheduled.
        started_at: when kperf's container started, by the node's clock.
        finished_at: when it ended, by the node's clock.
        exit_code: the container's exit code; None when it is not known.
        report: what its kperf measured.
        missing: why there is no report.
        detail: one line more about `missing`, such as `exit 1`; may be empty.
    Raises: ValueError: both or none of report and missing are given, or a time without a zone.
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
    report: KperfReport | None = None
    missing: MissingReason | None = None
    detail: str = ""

    def __post_init__(self) -> None:
        if (self.report is None) == (self.missing is None):
            raise ValueError("a pod's outcome needs a report or a missing reason, and not both")
        for moment in (self.started_at, self.finished_at):
            if moment is not None and moment.tzinfo is None:
                raise ValueError("a pod's times need a time zone")


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
