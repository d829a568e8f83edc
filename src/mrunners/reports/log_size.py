"""How much of a node's logs a report takes: one formula for the plan and for the runner's script.

A node limits the log of each container, so a report that is too large for one is written in parts,
each into the log of a container of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "FRAME_MARGIN_BYTES",
    "LINE_CHARACTERS",
    "LINE_OVERHEAD_BYTES",
    "MAX_REPORT_BYTES",
    "MAX_REPORT_LOGS",
    "MAX_SURE_SAMPLES",
    "MIN_LOG_LIMIT_BYTES",
    "OUTPUT_BYTES",
    "OUTPUT_LINES",
    "LogCapacity",
    "framed_log_bytes",
    "log_capacity",
    "logs_needed",
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

# Almost six million samples as v0.3.5 prints them, which does so twice; v0.3.4 did so once. Parsing
# takes some five times as much memory.
MAX_REPORT_BYTES = 256 * 1024 * 1024
_LEAST_RAW_SAMPLE_BYTES, _MOST_RAW_SAMPLE_BYTES = 22, 46

# More can be too many for one report, however much log there is.
MAX_SURE_SAMPLES = MAX_REPORT_BYTES // _MOST_RAW_SAMPLE_BYTES // 10_000 * 10_000

# In 8 logs of 10 MiB is room for as many samples as a report can have, whatever the latencies are.
MAX_REPORT_LOGS = 8

# How many bytes one sample takes at least and at most, by how many there are at least: the more
# there are, the closer they are to each other. Measured on reports in the form of kperf 0.3.5, in
# which each latency stands twice: at least where latencies of 0.2 ms hardly differ, and at most
# where latencies of 30 s differ very much.
_FRAMED_SAMPLE_BYTES = (
    (0, 2.5, 20.0),
    (10_000, 2.5, 17.2),
    (100_000, 2.5, 15.7),
    (200_000, 1.0, 15.0),
    (1_000_000, 0.4, 14.1),
    (3_000_000, 0.4, 13.4),
)

# A plain report has each sample twice, in 62 bytes.
_PLAIN_SAMPLE_BYTES = 124.0


@dataclass(frozen=True, slots=True)
class LogCapacity:
    """How many samples of one pod fit into its logs, in round numbers.

    Attributes:
        sure: So many fit, whatever their latencies are.
        possible: No more fit, however alike their latencies are.
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


def log_capacity(limit_bytes: int, *, framed: bool, logs: int = 1) -> LogCapacity:
    """Return how many samples of one pod fit into its logs.

    Args:
        limit_bytes: How much log the node keeps of a container.
        framed: Whether the report is framed; otherwise it is plain.
        logs: Into how many logs a framed report may be written.
    """
    if not framed:
        samples = _rounded(limit_bytes / _PLAIN_SAMPLE_BYTES)
        return LogCapacity(sure=samples, possible=samples)
    in_lines = limit_bytes - FRAME_MARGIN_BYTES
    if logs == 1:
        # The inverse of `framed_log_bytes`, with a whole line for the last one.
        lines = (in_lines - LINE_OVERHEAD_BYTES) / (LINE_CHARACTERS + LINE_OVERHEAD_BYTES)
    else:
        lines = logs * (in_lines // (LINE_CHARACTERS + LINE_OVERHEAD_BYTES))
    room = max(0.0, lines * LINE_CHARACTERS)
    sure, possible = 0.0, 0.0
    for samples, least, most in _FRAMED_SAMPLE_BYTES:
        # A group's bounds count only if so many fit; fewer samples never take more bytes.
        if room / most >= samples:
            sure = room / most
        if room / least >= samples:
            possible = room / least
    return LogCapacity(
        sure=_rounded(min(sure, MAX_SURE_SAMPLES)),
        possible=_rounded(min(possible, MAX_REPORT_BYTES / _LEAST_RAW_SAMPLE_BYTES)),
    )


def logs_needed(samples: int, limit_bytes: int) -> int | None:
    """Return into how many logs a framed report surely fits; None if there cannot be so many.

    Args:
        samples: How many it has.
        limit_bytes: How much log the node keeps of a container.
    """
    return next(
        (
            logs
            for logs in range(1, MAX_REPORT_LOGS + 1)
            if samples <= log_capacity(limit_bytes, framed=True, logs=logs).sure
        ),
        None,
    )


def _rounded(samples: float) -> int:
    """Return a number of three digits that count: the bytes of a sample are no better known."""
    unit: int = 10 ** max(0, len(str(int(samples))) - 3)
    return int(samples) // unit * unit
