"""A sample file in memory."""

from __future__ import annotations

import numpy as np

from mrunners.reports.latency_column import Seconds


class MemorySampleFile:
    """Keeps what is written, and counts the samples that are written and read."""

    def __init__(self) -> None:
        self._samples = np.zeros(0)
        self.samples_read = 0

    def append(self, seconds: Seconds) -> int:
        position = len(self._samples)
        self._samples = np.concatenate([self._samples, seconds])
        return position

    @property
    def samples_written(self) -> int:
        return len(self._samples)

    def read(self, position: int, count: int) -> Seconds:
        self.samples_read += count
        return self._samples[position : position + count]
