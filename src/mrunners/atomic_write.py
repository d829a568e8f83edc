"""Writes a file that appears whole or not at all.

It must not know what it writes.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

__all__ = ["write_atomic"]


def write_atomic(content: bytes, path: Path, *, private: bool = False, sync: bool = True) -> None:
    """Write a file; the folders above it are made.

    Args:
        content: all of it.
        path: a link stays, and what it points to is written. A pipe or a device, such as /dev/null,
            is written to and not replaced.
        private: for this user alone; otherwise for whoever may read the file that is there now, or
            whom the umask lets.
        sync: wait until the disk has it; not where a damaged file is noticed and made again.
    Raises: OSError: it cannot be written; what was there before is there still.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
    # Not by mkstemp, whose files are always private: the umask is to decide.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    handle = os.open(temporary, flags, 0o600 if private else 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            if path.exists():
                os.fchmod(handle, stat.S_IMODE(path.stat().st_mode))
            file.write(content)
            if sync:
                file.flush()
                os.fsync(handle)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
