"""Find the one complete report in the log of a pod that printed it without a frame.

It must not guess: without a checksum, any doubt makes the log unusable.
"""

from __future__ import annotations

import re

from mrunners.reports.kubelet_errors import kubelet_error
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from mrunners.reports.strict_json import parse_json_object

__all__ = ["extract_plain_report"]

# kperf indents with two spaces (json.Encoder.SetIndent), so that of the whole report only the
# first line and the last one begin at the left edge, with a brace and nothing behind it.
_OPENING = b"{"
_CLOSING = b"}"

# An indented line with a key or a latency: a piece of a report whose first line is gone.
_INSIDE = re.compile(rb'^(?:  )+(?:"[A-Za-z]+": |\d)')


def extract_plain_report(log: bytes) -> bytes:
    """The raw JSON that kperf printed among the lines of its stderr.

    Args:
        log: the container's whole log.
    Returns: the report's text, which is valid JSON and has a report's keys; it must still be
        parsed.
    Raises: UnusableReportError: none, two, or a broken one.
    """
    if not log.strip(b" \t\r\n\0"):
        raise UnusableReportError(MissingReason.EMPTY_LOG, "the pod's log is empty")
    lines = log.split(b"\n")
    openings = [place for place, line in enumerate(lines) if line == _OPENING]
    closings = [place for place, line in enumerate(lines) if line == _CLOSING]
    if len(openings) > 1 or len(closings) > 1:
        raise UnusableReportError(
            MissingReason.DUPLICATE_FRAME,
            f"the log has {max(len(openings), len(closings))} reports, and nothing tells which "
            "one is the pod's",
        )
    if not openings or not closings:
        raise _without_report(lines, opened=bool(openings), closed=bool(closings))
    if closings[0] < openings[0]:
        raise UnusableReportError(
            MissingReason.TRUNCATED, "the log holds the tail of one report and the head of another"
        )
    report = b"\n".join(lines[openings[0] : closings[0] + 1])
    keys = parse_json_object(report).keys()
    if not ({"total", "duration"} <= keys or "aggregated" in keys):
        raise UnusableReportError(
            MissingReason.NO_FRAME, "the log holds a JSON object that is not a kperf report"
        )
    return report


def _without_report(lines: list[bytes], *, opened: bool, closed: bool) -> UnusableReportError:
    if opened:
        return UnusableReportError(
            MissingReason.TRUNCATED, "the log's tail is missing: a report begins and never ends"
        )
    if closed:
        return UnusableReportError(
            MissingReason.TRUNCATED, "the log's head is missing: a report ends and never begins"
        )
    if any(line.startswith(_OPENING) or line.endswith(_OPENING) for line in lines) or any(
        _INSIDE.match(line) for line in lines
    ):
        return UnusableReportError(
            MissingReason.GARBLED, "the log has pieces of a report, but no beginning and no end"
        )
    said = kubelet_error(lines)
    if said is not None:
        return UnusableReportError(
            MissingReason.KUBELET_ERROR, f"the node answered with an error for a log: {said}"
        )
    return UnusableReportError(MissingReason.NO_FRAME, f"no report in {len(lines)} lines of log")
