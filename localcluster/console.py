"""Lines for people, on stderr; it must not write to stdout, which belongs to scripts."""

import sys

__all__ = ["say"]


def say(line: str) -> None:
    """Write one line to stderr at once.

    Args:
        line: without a newline.
    """
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
