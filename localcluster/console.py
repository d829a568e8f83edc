"""Messages for people, on stderr: stdout belongs to scripts."""

import sys
from pathlib import Path

__all__ = ["last_lines", "print_line"]

_LINES = 8


def print_line(line: str) -> None:
    """Write one line to stderr, unbuffered."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def last_lines(log: Path) -> str:
    """Return the end of a log, for the message that a program did not start."""
    tail = log.read_text(errors="replace").splitlines()[-_LINES:]
    return "\n".join([f"last lines of {log}:", *tail])
