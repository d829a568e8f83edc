"""Makes stdin, stdout and stderr usable, however the command was started.

A closed descriptor would be given to the next file or socket that is opened, which then gets what
somebody prints; and Python has None for such a stream.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

__all__ = ["abandon_unwritten_output", "open_standard_streams"]


def open_standard_streams() -> None:
    """Open what is closed, and write text as UTF-8 where it can be anything."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # What is written to a closed stdout must fail, or a report would be lost in silence;
            # a closed stderr is somebody's wish.
            mode = os.O_WRONLY if descriptor == 2 else os.O_RDONLY
            os.open(os.devnull, mode)  # the lowest free descriptor is this one
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - it stays open
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="replace")
        else:
            # Reports are UTF-8, whatever the locale of a build machine.
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def abandon_unwritten_output() -> None:
    """Let Python write what it could not write yet to nowhere, instead of complaining at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
