"""The files of the report store; what the disk refuses is kept in memory instead.

A home that does not exist or cannot be written is normal in a container, and a disk may be full
after the load has run. Neither must cost the report: this process still has it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from mrunners.atomic_write import write_atomic

__all__ = ["MAX_MEMORY_BYTES", "StoreFiles"]

# Packed reports have 1 to 2 bytes per sample, so that this is some 100 million samples.
MAX_MEMORY_BYTES = 256 * 1024 * 1024


class StoreFiles:
    """Files below a folder that this process may not be able to write."""

    def __init__(
        self,
        root: Path,
        warn: Callable[[str], None] | None = None,
        *,
        max_memory_bytes: int = MAX_MEMORY_BYTES,
    ) -> None:
        """Use a folder.

        Args:
            root: For the message only.
            warn: Is told once when a file cannot be written; None means the logger `mrunners`.
            max_memory_bytes: How much of what cannot be written is kept.
        """
        self._root = root
        self._warn = logging.getLogger("mrunners").warning if warn is None else warn
        self._warned = False
        self._memory: dict[Path, bytes] = {}
        self._memory_bytes_left = max_memory_bytes

    def write(self, path: Path, content: bytes) -> bool:
        """Write a file, private and atomically; never fail.

        Returns:
            Whether the content is kept, on disk or in memory.
        """
        try:
            # Not synced: a reader notices a damaged file, and the log can be read again.
            write_atomic(content, path, private=True, sync=False)
        except OSError as error:
            kept = self._keep(path, content)
            if not self._warned:
                self._warned = True
                self._warn(
                    f"reports cannot be kept on disk, and are in memory until this command ends: "
                    f"{self._root}: {error.strerror or error}"
                )
            return kept
        self._drop(path)
        return True

    def make_folder(self, path: Path) -> None:
        """Make a folder, private; never fail. In memory, a file stands for one."""
        try:
            try:
                path.mkdir(mode=0o700)
            except FileNotFoundError:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.mkdir(mode=0o700)
        except FileExistsError:
            pass
        except OSError:
            self.write(path / "created", b"")  # keeps it in memory, and says so

    def read(self, path: Path) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: It does not exist, or cannot be read.
        """
        kept = self._memory.get(path)
        return path.read_bytes() if kept is None else kept

    def exists(self, path: Path) -> bool:
        """Whether there is such a file; false in a folder that this process may not search."""
        try:
            return path in self._memory or path.is_file()
        except OSError:
            return False

    def names(self, folder: Path) -> frozenset[str]:
        """Return the names of the files and folders in a folder; none where it cannot be read."""
        kept = {
            path.relative_to(folder).parts[0]
            for path in self._memory
            if path.is_relative_to(folder)
        }
        try:
            return frozenset(kept | {entry.name for entry in folder.iterdir()})
        except OSError:
            return frozenset(kept)

    def _keep(self, path: Path, content: bytes) -> bool:
        self._drop(path)
        if len(content) > self._memory_bytes_left:
            return False
        self._memory_bytes_left -= len(content)
        self._memory[path] = content
        return True

    def _drop(self, path: Path) -> None:
        self._memory_bytes_left += len(self._memory.pop(path, b""))
