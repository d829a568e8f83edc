import logging
from types import SimpleNamespace
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
from mrunners.reports.analysis.finding import lines_of
from mrunners.reports.conclusion import Conclusion, FailOn
from mrunners.reports.merge import merge
from mrunners.reports.outcomes import MissingReason
from mrunners.run.result import CollectedRun
from mrunners_flows import RunOutcome, states
from mrunners_flows.states import (
    RunIncompleteError,
    RunInDoubtError,
    completed_state,
    errors_as_states,
    exit_code_of_state,
    require_success,
)
from tests.factories import RUN, RUN_ID, flat, merged_pod, missing_pod
from tests.fakes import FakeCluster
from tests.unit.env import deploy, planned

WITHOUT_REPORT = RunOutcome(namespace="load", tracker="nightly", run_id="r")

SUCCESSES = {"LIST https://api/pods": [0.001] * 34}
FORBIDDEN = [merged_pod(0, index, flat(SUCCESSES, errors=266)) for index in range(2)]
IN_DOUBT = CollectedRun(merge(RUN, RUN_ID, FORBIDDEN))
GAP = CollectedRun(
    merge(RUN, RUN_ID, [*FORBIDDEN, missing_pod(1, 0, MissingReason.NOT_CREATED)]),
    next_steps=(NextStep.RESUME,),
)


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
        FieldProblem("policy.files", "requires policy.save: a report that is not saved is lost"),
        FieldProblem("files.url", "requires files.folder"),
    ]
    state = state_of(InvalidOptionsError(problems))
    assert (state.name, exit_code_of_state(state)) == ("Invalid", ExitCode.INVALID)
    assert (state.message or "").splitlines() == [
        "Start timeout: not a duration",
        'Report as files: requires "Save artifacts": a report that is not saved is lost',
        'URL of the folder: requires "Folder"',
    ]


def test_other_invalid_input_is_one_line_per_problem() -> None:
    assert state_of(InvalidInputError(["one", "two"])).message == "one\ntwo"


def test_a_state_says_what_to_do_next() -> None:
    error = RefusedError.of(RunRef("load", "nightly"), "theirs", NextStep.RESULT)
    assert state_of(error).message == (
        "theirs\nget its report with: mrunners result load --tracker nightly"
    )


@pytest.mark.parametrize(("attempt", "said"), [(1, False), (2, True)])
def test_an_incomplete_run_that_is_retried_says_that_a_retry_loads_nothing(
    attempt: int, said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow_run = SimpleNamespace(run_count=attempt)
    monkeypatch.setattr(states, "runtime", SimpleNamespace(flow_run=flow_run))
    line = "a retry only collects again; start a new run to load again"
    incomplete = RunIncompleteError("2 failed", WITHOUT_REPORT)
    assert state_of(incomplete).message == "2 failed" + (f"\n{line}" * said)
    only_waited = IncompleteError("2 failed")
    assert state_of(only_waited).message == "2 failed"


@pytest.mark.parametrize(
    ("text", "error", "kept"),
    [
        ("Engine execution exited with unexpected exception", IncompleteError("2 failed"), False),
        ("Execution of flow run 'x' exited with unexpected", IncompleteError("2 failed"), False),
        ("Engine execution exited with unexpected exception", KeyError("a bug"), True),
        ("Encountered exception during execution: %r", IncompleteError("2 failed"), True),
        (IncompleteError("2 failed"), IncompleteError("2 failed"), True),
    ],
    ids=["engine", "process", "bug", "pipeline", "the error itself"],
)
@pytest.mark.parametrize("logger", ["prefect.flow_runs", "prefect.engine"])
def test_a_known_error_leaves_no_traceback_of_prefects_engine(
    text: object, error: Exception, kept: bool, logger: str
) -> None:
    trace = (type(error), error, None)
    record = logging.LogRecord(logger, logging.ERROR, "", 0, text, (), trace)
    assert bool(logging.getLogger(logger).filter(record)) is kept


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


def outcome_of(collected: CollectedRun) -> RunOutcome:
    return RunOutcome.of(deploy(FakeCluster(), planned(2)), collected)


def success_state(collected: CollectedRun, fail_on: FailOn, *, accept: bool) -> State[Any]:
    """The state in which a flow ends that has collected this run."""

    @errors_as_states
    def flow() -> Any:
        outcome = outcome_of(collected)
        require_success(outcome, collected, fail_on, accept_incomplete=accept)
        return completed_state(outcome)

    return flow()  # type: ignore[no-any-return]


def test_a_run_in_doubt_is_a_state_of_type_failed_that_has_the_report_and_says_why() -> None:
    state = success_state(IN_DOUBT, FailOn.ERROR, accept=False)
    assert (state.name, state.type.value, exit_code_of_state(state)) == (
        "InDoubt",
        "FAILED",
        ExitCode.IN_DOUBT,
    )
    lines = lines_of(IN_DOUBT.report.findings)
    assert lines[0].startswith("error: 532 of 600 requests failed (89%)")
    assert state.message == "\n".join(("2 of 2 reports merged; the figures are in doubt", *lines))
    error = state.data
    assert isinstance(error, RunInDoubtError)
    assert error.outcome.report is IN_DOUBT.report


@pytest.mark.parametrize(
    ("collected", "fail_on", "accept", "name"),
    [
        (IN_DOUBT, FailOn.NEVER, False, "Completed"),
        (IN_DOUBT, FailOn.ERROR, True, "InDoubt"),
        (GAP, FailOn.NEVER, False, "Incomplete"),
        (GAP, FailOn.ERROR, False, "Incomplete"),
        (GAP, FailOn.NEVER, True, "Completed"),
        (GAP, FailOn.ERROR, True, "InDoubt"),
    ],
    ids=lambda value: "" if isinstance(value, CollectedRun) else str(value),
)
def test_missing_reports_and_findings_are_accepted_each_by_an_option_of_its_own(
    collected: CollectedRun, fail_on: FailOn, accept: bool, name: str
) -> None:
    state = success_state(collected, fail_on, accept=accept)
    assert state.name == name
    assert (state.message or "").startswith(collected.summary)


def test_an_incomplete_run_says_what_was_found_too_and_what_to_do_next() -> None:
    state = success_state(GAP, FailOn.ERROR, accept=False)
    assert isinstance(state.data, RunIncompleteError)
    assert state.message == (
        f"{GAP.summary}\nresume it with: mrunners run --namespace load --tracker mrunners --resume"
    )


@pytest.mark.parametrize(
    ("collected", "expected"),
    [
        (IN_DOUBT, Conclusion.IN_DOUBT),
        (GAP, Conclusion.INCOMPLETE),
        (CollectedRun(IN_DOUBT.report, ("job.batch/mrunners-0: failed",)), Conclusion.INCOMPLETE),
    ],
    ids=["doubt", "gap", "failed"],
)
def test_an_outcome_has_the_conclusion_of_its_run(
    collected: CollectedRun, expected: Conclusion
) -> None:
    outcome = outcome_of(collected)
    assert outcome.conclusion() is collected.conclusion() is expected
    assert outcome.summary == collected.summary
