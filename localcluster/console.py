"""Messages for people, on stderr: stdout belongs to scripts."""

import sys

__all__ = ["print_line"]


def print_line(line: str) -> None:
    """Write one line to stderr, unbuffered."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
