"""What a flow does before and after a run: decided once by a schedule, a form or a pipeline."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mrunners.errors import FieldProblem, InvalidOptionsError
from mrunners.records import Record
from mrunners_tasks.report_files import ReportFiles

__all__ = ["RunPolicy", "validate_policy"]


# Plain texts, so that pipelines can write them as a form does: RunPolicy(cleanup="delete"). And
# `default=` is spelled out below, because type checkers without pydantic's plugin need it.
PreviousRunPolicy = Literal["refuse", "collect"]
CleanupPolicy = Literal["keep", "delete"]
IncompletePolicy = Literal["fail", "report"]


class RunPolicy(Record):
    """What happens before and after a run, in that order."""

    previous_run: PreviousRunPolicy = Field(
        default="refuse",
        title="Uncollected earlier run",
        description="If an earlier run under this tracker was never collected: refuse stops; "
        "collect waits for it, saves its report as an artifact and replaces it, which suits "
        "schedules.",
    )
    save: bool = Field(
        default=True,
        title="Save artifacts",
        description="Save a table of the Jobs and the merged report as artifacts. A run whose "
        "report is saved counts as collected.",
    )
    on_incomplete: IncompletePolicy = Field(
        default="fail",
        title="If reports are missing",
        description="fail: the flow run ends as Incomplete; report: it completes, and the report "
        "says what is missing. What its findings mean is another option of the run: Fail on "
        "findings.",
    )
    cleanup: CleanupPolicy = Field(
        default="keep",
        title="After the report is saved",
        description="keep: the Jobs stay until the next run; delete: delete them and their "
        "tracker.",
    )
    on_cancel: CleanupPolicy = Field(
        default="keep",
        title="If the flow run is cancelled",
        description="keep: the Jobs continue, and the run can be resumed; delete: delete them and "
        "their tracker.",
    )
    files: ReportFiles = Field(
        default=ReportFiles(),
        title="Report as files",
        description="Besides the artifacts, which are an extract: the whole report as a page.",
    )

    @property
    def saved_files(self) -> ReportFiles | None:
        """Where the report is saved besides the artifacts; None when it is not saved at all."""
        return self.files if self.save else None


def validate_policy(policy: RunPolicy) -> None:
    """Check that a policy does not contradict itself.

    Raises:
        InvalidOptionsError: One problem per contradiction.
    """
    if policy.save:
        return
    problems = []
    if policy.cleanup == "delete":
        text = "delete requires policy.save: the report would be deleted with its Jobs"
        problems.append(FieldProblem("policy.cleanup", text))
    if policy.files.folder:
        text = "requires policy.save: a report that is not saved is not written either"
        problems.append(FieldProblem("policy.files", text))
    if problems:
        raise InvalidOptionsError(problems)
