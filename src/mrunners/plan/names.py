"""The names of a run's Jobs, made from the tracker's.

It must not look whether they are taken.
"""

from __future__ import annotations

import hashlib
from typing import Final

__all__ = ["JOB_LENGTH", "TRACKER_LENGTH", "job_name"]

# The pods of a 63-character Job lose the tail of their names: room for `-9999-abcde` is needed.
JOB_LENGTH: Final = 52

# The tracker's name is a label value, and `-profiles-N` must fit behind it.
TRACKER_LENGTH: Final = 50


def job_name(tracker: str, index: int) -> str:
    """The name of the index-th runner's Job: `<tracker>-<index>`, at most 52 characters.

    A name that would be longer is cut, and a hash of the whole tracker keeps it apart from
    others that are cut at the same place.
    """
    suffix = f"-{index}"
    if len(tracker) + len(suffix) <= JOB_LENGTH:
        return tracker + suffix
    mark = hashlib.sha256(tracker.encode()).hexdigest()[:6]
    kept = tracker[: JOB_LENGTH - len(suffix) - len(mark) - 1].rstrip("-")
    return f"{kept}-{mark}{suffix}"
