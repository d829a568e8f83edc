"""Extract the one framed report from a pod's log, verified, or say why the log has none.

A pod's log is not a file transfer. The node rotates it at any byte, so its head, its tail or both
can be gone; a full disk or a crash cuts it; stderr is written into it between any two bytes of
stdout; a restarted container writes a second report; and the API server answers 200 in all of these
cases, sometimes with a kubelet error in the place of the log. The frame makes each case detectable:

- The begin line names run, Job, completion index and pod, so that a report of another run or of
  another pod is not taken for this one.
- It announces the length and the SHA-256 of the raw JSON and the length of the base64 text, so that
  a lost or altered byte is always noticed.
- The body has lines of exactly 4,000 characters except for the last one, so that a lost piece
  (`truncated`) differs from an altered one (`garbled`).
- There must be exactly one begin line and one end line.

A report that is too large for one log is in the logs of several containers, a part in each. Then
each frame also says which part it has, of how many, and has a length and a SHA-256 of its own, so
that it is known which part is lost.

Nothing is repaired: a log with any doubt is unusable, and its reason says what was wrong.
`frame_lines` reads single lines, `frame_body` unpacks the body, `runner_script` writes all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from mrunners.formatting import counted
from mrunners.reports.frame_body import FramedReport, body_text, decode_body, is_full_line
from mrunners.reports.frame_lines import MARKER, FrameLine, LineKind, parse_frame_line
from mrunners.reports.kperf_errors import kperf_error, last_line
from mrunners.reports.kubelet_errors import kubelet_error
from mrunners.reports.log_size import MAX_REPORT_LOGS, framed_log_bytes
from mrunners.reports.outcomes import MissingReason, UnusableReportError

__all__ = ["FrameAddress", "extract_framed", "extract_report"]


@dataclass(frozen=True, slots=True)
class FrameAddress:
    """Which pod the report must come from.

    Attributes:
        run_id: The run's UUID.
        job: The Job's name.
        index: The completion index.
        pod: The pod's name; None accepts any pod of that index.
    """

    run_id: str
    job: str
    index: int
    pod: str | None = None


@dataclass(frozen=True, slots=True)
class _LocatedLine:
    """A frame line and its position among the lines of the log, from 0."""

    position: int
    line: FrameLine


# What is said of a log without a trace of the runner's script.
_NOTHING_THERE = frozenset({MissingReason.EMPTY_LOG, MissingReason.NO_FRAME})


def extract_report(
    log: bytes,
    address: FrameAddress,
    read_part: Callable[[int], bytes] | None = None,
    logs: int = MAX_REPORT_LOGS,
) -> bytes:
    """Return the raw JSON that kperf wrote, as `extract_framed` does."""
    return extract_framed(log, address, read_part, logs).raw


def extract_framed(
    log: bytes,
    address: FrameAddress,
    read_part: Callable[[int], bytes] | None = None,
    logs: int = MAX_REPORT_LOGS,
) -> FramedReport:
    """Return the report that kperf wrote, byte for byte.

    Args:
        log: The runner container's whole log; stderr may precede and follow the frame.
        address: Which pod the frame must come from.
        read_part: Returns the whole log with a further part of the report, by its number from 2;
            None if there are no such logs.
        logs: How many logs a report can be in.

    Returns:
        The JSON, with the length and the SHA-256 that the runner's script announced, and what it
        was packed as.

    Raises:
        UnusableReportError: The log has no such report, or there is a doubt about it.
    """
    begin, text = _part_of(log, address)
    most = 1 if read_part is None else logs
    if begin.part != 1 or not 1 <= begin.parts <= most:
        _refuse(
            MissingReason.FOREIGN_FRAME,
            f"the log has part {begin.part} of {begin.parts} of a report, which has at most {most}",
        )
    texts = [text]
    for number in range(2, begin.parts + 1):
        assert read_part is not None
        further_log = read_part(number)
        try:
            further, text = _part_of(further_log, address)
            if _report_of(further) != _report_of(begin) or further.part != number:
                _refuse(MissingReason.FOREIGN_FRAME, "the begin line names another part or report")
        except UnusableReportError as error:
            # The first part shows that the script has run, so its container's end explains nothing.
            lost = error.problem in _NOTHING_THERE
            problem = MissingReason.TRUNCATED if lost else error.problem
            detail = f"part {number} of {begin.parts}: {error.detail}"
            raise UnusableReportError(problem, detail) from error
        texts.append(text)
    return decode_body(b"".join(texts), begin)


def _part_of(log: bytes, address: FrameAddress) -> tuple[FrameLine, bytes]:
    """Return the begin line of a log's only frame, and the base64 text in that frame."""
    if not log.strip(b" \t\r\n\0"):
        _refuse(MissingReason.EMPTY_LOG, "the pod's log is empty")
    lines = log.split(b"\n")
    begin, end = _only_frame(lines, address)
    _require_same_address(begin.line, address, "begin")
    if _frame_of(end.line) != _frame_of(begin.line):
        _refuse(MissingReason.FOREIGN_FRAME, "the end line belongs to another frame")
    return begin.line, body_text(lines[begin.position + 1 : end.position], begin.line)


def _only_frame(lines: list[bytes], address: FrameAddress) -> tuple[_LocatedLine, _LocatedLine]:
    """Return the begin and the end line of the log's only frame."""
    frame_lines = [
        _LocatedLine(position, parsed)
        for position, line in enumerate(lines)
        if (parsed := parse_frame_line(line)) is not None
    ]
    if not frame_lines:
        _refuse_frameless(lines)
    for located in frame_lines:
        _refuse_unreadable(located, lines)
    begins = [located for located in frame_lines if located.line.kind is LineKind.BEGIN]
    ends = [located for located in frame_lines if located.line.kind is LineKind.END]
    notices = [
        located
        for located in frame_lines
        if located.line.kind in (LineKind.NONE, LineKind.TOO_LARGE)
    ]
    if len(begins) > 1 or len(ends) > 1 or len(notices) > 1 or (notices and (begins or ends)):
        kinds = ", ".join(located.line.kind.value for located in frame_lines)
        _refuse(MissingReason.DUPLICATE_FRAME, f"the log has more than one frame: {kinds}")
    if notices:
        _refuse_as_announced(notices[0].line, lines[: notices[0].position], address)
    if not ends or not begins:
        _refuse_altered_partner(frame_lines[0], lines)
    if not ends:
        _refuse(
            MissingReason.TRUNCATED, "the log's tail is missing: a frame begins but does not end"
        )
    if not begins:
        _refuse(
            MissingReason.TRUNCATED, "the log's head is missing: a frame ends but does not begin"
        )
    if begins[0].position > ends[0].position:
        _refuse(MissingReason.GARBLED, "the frame's end line precedes its begin line")
    return begins[0], ends[0]


def _refuse_frameless(lines: list[bytes]) -> NoReturn:
    error = kubelet_error(lines)
    if error is not None:
        _refuse(
            MissingReason.KUBELET_ERROR, f"the node returned an error instead of the log: {error}"
        )
    if any(MARKER in line for line in lines):
        _refuse(MissingReason.GARBLED, "a frame line does not begin its line of the log")
    if any(map(is_full_line, lines)):
        _refuse(
            MissingReason.TRUNCATED,
            "the log's head and tail are missing: it has only lines of a frame's body",
        )
    detail = f"no report frame in {counted(len(lines), 'line')} of log"
    _refuse(MissingReason.NO_FRAME, _with(detail, kperf_error(lines)))


def _refuse_unreadable(located: _LocatedLine, lines: list[bytes]) -> None:
    if located.line.kind is LineKind.OTHER_VERSION:
        _refuse(
            MissingReason.UNSUPPORTED_FRAME_VERSION,
            f"the frame has version {located.line.version}; this release of mrunners reads v1",
        )
    if located.line.kind is LineKind.UNKNOWN:
        # The log's last line has no newline: it was cut there. A garbled line still has its own.
        if located.position == len(lines) - 1:
            _refuse(
                MissingReason.TRUNCATED, "the log's tail is missing: it ends within a frame line"
            )
        _refuse(MissingReason.GARBLED, f"the frame line in line {located.position + 1} was altered")


def _refuse_altered_partner(located: _LocatedLine, lines: list[bytes]) -> None:
    """Refuse the log if the missing begin or end line is in it, with other text inside.

    If it is not, then it is gone, which the caller reports as truncated.
    """
    line = located.line
    address = f"run={line.run} job={line.job} index={line.index}".encode()
    # Rotation leaves the remainder of a begin line in the log's first line: that line is gone.
    if any(
        address in text
        for position, text in enumerate(lines)
        if position not in (0, located.position)
    ):
        _refuse(MissingReason.GARBLED, "the frame's begin or end line has other text inside")


def _refuse_as_announced(
    line: FrameLine, before: Sequence[bytes], address: FrameAddress
) -> NoReturn:
    _require_same_address(line, address, line.kind.value)
    if line.kind is LineKind.TOO_LARGE:
        _refuse(
            MissingReason.TOO_LARGE,
            f"the report of {line.size_bytes} bytes takes up to "
            f"{framed_log_bytes(line.encoded_bytes)} bytes of log, and the node keeps "
            f"{line.limit_bytes}{_in_each_of(line.logs)}; use more pods, more report logs or a "
            "shorter load",
        )
    if line.reason == "no-report":
        detail = _with(f"exit {line.exit_code}", kperf_error(before))
        _refuse(MissingReason.KPERF_FAILED, detail)
    # A tool that is there says itself why it failed.
    cause = _with(line.reason, last_line(before))
    if (tool := line.reason.removeprefix("missing-")) != line.reason:
        detail = f"the image has no {tool}, so no load was sent: choose the plain report format"
    elif line.reason == "no-clock":
        detail = "the image's stat does not tell times, so no load was sent: use no start delay"
    elif line.reason == "mkfifo-failed":
        detail = f"{cause}; no load was sent"
    else:
        detail = f"{cause}; kperf exited with {line.exit_code}"
    _refuse(MissingReason.SCRIPT_FAILED, detail)


def _in_each_of(logs: int) -> str:
    return "" if logs == 1 else f" in each of {logs} logs"


def _with(detail: str, cause: str) -> str:
    return f"{detail}: {cause}" if cause else detail


def _identity(line: FrameLine) -> tuple[str, str, int]:
    return (line.run, line.job, line.index)


def _frame_of(line: FrameLine) -> tuple[object, ...]:
    """Return what the begin and the end line of a frame have in common."""
    return (_identity(line), line.sha256, line.part, line.parts)


def _report_of(line: FrameLine) -> tuple[object, ...]:
    """Return what the begin lines of a report's parts have in common."""
    return (line.size_bytes, line.sha256, line.encoding, line.encoded_bytes, line.parts)


def _require_same_address(line: FrameLine, address: FrameAddress, line_name: str) -> None:
    expected = (address.run_id, address.job, address.index)
    foreign = [
        field
        for field, actual, wanted in zip(
            ("run", "job", "index"), _identity(line), expected, strict=True
        )
        if actual != wanted
    ]
    if address.pod is not None and line.pod != address.pod:
        foreign.append("pod")
    if foreign:
        _refuse(
            MissingReason.FOREIGN_FRAME,
            f"the {line_name} line names another {', '.join(foreign)}",
        )


def _refuse(reason: MissingReason, detail: str) -> NoReturn:
    raise UnusableReportError(reason, detail)
