"""How many Jobs one task takes, and what such a task is called.

It must not know what is done with them.
"""

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
    """The Jobs in the portions that one task takes, each with a label for the task run.

    Args:
        jobs: in plan order.
        name: of a Job.
    """
    size = 1 if len(jobs) <= ONE_BY_ONE else BATCH_SIZE
    for first in range(0, len(jobs), size):
        part = jobs[first : first + size]
        label = name(part[0]) if len(part) == 1 else f"{name(part[0])} to {name(part[-1])}"
        yield label, part
