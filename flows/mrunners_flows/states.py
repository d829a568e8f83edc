"""What a flow returns, and how its known errors become Prefect states."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from prefect import runtime
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from mrunners.errors import (
    ClusterError,
    ExitCode,
    IncompleteError,
    InDoubtError,
    InvalidInputError,
    InvalidOptionsError,
    MrunnersError,
    NextStep,
    RefusedError,
    RunCancelledError,
    SloViolatedError,
    StillRunningError,
    WaitTimeoutError,
)
from mrunners.hints import describe
from mrunners.records import Record
from mrunners.refs import RunRef
from mrunners.reports.conclusion import Conclusion, FailOn, conclude
from mrunners.reports.merged import MergedReport
from mrunners.run.lookup import ExistingRun
from mrunners.run.result import CollectedRun
from mrunners_flows.parameters import form_label, in_form_words

__all__ = [
    "RunFailedError",
    "RunInDoubtError",
    "RunIncompleteError",
    "RunOutcome",
    "RunSloViolatedError",
    "completed_state",
    "errors_as_states",
    "exit_code_of_state",
    "failed_state",
    "require_success",
]

P = ParamSpec("P")
R = TypeVar("R")

# A remote command line recognizes the error by the name of the state.
_STATE_NAMES: tuple[tuple[type[MrunnersError], str], ...] = (
    (IncompleteError, "Incomplete"),
    (SloViolatedError, "SloViolated"),
    (InDoubtError, "InDoubt"),
    (WaitTimeoutError, "TimedOut"),
    (StillRunningError, "StillRunning"),
    (RefusedError, "Refused"),
    (InvalidInputError, "Invalid"),
    (ClusterError, "ClusterError"),
)

# By the engine of a deployed run, and then by the process that ran it.
_ENGINE_TEXTS = ("Engine execution exited with unexpected exception", "Execution of flow run ")

# An attempt after the first adopts the Jobs that exist. One that only waits loads nothing at all.
_NOTHING_LOADED = "a retry only collects again; start a new run to load again"


class RunOutcome(Record):
    """What became of a run.

    Attributes:
        namespace: The namespace of the run.
        tracker: The name of its tracker.
        run_id: The run's ID.
        merged_report: The merged report; None when the flow did not wait for it.
        failures: What went wrong with the Jobs, one line each.
    """

    namespace: str
    tracker: str
    run_id: str
    merged_report: MergedReport | None = None
    failures: tuple[str, ...] = ()

    @classmethod
    def of(cls, run: ExistingRun, collected: CollectedRun | None) -> RunOutcome:
        """Return the outcome of a run, of which nothing is collected if the flow does not wait."""
        return cls(
            namespace=run.ref.namespace,
            tracker=run.ref.tracker,
            run_id=run.plan.run_id,
            merged_report=None if collected is None else collected.report,
            failures=() if collected is None else collected.failures,
        )

    @property
    def ref(self) -> RunRef:
        """The run's name."""
        return RunRef(self.namespace, self.tracker)

    @property
    def waited(self) -> bool:
        """Whether the flow waited for the report."""
        return self.merged_report is not None

    @property
    def report(self) -> MergedReport:
        """The merged report.

        Raises:
            IncompleteError: The flow did not wait for it (`RunOptions.wait` is off).
        """
        if self.merged_report is None:
            raise IncompleteError(
                f"the run of tracker {self.ref} has no report: the flow did not wait for it"
            ).suggest(self.ref, NextStep.WAIT, NextStep.RESULT)
        return self.merged_report

    @property
    def summary(self) -> str:
        """The verdict, what went wrong, and the errors and warnings found; or that it continues."""
        if not self.waited:
            return f"the run of tracker {self.ref} continues"
        return "\n".join((self.report.verdict, *self.failures, *self.report.problems))

    def conclusion(self, fail_on: FailOn = FailOn.ERROR) -> Conclusion:
        """Return whether the run can be relied on, and whether its objectives are met.

        Args:
            fail_on: From which severity on a finding puts it in doubt.

        Raises:
            IncompleteError: The flow did not wait for the report.
        """
        report = self.report
        complete = not self.failures and report.coverage.complete
        return conclude(
            complete=complete,
            findings=report.findings,
            objectives_met=report.objectives_met,
            fail_on=FailOn(fail_on),
        )


class RunFailedError(MrunnersError):
    """A run has finished and its report is merged, but the flow fails.

    Attributes:
        outcome: It has the merged report of what was collected.
    """

    def __init__(self, message: str, outcome: RunOutcome) -> None:
        self.outcome = outcome
        super().__init__(message)


class RunIncompleteError(RunFailedError, IncompleteError):
    """Pods failed, or reports are missing."""


class RunSloViolatedError(RunFailedError, SloViolatedError):
    """Every report of the run is merged, and an objective is violated or cannot be judged."""


class RunInDoubtError(RunFailedError, InDoubtError):
    """Every report of the run is merged, but findings put the figures in doubt."""


def require_success(
    outcome: RunOutcome,
    collected: CollectedRun,
    fail_on: FailOn,
    *,
    accept_incomplete: bool = False,
) -> None:
    """Raise an error unless a collected run is one that its flow may complete with.

    Args:
        outcome: What the error passes on.
        collected: The run.
        fail_on: From which severity on a finding makes it fail.
        accept_incomplete: Whether missing reports and failed Jobs do not.

    Raises:
        RunIncompleteError: Jobs failed or reports are missing.
        RunSloViolatedError: An objective is not met.
        RunInDoubtError: Findings put the figures in doubt.
    """
    conclusion = collected.conclusion(fail_on, accept_incomplete=accept_incomplete)
    if conclusion is Conclusion.SLO_VIOLATED:
        raise RunSloViolatedError(collected.summary, outcome)
    if conclusion is Conclusion.IN_DOUBT:
        raise RunInDoubtError(collected.summary, outcome)
    if conclusion is not Conclusion.COMPLETE:
        error = RunIncompleteError(collected.summary, outcome)
        raise error.suggest(outcome.ref, *collected.next_steps)


class _KnownErrors(logging.Filter):
    """Drops the tracebacks that a worker logs after a flow has ended in the state of an error.

    The engine of a deployed run raises the error of the state again, and logs it as unexpected. The
    state is in the log already. What a pipeline of a user logs about the same error is kept.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        # Not all that is logged is a text: `logger.exception(error)` logs the error itself.
        known = isinstance(error, MrunnersError) and str(record.msg).startswith(_ENGINE_TEXTS)
        return not known


_known_errors = _KnownErrors()
for _logger in ("prefect.flow_runs", "prefect.engine"):
    logging.getLogger(_logger).addFilter(_known_errors)


def errors_as_states(flow: Callable[P, R]) -> Callable[P, R]:
    """Let a flow end in the state of a known error instead of raising it.

    An error that is returned leaves no traceback in the run's log, in the caller's process or on a
    worker. The caller of the flow still gets the exception and never sees the state, so the
    declared type stays the flow's own.
    """

    @functools.wraps(flow)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return flow(*args, **kwargs)
        except RunCancelledError as error:
            return cast("R", Cancelled(message=str(error), data=error))
        except MrunnersError as error:
            return cast("R", failed_state(error))

    # Prefect builds the form from the signature; annotations that are still text would be looked
    # up in this module.
    wrapper.__signature__ = inspect.signature(flow, eval_str=True)  # type: ignore[attr-defined]
    wrapper.__annotations__ = inspect.get_annotations(flow, eval_str=True)
    return wrapper


def completed_state(outcome: RunOutcome) -> RunOutcome:
    """Return the Prefect state of a run that succeeded, with the verdict as its message.

    The caller of the flow gets the outcome and never sees the state.
    """
    return cast("RunOutcome", Completed(message=outcome.summary, data=outcome))


def failed_state(error: MrunnersError) -> State[MrunnersError]:
    """Return the Prefect state of a known error: of type Failed, named for what happened."""
    name = next((name for kind, name in _STATE_NAMES if isinstance(error, kind)), "Failed")
    return Failed(name=name, message=_message(error), data=error)


def _message(error: MrunnersError) -> str:
    """Return what a state says; who reads it has a form, and a terminal perhaps."""
    if isinstance(error, InvalidOptionsError):
        return in_form_words("\n".join(error.spelled(form_label)))
    lines = [describe(error, form_label)]
    if isinstance(error, RunIncompleteError) and (runtime.flow_run.run_count or 0) > 1:
        lines.append(_NOTHING_LOADED)
    return "\n".join(lines)


def exit_code_of_state(state: State[object]) -> ExitCode:
    """Return the exit code of a flow run that has ended, as a run in this process would have it."""
    if state.is_completed():
        return ExitCode.DONE
    if state.is_cancelled():
        return ExitCode.INTERRUPTED
    return next(
        (kind.exit_code for kind, name in _STATE_NAMES if name == state.name),
        ExitCode.INTERNAL_ERROR,
    )
