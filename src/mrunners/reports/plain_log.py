"""Extract the one complete report from the log of a pod that printed it without a frame.

There is no checksum, so any doubt makes the log unusable.
"""

from __future__ import annotations

import re

from mrunners.formatting import counted
from mrunners.reports.columnar_json import parse_document
from mrunners.reports.kperf_errors import kperf_error
from mrunners.reports.kubelet_errors import kubelet_error
from mrunners.reports.outcomes import MissingReason, UnusableReportError

__all__ = ["extract_plain_report"]

# kperf indents by two spaces (json.Encoder.SetIndent), so only the first and the last line of a
# report are not indented, and both are a brace and nothing else.
_OPENING = b"{"
_CLOSING = b"}"

# An indented line with a key or a latency: a piece of a report whose first line is gone.
_INNER_LINE = re.compile(rb'^(?:  )+(?:"[A-Za-z]+": |\d)')


def extract_plain_report(log: bytes) -> bytes:
    """Return the raw JSON that kperf printed among the lines of its stderr.

    Args:
        log: The container's whole log.

    Returns:
        The report's text: valid JSON with a report's keys, otherwise not yet checked.

    Raises:
        UnusableReportError: The log has no report, several, or a damaged one.
    """
    if not log.strip(b" \t\r\n\0"):
        raise UnusableReportError(MissingReason.EMPTY_LOG, "the pod's log is empty")
    lines = log.split(b"\n")
    openings = [position for position, line in enumerate(lines) if line == _OPENING]
    closings = [position for position, line in enumerate(lines) if line == _CLOSING]
    if len(openings) > 1 or len(closings) > 1:
        raise UnusableReportError(
            MissingReason.DUPLICATE_FRAME,
            f"the log has {max(len(openings), len(closings))} reports, and it is unknown which "
            "one is the pod's",
        )
    if not openings or not closings:
        raise _no_report_error(lines, opened=bool(openings), closed=bool(closings))
    if closings[0] < openings[0]:
        raise UnusableReportError(
            MissingReason.TRUNCATED, "the log has the tail of one report and the head of another"
        )
    report = b"\n".join(lines[openings[0] : closings[0] + 1])
    keys = parse_document(report).keys()
    if not ({"total", "duration"} <= keys or "aggregated" in keys):
        raise UnusableReportError(
            MissingReason.NO_FRAME, "the log has a JSON object that is not a kperf report"
        )
    return report


def _no_report_error(lines: list[bytes], *, opened: bool, closed: bool) -> UnusableReportError:
    if opened:
        return UnusableReportError(
            MissingReason.TRUNCATED, "the log's tail is missing: a report begins but does not end"
        )
    if closed:
        return UnusableReportError(
            MissingReason.TRUNCATED, "the log's head is missing: a report ends but does not begin"
        )
    if any(line.startswith(_OPENING) or line.endswith(_OPENING) for line in lines) or any(
        _INNER_LINE.match(line) for line in lines
    ):
        return UnusableReportError(
            MissingReason.GARBLED, "the log has pieces of a report, but not its first or last line"
        )
    error = kubelet_error(lines)
    if error is not None:
        return UnusableReportError(
            MissingReason.KUBELET_ERROR, f"the node returned an error instead of the log: {error}"
        )
    detail = f"no report in {counted(len(lines), 'line')} of log"
    if cause := kperf_error(lines):
        detail += f": {cause}"
    return UnusableReportError(MissingReason.NO_FRAME, detail)
