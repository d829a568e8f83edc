from typing import Any

import pytest
from prefect.client.schemas.objects import State

from mrunners.errors import ExitCode, InvalidInputError, RefusedError, RunCancelledError
from mrunners_flows import delete, result, wait
from mrunners_flows.parameters import RunTarget, validate_target
from mrunners_flows.states import errors_as_states, exit_code_of_state

WRONG = RunTarget(namespace="../kube-system", tracker="a/b")


def test_a_reference_is_checked_before_it_becomes_part_of_a_request() -> None:
    with pytest.raises(InvalidInputError) as refused:
        validate_target(WRONG, timeout="soon")
    assert [problem.split(":")[0] for problem in refused.value.problems] == [
        "namespace",
        "tracker",
        "timeout",
    ]


def test_a_good_reference_passes_with_and_without_what_may_be_left_out() -> None:
    validate_target(RunTarget(namespace="load"))
    validate_target(RunTarget(namespace="load", tracker="nightly"), timeout="2h")


@pytest.mark.parametrize(
    "flow", [wait.wait, result.result, delete.delete], ids=lambda f: str(f.name)
)
def test_each_flow_about_a_run_ends_as_invalid_first_of_all(flow: Any) -> None:
    state: State[Any] = flow.fn(WRONG)
    assert (state.name, exit_code_of_state(state)) == ("Invalid", ExitCode.INVALID)


def test_a_cancelled_flow_ends_as_cancelled_and_any_other_failure_as_failed() -> None:
    def ending(error: Exception) -> State[Any]:
        @errors_as_states
        def flow() -> State[Any]:
            raise error

        return flow()

    cancelled = ending(RunCancelledError("stop"))
    assert (cancelled.is_cancelled(), cancelled.message) == (True, "stop")
    assert exit_code_of_state(cancelled) == ExitCode.INTERRUPTED
    assert ending(RefusedError("theirs", namespace="load")).name == "Refused"
