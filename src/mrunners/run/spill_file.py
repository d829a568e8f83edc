"""A file for the samples of a run that do not fit into memory.

It has no name, so that nothing is left of it when the process ends, however it ends. It is on the
disk of the report store, because a folder for temporary files is often memory.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mrunners.reports.latency_column import Seconds
from mrunners.run.report_store import default_store_path

__all__ = ["SpillFile"]

_BYTES = 8


class SpillFile:
    """Samples in the order in which they were written, 8 bytes each.

    The file is created when the first samples are written, and is gone once nothing refers to this.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Choose where the file will be.

        Args:
            folder: None means that of the report store. Where no file can be created in it, the
                folder for temporary files is used.
        """
        self._folder = default_store_path() if folder is None else folder
        self._file: BinaryIO | None = None
        self._samples = 0

    def append(self, seconds: Seconds) -> int:
        """Write samples, and return the position of the first one.

        Raises:
            OSError: They cannot be written; the samples before them are not affected.
        """
        if self._file is None:
            self._file = self._opened()
            weakref.finalize(self, self._file.close)
        position = self._samples
        rest = np.ascontiguousarray(seconds).view(np.uint8).data
        offset = position * _BYTES
        while rest:
            written = os.pwrite(self._file.fileno(), rest, offset)
            rest, offset = rest[written:], offset + written
        self._samples += len(seconds)
        return position

    def read(self, position: int, count: int) -> Seconds:
        """Return `count` samples from a position on.

        Raises:
            OSError: They cannot be read.
        """
        assert self._file is not None
        seconds = np.empty(count)
        rest = seconds.view(np.uint8).data
        offset = position * _BYTES
        while rest:
            size = os.preadv(self._file.fileno(), [rest], offset)
            if size == 0:
                raise OSError("the file of a run's samples is too short")
            rest, offset = rest[size:], offset + size
        return seconds

    def _opened(self) -> BinaryIO:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return tempfile.TemporaryFile(dir=self._folder, buffering=0)
        except OSError:
            return tempfile.TemporaryFile(buffering=0)
