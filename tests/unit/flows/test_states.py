from typing import Any

import pytest
from prefect.client.schemas.objects import State

from mrunners.errors import (
    ExitCode,
    FieldProblem,
    IncompleteError,
    InvalidInputError,
    InvalidOptionsError,
    NextStep,
    RefusedError,
    RunCancelledError,
)
from mrunners.refs import RunRef
from mrunners.reports.merge import merge
from mrunners_flows import RunOutcome
from mrunners_flows.states import errors_as_states, exit_code_of_state
from tests.factories import RUN, RUN_ID, flat, merged_pod

WITHOUT_REPORT = RunOutcome(namespace="load", tracker="nightly", run_id="r")


def state_of(error: Exception) -> State[Any]:
    """The state in which a flow ends that raises this error."""

    @errors_as_states
    def flow() -> State[Any]:
        raise error

    return flow()


def test_a_cancelled_flow_ends_as_cancelled_and_any_other_failure_as_failed() -> None:
    cancelled = state_of(RunCancelledError("stop"))
    assert (cancelled.is_cancelled(), cancelled.message) == (True, "stop")
    assert exit_code_of_state(cancelled) == ExitCode.INTERRUPTED
    assert state_of(RefusedError("theirs", namespace="load")).name == "Refused"


def test_invalid_options_are_spelled_with_the_labels_of_the_form() -> None:
    problems = [
        FieldProblem("advanced.start_timeout", "not a duration"),
        FieldProblem("policy.files", "requires policy.save"),
    ]
    state = state_of(InvalidOptionsError(problems))
    assert (state.name, exit_code_of_state(state)) == ("Invalid", ExitCode.INVALID)
    assert state.message == "Start timeout: not a duration\npolicy.files: requires policy.save"


def test_other_invalid_input_is_one_line_per_problem() -> None:
    assert state_of(InvalidInputError(["one", "two"])).message == "one\ntwo"


def test_a_state_says_what_to_do_next() -> None:
    error = RefusedError.of(RunRef("load", "nightly"), "theirs", NextStep.RESULT)
    assert state_of(error).message == (
        "theirs\nget its report with: mrunners result load --tracker nightly"
    )


def test_the_report_of_an_outcome_is_the_merged_report() -> None:
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, flat())])
    outcome = WITHOUT_REPORT.model_copy(update={"merged_report": report})
    assert outcome.report is report
    assert (outcome.waited, outcome.summary) == (True, report.verdict)


def test_an_outcome_without_a_report_says_that_the_flow_did_not_wait_for_it() -> None:
    assert (WITHOUT_REPORT.waited, WITHOUT_REPORT.summary) == (
        False,
        "the run of tracker load/nightly continues",
    )
    with pytest.raises(IncompleteError, match="the flow did not wait for it"):
        WITHOUT_REPORT.report  # noqa: B018
