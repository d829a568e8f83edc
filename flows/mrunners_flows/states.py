"""What a flow gives back, and how its known failures become Prefect states.

It must not run anything.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from mrunners.errors import (
    ClusterError,
    ExitCode,
    IncompleteError,
    InvalidInputError,
    MrunnersError,
    RefusedError,
    RunCancelledError,
    StillRunningError,
    WaitTimeoutError,
)
from mrunners.records import Record
from mrunners.reports.merged import MergedReport

__all__ = [
    "RunIncompleteError",
    "RunOutcome",
    "completed_state",
    "errors_as_states",
    "exit_code_of_state",
    "failed_state",
]

P = ParamSpec("P")
R = TypeVar("R")

# The names by which a remote command line knows the outcome again.
_STATE_NAMES: tuple[tuple[type[MrunnersError], str], ...] = (
    (IncompleteError, "Incomplete"),
    (WaitTimeoutError, "TimedOut"),
    (StillRunningError, "StillRunning"),
    (RefusedError, "Refused"),
    (InvalidInputError, "Invalid"),
    (ClusterError, "ClusterError"),
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

    @property
    def summary(self) -> str:
        """The verdict, or that nobody waited for one."""
        if self.report is not None:
            return self.report.verdict
        return f"tracker {self.tracker} stands in namespace {self.namespace}"


class RunIncompleteError(IncompleteError):
    """The run ended with failed pods or missing reports.

    Attributes:
        outcome: with the merged report of what is there.
    """

    exit_code = ExitCode.INCOMPLETE

    def __init__(self, message: str, outcome: RunOutcome) -> None:
        self.outcome = outcome
        super().__init__(message)


def errors_as_states(flow: Callable[P, R]) -> Callable[P, R]:
    """Let a flow end in the state of a known failure instead of raising it.

    Returned rather than raised, a failure leaves no traceback in the run's log; whoever calls the
    flow still gets the exception, and so never sees the state: the type stays the flow's own.
    """

    @functools.wraps(flow)
    def ending(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return flow(*args, **kwargs)
        except RunCancelledError as error:
            return cast("R", Cancelled(message=str(error), data=error))
        except MrunnersError as error:
            return cast("R", failed_state(error))

    # Prefect builds the form from the signature; annotations that are still text would be looked
    # up in this module.
    ending.__signature__ = inspect.signature(flow, eval_str=True)  # type: ignore[attr-defined]
    ending.__annotations__ = inspect.get_annotations(flow, eval_str=True)
    return ending


def completed_state(outcome: RunOutcome) -> RunOutcome:
    """The Prefect state of a run that went as asked for, with the verdict as its message.

    Whoever calls the flow gets the outcome, and so never sees the state.
    """
    return cast("RunOutcome", Completed(message=outcome.summary, data=outcome))


def failed_state(error: MrunnersError) -> State[MrunnersError]:
    """The Prefect state of a known failure: of type Failed, named for what happened."""
    name = next((name for kind, name in _STATE_NAMES if isinstance(error, kind)), "Failed")
    return Failed(name=name, message=str(error), data=error)


def exit_code_of_state(state: State[object]) -> ExitCode:
    """The exit code of a flow run that has ended, as an in-process run would have given it.

    Args:
        state: final.
    """
    if state.is_completed():
        return ExitCode.DONE
    if state.is_cancelled():
        return ExitCode.INTERRUPTED
    return next(
        (kind.exit_code for kind, name in _STATE_NAMES if name == state.name),
        ExitCode.INTERNAL_ERROR,
    )
