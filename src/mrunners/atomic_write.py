"""Atomic writing of files: a reader sees the old content or the new one, never a part."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

__all__ = ["write_atomic"]


def write_atomic(content: bytes, path: Path, *, private: bool = False, sync: bool = True) -> None:
    """Write a file atomically; create the directories above it.

    Args:
        content: The whole content.
        path: A symbolic link stays, and its target is written. A pipe or a device, such as
            /dev/null, is written to and not replaced.
        private: Give only this user access to a new file and new directories, instead of what the
            umask allows. An existing file keeps its permissions.
        sync: Wait until the content is on disk. Turn it off only where a reader would notice a
            damaged file and the caller can write it again.

    Raises:
        OSError: The file cannot be written; an existing file is unchanged.
    """
    try:
        path = path.resolve()
    except RuntimeError:  # Python before 3.13 says so of a loop of links
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
    # mkstemp would not do: its files are always private, and here the umask decides.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600 if private else 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if path.exists():
                os.fchmod(descriptor, stat.S_IMODE(path.stat().st_mode))
            file.write(content)
            if sync:
                file.flush()
                os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
