"""How much of a node's log a report takes: one formula for the plan and for the runner's script."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "FRAME_MARGIN_BYTES",
    "LINE_CHARACTERS",
    "LINE_OVERHEAD_BYTES",
    "MIN_LOG_LIMIT_BYTES",
    "OUTPUT_BYTES",
    "OUTPUT_LINES",
    "LogCapacity",
    "framed_log_bytes",
    "log_capacity",
]

# The length of each line of a frame's body.
LINE_CHARACTERS = 4000

# What the node stores with each line: CRI writes `2026-01-01T00:00:00.000000000Z stdout F ` (41
# bytes, measured on containerd 1.6); Docker's json-file about 80. The larger one, rounded up.
LINE_OVERHEAD_BYTES = 100

# How much of kperf's output is kept, and how many lines of it come into the log.
OUTPUT_BYTES = 16 * 1024
OUTPUT_LINES = 50

# For these, and for the frame's own two lines, which have names and numbers only.
FRAME_MARGIN_BYTES = OUTPUT_BYTES + OUTPUT_LINES * LINE_OVERHEAD_BYTES + 4 * 1024

# A node that keeps less has no room for reports. The kubelet's default is 10 MiB.
MIN_LOG_LIMIT_BYTES = 64 * 1024


# How many bytes one sample takes: at least, of 1.5 million samples with latencies of half a
# millisecond, of which many are the same; at most, of 10,000 with latencies of 10 s (3.7 and 15.2,
# measured on reports in the form of kperf 0.3.5, in which each latency stands twice).
_FRAMED_SAMPLE_BYTES = (3.5, 15.0)

# A plain report has each sample twice, in 62 bytes.
_PLAIN_SAMPLE_BYTES = (124.0, 124.0)


@dataclass(frozen=True, slots=True)
class LogCapacity:
    """How many samples of one pod fit into a node's log, in round numbers.

    Attributes:
        sure: So many fit, whatever their latencies are.
        possible: No more fit.
    """

    sure: int
    possible: int


def framed_log_bytes(encoded: int) -> int:
    """Return how much of a node's log a framed report takes at most.

    Args:
        encoded: The length of its base64 text.
    """
    lines = -(-encoded // LINE_CHARACTERS)
    return encoded + lines * LINE_OVERHEAD_BYTES + FRAME_MARGIN_BYTES


def log_capacity(limit_bytes: int, *, framed: bool) -> LogCapacity:
    """Return how many samples of one pod fit into a node's log.

    Args:
        limit_bytes: How much log the node keeps.
        framed: Whether the report is framed; otherwise it is plain.
    """
    least, most = _FRAMED_SAMPLE_BYTES if framed else _PLAIN_SAMPLE_BYTES
    room = float(limit_bytes)
    if framed:
        # The inverse of `framed_log_bytes`, with a whole line for the last one.
        room = (limit_bytes - FRAME_MARGIN_BYTES - LINE_OVERHEAD_BYTES) * LINE_CHARACTERS
        room = max(0.0, room / (LINE_CHARACTERS + LINE_OVERHEAD_BYTES))
    return LogCapacity(sure=_rounded(room / most), possible=_rounded(room / least))


def _rounded(samples: float) -> int:
    """Return a number of three digits that count: the bytes of a sample are no better known."""
    unit: int = 10 ** max(0, len(str(int(samples))) - 3)
    return int(samples) // unit * unit
