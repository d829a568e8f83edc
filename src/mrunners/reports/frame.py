"""Take the one framed report out of a pod's log, verified, or say why it cannot be had.

It must not parse the report, and must not repair anything: a log with one doubt is unusable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from mrunners.reports.frame_body import decode_body, is_full_line
from mrunners.reports.frame_lines import MARKER, FrameLine, LineKind, parse_frame_line
from mrunners.reports.kubelet_errors import kubelet_error
from mrunners.reports.outcomes import MissingReason, UnusableReportError

__all__ = ["FrameAddress", "extract_report"]


@dataclass(frozen=True, slots=True)
class FrameAddress:
    """Whose report is wanted.

    Attributes:
        run_id: the run's UUID.
        job: the Job's name.
        index: the completion index.
        pod: the pod's name; None accepts any pod of that index.
    """

    run_id: str
    job: str
    index: int
    pod: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    place: int
    line: FrameLine


def extract_report(log: bytes, address: FrameAddress) -> bytes:
    """The raw JSON that kperf wrote, byte for byte.

    Args:
        log: the container's whole log; stderr may stand before and behind the frame.
        address: what the frame must say about itself.
    Returns: the JSON; its length and SHA-256 are those that the runner's script announced.
    Raises: UnusableReportError: anything else, with the reason.
    """
    if not log.strip(b" \t\r\n\0"):
        _refuse(MissingReason.EMPTY_LOG, "the pod's log is empty")
    lines = log.split(b"\n")
    begin, end = _only_frame(lines, address)
    _require_same_address(begin.line, address, "begin")
    if end.line.sha256 != begin.line.sha256 or _identity(end.line) != _identity(begin.line):
        _refuse(MissingReason.FOREIGN_FRAME, "the end line belongs to another frame")
    return decode_body(lines[begin.place + 1 : end.place], begin.line)


def _only_frame(lines: list[bytes], address: FrameAddress) -> tuple[_Found, _Found]:
    """The begin and end line of the log's only frame."""
    found = [
        _Found(place, parsed)
        for place, line in enumerate(lines)
        if (parsed := parse_frame_line(line)) is not None
    ]
    if not found:
        _refuse_frameless(lines)
    for one in found:
        _refuse_unreadable(one, lines)
    begins = [one for one in found if one.line.kind is LineKind.BEGIN]
    ends = [one for one in found if one.line.kind is LineKind.END]
    words = [one for one in found if one.line.kind in (LineKind.NONE, LineKind.TOO_LARGE)]
    if len(begins) > 1 or len(ends) > 1 or len(words) > 1 or (words and (begins or ends)):
        kinds = ", ".join(one.line.kind.value for one in found)
        _refuse(MissingReason.DUPLICATE_FRAME, f"the log has more than one frame: {kinds}")
    if words:
        _refuse_as_announced(words[0].line, address)
    if not ends or not begins:
        _refuse_broken_partner(found[0], lines)
    if not ends:
        _refuse(MissingReason.TRUNCATED, "the log's tail is missing: a frame begins and never ends")
    if not begins:
        _refuse(MissingReason.TRUNCATED, "the log's head is missing: a frame ends and never begins")
    if begins[0].place > ends[0].place:
        _refuse(MissingReason.GARBLED, "the frame's end line stands before its begin line")
    return begins[0], ends[0]


def _refuse_frameless(lines: list[bytes]) -> NoReturn:
    said = kubelet_error(lines)
    if said is not None:
        _refuse(MissingReason.KUBELET_ERROR, f"the node answered with an error for a log: {said}")
    if any(MARKER in line for line in lines):
        _refuse(MissingReason.GARBLED, "a frame line is glued to other text")
    if any(map(is_full_line, lines)):
        _refuse(MissingReason.TRUNCATED, "the log's head and tail are missing: it has body lines")
    _refuse(MissingReason.NO_FRAME, f"no report frame in {len(lines)} lines of log")


def _refuse_unreadable(one: _Found, lines: list[bytes]) -> None:
    if one.line.kind is LineKind.OTHER_VERSION:
        _refuse(
            MissingReason.UNSUPPORTED_FRAME_VERSION,
            f"the frame is {one.line.version}, this mrunners reads v1",
        )
    if one.line.kind is LineKind.UNKNOWN:
        # Whatever is not closed by a newline was cut there; a garbled line still has its own.
        if one.place == len(lines) - 1:
            _refuse(MissingReason.TRUNCATED, "the log's tail is missing: it ends in a frame line")
        _refuse(MissingReason.GARBLED, f"log line {one.place + 1} is a frame line that was altered")


def _refuse_broken_partner(one: _Found, lines: list[bytes]) -> None:
    """Tell a begin or end line that is gone from one that other text was written into."""
    words = f"run={one.line.run} job={one.line.job} index={one.line.index}".encode()
    # A head that was cut off leaves its piece in the log's first line: that one is gone.
    if any(words in line for place, line in enumerate(lines) if place not in (0, one.place)):
        _refuse(MissingReason.GARBLED, "other text stands inside the frame's begin or end line")


def _refuse_as_announced(line: FrameLine, address: FrameAddress) -> NoReturn:
    _require_same_address(line, address, line.kind.value)
    if line.kind is LineKind.TOO_LARGE:
        _refuse(
            MissingReason.TOO_LARGE,
            f"the report of {line.size_bytes} bytes is {line.encoded_bytes} bytes in the log, "
            f"and the node's log keeps {line.limit_bytes}; use more pods or a shorter load",
        )
    if line.reason == "no-report":
        _refuse(MissingReason.KPERF_FAILED, f"exit {line.exit_code}")
    _refuse(MissingReason.SCRIPT_FAILED, f"{line.reason}; kperf's exit {line.exit_code}")


def _identity(line: FrameLine) -> tuple[str, str, int]:
    return (line.run, line.job, line.index)


def _require_same_address(line: FrameLine, address: FrameAddress, where: str) -> None:
    wanted = (address.run_id, address.job, address.index)
    foreign = [
        name
        for name, seen, asked in zip(("run", "job", "index"), _identity(line), wanted, strict=True)
        if seen != asked
    ]
    if address.pod is not None and line.pod != address.pod:
        foreign.append("pod")
    if foreign:
        _refuse(
            MissingReason.FOREIGN_FRAME,
            f"the {where} line names another {', '.join(foreign)}",
        )


def _refuse(problem: MissingReason, detail: str) -> NoReturn:
    raise UnusableReportError(problem, detail)
