"""How large values become arguments of a task.

It must not change them.
"""

from __future__ import annotations

from typing import TypeVar, cast

from prefect.utilities.annotations import opaque

__all__ = ["as_one"]

T = TypeVar("T")


def as_one(value: T) -> T:
    """An argument that a task gets as it is, a future of it too.

    Prefect looks for futures inside every argument, twice, record by record: with a hundred Jobs
    that took as long as all else that it does. The flow run's graph keeps its edges.
    """
    return cast("T", opaque(value))
