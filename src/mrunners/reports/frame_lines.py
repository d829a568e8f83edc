"""Parse the script's own lines: the frame's (begin, end, none, too-large), and the load's start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

__all__ = ["MARKER", "FrameLine", "LineKind", "load_start", "parse_frame_line"]

MARKER = b"mrunners-report"

_VERSION = "v1"

# A frame line has at most three names of 63 characters and a few numbers.
_MAX_LINE_BYTES = 2048


class LineKind(StrEnum):
    """What a frame line announces; UNKNOWN has the marker but cannot be read."""

    BEGIN = "begin"
    END = "end"
    NONE = "none"
    TOO_LARGE = "too-large"
    OTHER_VERSION = "other-version"
    UNKNOWN = "unknown"


# Only the characters of Kubernetes names: a line with others was altered, it is not foreign.
_ID = r"run=(?P<run>[0-9a-f-]*) job=(?P<job>[a-z0-9.-]*) index=(?P<index>\d{0,9})"
_POD = r"pod=(?P<pod>[a-z0-9.-]*)"
_SHA = r"sha256=(?P<sha256>[0-9a-f]{64})"
# Up to 15 digits: more than any log can hold, and few enough for int() to be fast.
_SIZE = r"bytes=(?P<bytes>\d{1,15})"
_PART = r"part=(?P<part>\d{1,2})/(?P<parts>\d{1,2})"
_FORMS = {
    LineKind.BEGIN: rf"{_ID} {_POD} {_SIZE} {_SHA} "
    r"encoding=(?P<encoding>\S+) encoded=(?P<encoded>\d{1,15})"
    rf"(?: {_PART} part-encoded=(?P<part_encoded>\d{{1,15}})"
    r" part-sha256=(?P<part_sha256>[0-9a-f]{64}))?",
    LineKind.END: rf"{_ID} {_SHA}(?: {_PART})?",
    LineKind.NONE: rf"{_ID} {_POD} "
    r"exit=(?P<exit>\d{1,3}) reason=(?P<reason>[a-z0-9-]+)",
    LineKind.TOO_LARGE: rf"{_ID} {_POD} {_SIZE} "
    r"encoded=(?P<encoded>\d{1,15}) limit=(?P<limit>\d{1,15})(?: logs=(?P<logs>\d{1,3}))?",
}
_PATTERNS = {kind: re.compile(form, re.ASCII) for kind, form in _FORMS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLine:
    """One line that begins with the marker.

    Attributes:
        kind: What the line announces.
        version: The version as written, such as `v1`.
        run: The run ID.
        job: The Job's name.
        index: The completion index; -1 when the line has none.
        pod: The pod's name; empty in an end line.
        size_bytes: Length of the raw JSON.
        encoded_bytes: Length of the base64 text, without newlines.
        limit_bytes: Maximum size of a container's log on the node.
        logs: Into how many logs the report may be written.
        sha256: SHA-256 of the raw JSON, in hex.
        encoding: Always `gzip+base64` in v1.
        part: Which part of the report the frame has, from 1.
        parts: How many frames, each in a log of its own, make up the report.
        part_encoded_bytes: Length of this part of the base64 text.
        part_sha256: SHA-256 of this part of the base64 text; empty when it is the only one.
        exit_code: kperf's exit code.
        reason: Why there is no report, as the script names it.
    """

    kind: LineKind
    version: str = ""
    run: str = ""
    job: str = ""
    index: int = -1
    pod: str = ""
    size_bytes: int = 0
    encoded_bytes: int = 0
    limit_bytes: int = 0
    logs: int = 1
    sha256: str = ""
    encoding: str = ""
    part: int = 1
    parts: int = 1
    part_encoded_bytes: int = 0
    part_sha256: str = ""
    exit_code: int = 0
    reason: str = ""


# Apart from the frame, so that earlier releases read a log that has it.
_LOAD_MARKER = b"\nmrunners-load v1 "
_LOAD_START = re.compile(rb"pod=([a-z0-9.-]*) started=([0-9]{1,11}\.[0-9]{6})(?:\n|$)")


def load_start(log: bytes, pod: str) -> datetime | None:
    """Return when a pod's load began, by its node's clock; None when its log does not say.

    Args:
        log: The runner container's whole log.
        pod: The pod's name; a line of another is not believed.
    """
    # What kperf writes comes before the script's own line.
    position = log.rfind(_LOAD_MARKER)
    match = None if position < 0 else _LOAD_START.match(log, position + len(_LOAD_MARKER))
    if match is None or match[1] != pod.encode():
        return None
    return datetime.fromtimestamp(float(match[2]), UTC)


def parse_frame_line(line: bytes) -> FrameLine | None:
    """Parse one line of a log, given without its newline.

    Returns:
        The parsed line; None when it does not begin with the marker.
    """
    if not line.startswith(MARKER):
        return None
    unknown = FrameLine(kind=LineKind.UNKNOWN)
    if len(line) > _MAX_LINE_BYTES or not line.isascii():
        return unknown
    words = line.decode("ascii").split(" ", 3)
    if len(words) != 4 or words[0] != MARKER.decode():
        return unknown
    _, kind_name, version, rest = words
    if re.fullmatch(r"v\d{1,6}", version) and version != _VERSION:
        return FrameLine(kind=LineKind.OTHER_VERSION, version=version)
    try:
        kind = LineKind(kind_name)
    except ValueError:
        return unknown
    pattern = _PATTERNS.get(kind)
    match = pattern.fullmatch(rest) if pattern is not None and version == _VERSION else None
    return unknown if match is None else _record(kind, version, match.groupdict())


def _record(kind: LineKind, version: str, groups: dict[str, str | None]) -> FrameLine:
    texts = {name: text for name, text in groups.items() if text is not None}
    return FrameLine(
        kind=kind,
        version=version,
        run=texts["run"],
        job=texts["job"],
        index=int(texts["index"] or -1),
        pod=texts.get("pod", ""),
        size_bytes=int(texts.get("bytes", 0)),
        encoded_bytes=int(texts.get("encoded", 0)),
        limit_bytes=int(texts.get("limit", 0)),
        logs=int(texts.get("logs", 1)),
        sha256=texts.get("sha256", ""),
        encoding=texts.get("encoding", ""),
        part=int(texts.get("part", 1)),
        parts=int(texts.get("parts", 1)),
        # A report in one frame has one part, which is all of it.
        part_encoded_bytes=int(texts.get("part_encoded", texts.get("encoded", 0))),
        part_sha256=texts.get("part_sha256", ""),
        exit_code=int(texts.get("exit", 0)),
        reason=texts.get("reason", ""),
    )
