"""The note on a Job about the pods that a wait has given up, because they did not start in time.

It is an annotation, so that every later command on any machine knows of them, also after the pods
themselves were deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["GivenUp", "format_given_up", "index_ranges", "read_given_up"]


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Pods of one Job that were given up for the same reason.

    Attributes:
        indexes: Their completion indexes, ascending.
        reason: The cluster's word for what kept them from starting; empty when none was known.
        detail: The cluster's message, in one line; it may be empty.
    """

    indexes: tuple[int, ...]
    reason: str
    detail: str


def read_given_up(annotation: str | None) -> tuple[GivenUp, ...]:
    """Return what an annotation says; nothing if it is absent or not ours."""
    try:
        entries = json.loads(annotation or "[]")
        return tuple(
            GivenUp(index_ranges(entry["indexes"]), str(entry["reason"]), str(entry["detail"]))
            for entry in entries
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()


def format_given_up(groups: Iterable[GivenUp]) -> str:
    """Return the annotation, in which completion indexes are ranges as in a Job's status."""
    return json.dumps(
        [
            {
                "indexes": _ranges(group.indexes),
                "reason": group.reason,
                "detail": group.detail,
            }
            for group in groups
        ]
    )


def index_ranges(text: str) -> tuple[int, ...]:
    """Return the completion indexes in a Job's status: `0-2,5` is 0, 1, 2 and 5."""
    indexes: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        indexes.extend(range(int(first), int(last or first) + 1))
    return tuple(indexes)


def _ranges(indexes: Iterable[int]) -> str:
    runs: list[tuple[int, int]] = []
    for index in sorted(indexes):
        if runs and index == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
