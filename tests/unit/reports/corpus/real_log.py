"""The one log that a real kperf 0.3.5 and the runner's script wrote, and its parts.

kperf ran two specs against a real API server with klog lines on (`-v=2`); the names in its frame
are those of `build.ADDRESS`.
"""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

__all__ = ["AFTER", "BEFORE", "BEGIN", "BODY", "END", "LOG", "REPORT", "joined"]

LOG = (Path(__file__).parent / "real_pod.log").read_bytes()

_LINES = LOG.split(b"\n")
_AT = next(place for place, line in enumerate(_LINES) if line.startswith(b"mrunners-report begin"))
_TO = next(place for place, line in enumerate(_LINES) if line.startswith(b"mrunners-report end"))

BEFORE = b"\n".join(_LINES[:_AT]) + b"\n"
BEGIN, END = _LINES[_AT], _LINES[_TO]
BODY = _LINES[_AT + 1 : _TO]
AFTER = b"\n" + b"\n".join(_LINES[_TO + 1 :])
# By other means than the code under test.
REPORT = gzip.decompress(base64.b64decode(b"".join(BODY)))


def joined(*lines: bytes) -> bytes:
    """A log of these lines, with what stood before and after the frame."""
    return BEFORE + b"\n".join(lines) + AFTER
