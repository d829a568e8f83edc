"""Makes stdin, stdout and stderr usable, however the command was started.

A closed descriptor would be given to the next file or socket that is opened, which then gets what
somebody prints; and Python has None for such a stream.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["StdoutError", "abandon_unwritten_output", "open_standard_streams", "reader_is_gone"]


class StdoutError(OSError):
    """Stdout does not take what is written; any other OSError is about something else."""


class _Stdout(io.TextIOWrapper):
    """Stdout, whose errors say that they are its own.

    Attributes:
        reader_is_gone: Whether what was written last found no reader.
    """

    reader_is_gone = False

    def write(self, text: str) -> int:
        """Write a text, as TextIOWrapper does."""
        with self._own_errors():
            return super().write(text)

    def flush(self) -> None:
        """Write what is buffered, as TextIOWrapper does."""
        with self._own_errors():
            super().flush()

    @contextmanager
    def _own_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # Click ends the process for a broken pipe, and forgets whose it was.
            self.reader_is_gone |= error.errno == errno.EPIPE
            raise StdoutError(error.errno, error.strerror) from error


# What this process writes its results to, however Click wraps it later.
_streams: list[_Stdout] = []


def reader_is_gone() -> bool:
    """Whether the reader of stdout has closed it, as in `mrunners result NS | head`."""
    return any(stream.reader_is_gone for stream in _streams)


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
    sys.stdout = _open_stdout()
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _open_stdout() -> _Stdout:
    """Return a stream to descriptor 1, to which nothing was written yet."""
    plain = open(1, "wb", closefd=False)  # noqa: SIM115 - it stays open
    if plain.isatty():
        encoding = getattr(sys.stdout, "encoding", None)
        stream = _Stdout(plain, encoding=encoding, errors="replace", line_buffering=True)
    else:
        # Reports are UTF-8, whatever the locale of a build machine.
        stream = _Stdout(plain, encoding="utf-8", errors="backslashreplace")
    _streams.append(stream)
    return stream


def abandon_unwritten_output() -> None:
    """Let Python write what it could not write yet to nowhere, instead of complaining at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
