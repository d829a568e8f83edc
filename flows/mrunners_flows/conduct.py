"""How a flow behaves around its run: what a schedule, a form or a pipeline decides once.

It must not do any of it.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from mrunners.records import Record

__all__ = ["Conduct", "Keeping", "Leftover", "OnIncomplete"]


class Leftover(StrEnum):
    """What to do about an earlier run under the same tracker that nobody collected."""

    REFUSE = "refuse"
    COLLECT = "collect"


class Keeping(StrEnum):
    """Whether a run's Jobs stay."""

    KEEP = "keep"
    DELETE = "delete"


class OnIncomplete(StrEnum):
    """What a run with failed pods or missing reports is."""

    FAIL = "fail"
    REPORT = "report"


class Conduct(Record):
    """What happens before and after a run."""

    leftover: Leftover = Field(
        Leftover.REFUSE,
        title="Leftover of an earlier run",
        description="refuse: stop when an earlier run was not collected; collect: wait for it, "
        "save its report as an artifact, then replace it (for schedules).",
    )
    cleanup: Keeping = Field(
        Keeping.KEEP,
        title="Clean up",
        description="delete: remove the Jobs once the report is saved; keep: leave them until the "
        "next run.",
    )
    on_cancel: Keeping = Field(
        Keeping.KEEP,
        title="When cancelled",
        description="keep: the Jobs go on and the run can be resumed; delete: remove them.",
    )
    on_incomplete: OnIncomplete = Field(
        OnIncomplete.FAIL,
        title="When reports are missing",
        description="fail: the flow run ends as Incomplete; report: it completes, and the report "
        "says what is missing.",
    )
    save: bool = Field(
        default=True,
        title="Save artifacts",
        description="Save a table of the Jobs and the report as artifacts; a saved report counts "
        "as collected.",
    )
