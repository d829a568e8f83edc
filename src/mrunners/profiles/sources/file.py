"""Reads load profiles from files of this machine: `file:///abs/path`.

Only regular files are read. A FIFO, a terminal or a device is refused, because reading it could
wait forever.
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

# O_NONBLOCK: opening a FIFO without a writer would wait forever. O_NOCTTY: opening a terminal must
# not make it the controlling terminal of this process.
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY

_REASONS: Final = {
    errno.ENOENT: "the file does not exist",
    errno.ENOTDIR: "the file does not exist: a part of its path is not a directory",
    errno.EACCES: "permission denied; make the file readable for the user that runs the flow",
    errno.EPERM: "operation not permitted",
    errno.ENXIO: "it is a socket or a device, not a regular file",
    errno.ELOOP: "its path has too many symbolic links",
    errno.ENAMETOOLONG: "its path is too long",
}


class FileSource:
    """Load profiles in regular files."""

    scheme = "file"

    def path_problems(self, path: str) -> list[str]:
        """Return a problem for the path of a directory: the root, or one that ends in a slash."""
        if path.endswith("/"):
            return ["the path must name a file, not a directory"]
        return []

    def load(self, path: str, context: SourceContext) -> bytes:  # noqa: ARG002
        """Read a regular file of at most 512 KiB.

        Args:
            path: Absolute.
            context: Not used.

        Returns:
            The content.

        Raises:
            InvalidInputError: The file is missing, unreadable, not a regular file, empty or too
                large.
        """
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError as error:
            raise InvalidInputError(_cannot_load(path, _reason(error))) from error
        try:
            # Checked on the open descriptor, so that nobody can swap the file in between.
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISDIR(mode):
                reason = "it is a directory; name the profile's file"
                raise InvalidInputError(_cannot_load(path, reason))
            if not stat.S_ISREG(mode):
                raise InvalidInputError(_cannot_load(path, "it is not a regular file"))
            content = _read(descriptor, MAX_PROFILE_BYTES + 1)
        except OSError as error:
            raise InvalidInputError(_cannot_load(path, _reason(error))) from error
        finally:
            os.close(descriptor)
        if not content:
            raise InvalidInputError(_cannot_load(path, "the file is empty"))
        if len(content) > MAX_PROFILE_BYTES:
            reason = f"the file is larger than {MAX_PROFILE_BYTES // 1024} KiB"
            raise InvalidInputError(_cannot_load(path, reason))
        return content


def _read(descriptor: int, limit: int) -> bytes:
    chunks = []
    while limit > 0 and (chunk := os.read(descriptor, limit)):
        chunks.append(chunk)
        limit -= len(chunk)
    return b"".join(chunks)


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0) or f"the file cannot be read: {error.strerror}"


def _cannot_load(path: str, reason: str) -> str:
    return f"cannot load {printable(path, 300)}: {reason}"
