"""How many Jobs one step takes, and what its task run is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

__all__ = ["batches"]

T = TypeVar("T")

# One task per Job reads best. Each costs what creating several Jobs costs (docs/benchmarks.md), and
# Prefect's recorder falls behind at hundreds of them: larger runs share tasks.
ONE_BY_ONE = 20
BATCH_SIZE = 50


def batches(jobs: Sequence[T], name: Callable[[T], str]) -> Iterator[tuple[str, Sequence[T]]]:
    """Yield the Jobs in the batches that one step takes, each with a label for the task run.

    Args:
        jobs: In plan order.
        name: Returns the name of a Job.
    """
    size = 1 if len(jobs) <= ONE_BY_ONE else BATCH_SIZE
    for first in range(0, len(jobs), size):
        batch = jobs[first : first + size]
        label = name(batch[0]) if len(batch) == 1 else f"{name(batch[0])} to {name(batch[-1])}"
        yield label, batch
