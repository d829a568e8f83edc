"""The part of the page on missing reports: which they are, what that means, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mrunners.render.html.tables import Cell, Column, Table, cell
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason

__all__ = ["REASONS", "Explanation", "explanations", "missing_table"]

# What each reason means, as in docs/report.md, and what to do; the page has no other text at hand.
REASONS: Mapping[MissingReason, tuple[str, str]] = {
    MissingReason.EMPTY_LOG: (
        "the log is empty, in three readings",
        "fetch the report again; check the node, and the pod's events",
    ),
    MissingReason.NO_FRAME: (
        "the log has no report; the detail has its last line",
        "read the log; check that the report format of the run (framed or plain) fits the image",
    ),
    MissingReason.KUBELET_ERROR: (
        "the node returned an error instead of the log, three times",
        "fetch the report again; check the node",
    ),
    MissingReason.TRUNCATED: (
        "the head, the middle or the tail of the report is missing",
        "usually log rotation: use more pods, a shorter load, or a larger log limit on the "
        "nodes, and tell mrunners of it",
    ),
    MissingReason.GARBLED: (
        "other text is inside the frame, or the frame was altered",
        "find out what else writes into that log",
    ),
    MissingReason.DUPLICATE_FRAME: (
        "the log has more than one report",
        "look for a container that was started twice",
    ),
    MissingReason.FOREIGN_FRAME: (
        "the report is of another run, Job, index or pod",
        "look for a pod that was replaced",
    ),
    MissingReason.UNSUPPORTED_FRAME_VERSION: (
        "another release of mrunners wrote the frame",
        "collect with the release that started the run",
    ),
    MissingReason.BAD_BASE64: (
        "the frame's body is not base64",
        "find out what else writes into that log",
    ),
    MissingReason.BAD_GZIP: (
        "the frame's body is not one gzip stream",
        "find out what else writes into that log",
    ),
    MissingReason.LENGTH_MISMATCH: (
        "the report is shorter or longer than announced",
        "find out what else writes into that log",
    ),
    MissingReason.CHECKSUM_MISMATCH: (
        "the report's SHA-256 is not the announced one",
        "find out what else writes into that log",
    ),
    MissingReason.TOO_LARGE: (
        "the report does not fit into the pod's logs, or is larger than 256 MiB",
        "use more pods, more report logs or a shorter load",
    ),
    MissingReason.KPERF_FAILED: (
        "kperf wrote no report; the detail has its exit code and what it wrote to stderr last",
        "remove the cause; the pod's log has the last 50 lines that kperf wrote",
    ),
    MissingReason.SCRIPT_FAILED: (
        "the image lacks a tool that the runner's script needs, or /tmp is full; the detail "
        "names it",
        "use an image with coreutils, or the plain report format",
    ),
    MissingReason.INVALID_JSON: (
        "the report is not strict JSON",
        "find out what else writes into that log; with the plain report format stderr may be "
        "inside it: use the framed one",
    ),
    MissingReason.INVALID_REPORT: (
        "the report is JSON, but its figures contradict each other; the detail names them",
        "report it to kperf, with the log",
    ),
    MissingReason.LEGACY_REPORT: (
        "the report is of kperf 0.1.6 or earlier",
        "use an image of 0.1.7 or later",
    ),
    MissingReason.OVER_LIMIT: (
        "with this report the run would have more than 2 million errors, with --raw more than 100 "
        "million samples, or more samples than fit on the disk; the detail says which",
        "split the run, or shorten its load; leave out --raw; or make room on the disk",
    ),
    MissingReason.STILL_RUNNING: (
        "the pod has not ended",
        "wait for the run, then fetch its report again",
    ),
    MissingReason.NOT_STARTED: (
        "the pod did not start within the start timeout; the detail says why",
        "remove what the detail names, then run again; the status of the run says more",
    ),
    MissingReason.STARTED_LATE: (
        "the pod started after the start timeout; its report is set aside, because it loaded "
        "the cluster alone",
        "find out what held it back, or set a longer start timeout",
    ),
    MissingReason.NOT_CREATED: (
        "the Job was never created",
        "resume the run",
    ),
    MissingReason.JOB_GONE: (
        "the Job was created and was deleted, by a TTL or by someone, before this report was "
        "fetched",
        "find out who deletes Jobs, then run again; resuming does not load twice",
    ),
    MissingReason.DISRUPTED: (
        "the pod was evicted, drained or preempted, or its node does not answer; the detail has "
        "Kubernetes' reason",
        "if the node may come back, fetch the report again then; otherwise run again",
    ),
    MissingReason.FAILED: (
        "the pod failed without a report; the detail has the exit code",
        "read the pod's log",
    ),
    MissingReason.POD_GONE: (
        "the pod was deleted before its log was read, and no reason is known; its "
        "name and node are there if a wait has seen it, or as long as the cluster keeps the "
        "scheduler's event, an hour by default",
        "run again",
    ),
    MissingReason.LOG_UNAVAILABLE: (
        "the node does not return the log",
        "fetch the report again; check the node",
    ),
    MissingReason.LOG_FORBIDDEN: (
        "the permission to get pods/log is missing",
        "grant it, then fetch the report again",
    ),
    MissingReason.NOT_KEPT: (
        "this machine keeps no copy of the report, and the cluster was not asked; the detail "
        "names its API server",
        "fetch the report from the cluster",
    ),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a reason on the page means.

    Attributes:
        reason: As the table and the JSON have it.
        meaning: What it means, in one sentence.
        advice: What to do about it, in one sentence.
    """

    reason: str
    meaning: str
    advice: str


def explanations(report: MergedReport) -> tuple[Explanation, ...]:
    """Return the reasons that this report has, the most frequent first."""
    reasons = [pod.reason for pod in report.coverage.missing]
    ordered = sorted(set(reasons), key=lambda reason: (-reasons.count(reason), reason.value))
    return tuple(Explanation(reason.value, *REASONS[reason]) for reason in ordered)


def missing_table(report: MergedReport) -> Table:
    """Return each pod without a merged report, then those of which no request succeeded."""
    coverage = report.coverage
    rows = [
        (
            cell(f"{pod.job} index {pod.index}", pod.pod or "", limit=120),
            Cell(pod.reason.value, tone="bad"),
            cell(pod.detail or "-", limit=300),
            cell(pod.node, limit=120),
        )
        for pod in coverage.missing
    ]
    rows += [
        (
            cell(f"{pod.job} index {pod.index}", pod.pod or "", limit=120),
            Cell("nothing succeeded", tone="warn"),
            Cell("the report is merged, but no request succeeded"),
            cell(pod.node, limit=120),
        )
        for pod in coverage.nothing_succeeded
    ]
    return Table(
        name="missing",
        title="Missing or failed reports",
        note="",
        rows_are="pods",
        columns=(
            Column("index", numeric=False, sub="pod"),
            *(Column(name, numeric=False) for name in ("reason", "detail", "node")),
        ),
        rows=tuple(rows),
    )
