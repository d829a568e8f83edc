"""Reads load profiles from regular files of this machine: `file:///abs/path`.

It must not wait: a FIFO, a terminal or a device is refused, never read.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from mrunners.errors import InvalidInputError
from mrunners.profiles.sources.protocol import SourceContext
from mrunners.profiles.yaml_strict import MAX_PROFILE_BYTES
from mrunners.text import printable

__all__ = ["FileSource"]

# O_NONBLOCK: opening a FIFO without a writer would wait for ever. O_NOCTTY: opening a terminal
# must not make it ours.
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY

_REASONS: Final = {
    errno.ENOENT: "the file does not exist",
    errno.ENOTDIR: "the file does not exist: a part of its path is not a directory",
    errno.EACCES: "the file may not be read (permission denied)",
    errno.EPERM: "the file may not be read (not permitted)",
    errno.ENXIO: "it is not a regular file but a socket or device",
    errno.ELOOP: "its path has too many symbolic links",
    errno.ENAMETOOLONG: "its path is too long",
}


class FileSource:
    """Load profiles in files."""

    scheme = "file"

    def path_problems(self, path: str) -> list[str]:
        """Any absolute path but the root and those of directories (ending in a slash).

        Args:
            path: absolute, percent-decoded.
        Returns: one line per mistake.
        """
        if path.endswith("/"):
            return ["the path must name a file, not a directory"]
        return []

    def load(self, path: str, context: SourceContext) -> bytes:  # noqa: ARG002
        """Read a regular file of at most 512 KiB.

        Args:
            path: absolute.
            context: not needed.
        Returns: the content.
        Raises: InvalidInputError: missing, unreadable, not a regular file, empty or too large.
        """
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError as error:
            raise InvalidInputError(_explain(path, error)) from error
        try:
            # Checked on the open descriptor, so that nobody can swap the file in between.
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISDIR(mode):
                raise InvalidInputError(_say(path, "it is a directory; name the profile's file"))
            if not stat.S_ISREG(mode):
                raise InvalidInputError(_say(path, "it is not a regular file"))
            content = _read(descriptor, MAX_PROFILE_BYTES + 1)
        except OSError as error:
            raise InvalidInputError(_explain(path, error)) from error
        finally:
            os.close(descriptor)
        if not content:
            raise InvalidInputError(_say(path, "the file is empty"))
        if len(content) > MAX_PROFILE_BYTES:
            limit = MAX_PROFILE_BYTES // 1024
            raise InvalidInputError(_say(path, f"the file is larger than {limit} KiB"))
        return content


def _read(descriptor: int, limit: int) -> bytes:
    chunks = []
    while limit > 0 and (chunk := os.read(descriptor, limit)):
        chunks.append(chunk)
        limit -= len(chunk)
    return b"".join(chunks)


def _explain(path: str, error: OSError) -> str:
    reason = _REASONS.get(error.errno or 0) or f"the file cannot be read: {error.strerror}"
    return _say(path, reason)


def _say(path: str, reason: str) -> str:
    return f"cannot load {printable(path, 300)}: {reason}"
