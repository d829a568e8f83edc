"""The note on a Job about the pods that a wait has given up, because they did not start in time.

It is an annotation, so that every later command on any machine knows of them, also after the pods
themselves were deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from mrunners.profiles.uri_query import MAX_PODS

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
    """Return what an annotation says; nothing if it is absent or not ours.

    Ours names each pod once, and no Job has more than `MAX_PODS`.
    """
    groups: list[GivenUp] = []
    count = 0
    try:
        for entry in json.loads(annotation or "[]"):
            indexes = index_ranges(entry["indexes"])
            groups.append(GivenUp(indexes, str(entry["reason"]), str(entry["detail"])))
            count += len(indexes)
            if count > MAX_PODS:
                return ()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()
    return tuple(groups)


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
    """Return the completion indexes in a Job's status: `0-2,5` is 0, 1, 2 and 5.

    What lies beyond `MAX_PODS` is left out, because a few digits could fill the memory.

    Raises:
        ValueError: The text is not a list of ranges, or lists an index more than once.
    """
    indexes: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        indexes.extend(range(int(first), min(int(last or first) + 1, MAX_PODS)))
        if len(indexes) > MAX_PODS:
            raise ValueError("a completion index is listed more than once")
    return tuple(indexes)


def _ranges(indexes: Iterable[int]) -> str:
    runs: list[tuple[int, int]] = []
    for index in sorted(indexes):
        if runs and index == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
