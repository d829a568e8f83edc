"""A log that a real kperf 0.3.5 and the runner's script wrote, and its parts.

kperf ran two specs against a real API server with klog lines (`-v=2`); the names in its frame are
those of `build.ADDRESS`.
"""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

__all__ = ["AFTER", "BEFORE", "BEGIN", "BODY", "END", "LOG", "REPORT", "joined"]

LOG = (Path(__file__).parent / "real_pod.log").read_bytes()

_LINES = LOG.split(b"\n")
_BEGIN_AT = next(
    position for position, line in enumerate(_LINES) if line.startswith(b"mrunners-report begin")
)
_END_AT = next(
    position for position, line in enumerate(_LINES) if line.startswith(b"mrunners-report end")
)

BEFORE = b"\n".join(_LINES[:_BEGIN_AT]) + b"\n"
BEGIN, END = _LINES[_BEGIN_AT], _LINES[_END_AT]
BODY = _LINES[_BEGIN_AT + 1 : _END_AT]
AFTER = b"\n" + b"\n".join(_LINES[_END_AT + 1 :])
# Not with the code under test.
REPORT = gzip.decompress(base64.b64decode(b"".join(BODY)))


def joined(*lines: bytes) -> bytes:
    """Return a log of these lines between the text before and after the frame."""
    return BEFORE + b"\n".join(lines) + AFTER
