"""What a flow gives back, and how its known failures become Prefect states.

It must not run anything.
"""

from __future__ import annotations

from prefect.client.schemas.objects import State
from prefect.states import Failed

from mrunners.errors import (
    ExitCode,
    IncompleteError,
    InvalidInputError,
    MrunnersError,
    RefusedError,
    StillRunningError,
    WaitTimeoutError,
)
from mrunners.records import Record
from mrunners.reports.merged import MergedReport

__all__ = ["RunIncompleteError", "RunOutcome", "failed_state"]

# The names by which a remote command line knows the outcome again.
_STATE_NAMES: tuple[tuple[type[MrunnersError], str], ...] = (
    (IncompleteError, "Incomplete"),
    (WaitTimeoutError, "TimedOut"),
    (StillRunningError, "StillRunning"),
    (RefusedError, "Refused"),
    (InvalidInputError, "Invalid"),
)


class RunOutcome(Record):
    """What came of a run.

    Attributes:
        namespace, tracker, run_id: which run.
        report: None when it was not waited for.
    """

    namespace: str
    tracker: str
    run_id: str
    report: MergedReport | None = None


class RunIncompleteError(IncompleteError):
    """The run ended with failed pods or missing reports.

    Attributes:
        outcome: with the merged report of what is there.
    """

    exit_code = ExitCode.INCOMPLETE

    def __init__(self, message: str, outcome: RunOutcome) -> None:
        self.outcome = outcome
        super().__init__(message)


def failed_state(error: MrunnersError) -> State[MrunnersError]:
    """The Prefect state of a known failure: of type Failed, named for what happened.

    Returned rather than raised, a flow ends in it without a traceback in its log; who calls the
    flow still gets the exception.
    """
    name = next((name for kind, name in _STATE_NAMES if isinstance(error, kind)), "Failed")
    return Failed(name=name, message=str(error), data=error)
